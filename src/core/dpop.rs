//! Proofs of possession (RFC 9449): what is signed, with which nonce and by which clock, and whether a call
//! is sent again when the server rejects its proof. The shell adds the facts of the call, and the platform
//! signs.

use super::apis::is_same_origin;
use super::challenge::challenges;
use super::header_fields::{Set, behind};
use super::secret::Secret;
use super::text::split_at_any;
use super::time::Now;

/// Where the keys are kept that tokens are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DpopKeys {
    /// In IndexedDB, shared by all tabs and by later pages.
    Stored,
    /// In memory: each page has its own key.
    Memory,
}

/// The parts of a proof that do not depend on its call alone. It has no `Debug`, nor have the types below,
/// except for `Objection`.
pub struct Draft {
    /// The target URL (`htu`).
    pub target: String,
    /// The current nonce of the target's server.
    pub nonce: Option<String>,
    /// The server's time, in milliseconds since the epoch.
    at: u64,
}

impl Draft {
    /// When the proof was made (`iat`), in seconds since the epoch.
    pub fn issued(&self) -> u64 {
        self.at / 1000
    }
}

/// Why a server rejected a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// `use_dpop_nonce`: it wants another nonce (RFC 9449, 8 and 9).
    Nonce,
    /// `invalid_dpop_proof`.
    Invalid,
}

/// The facts of an answer that concern proofs.
#[derive(Clone, Default, PartialEq)]
pub struct ProofAnswer {
    /// The nonce for the next proof (`DPoP-Nonce`).
    pub nonce: Option<String>,
    /// `Date`, in milliseconds since the epoch, if the answer comes from no cache.
    pub date: Option<f64>,
    /// Why the server rejected the proof that was sent, if it did.
    pub objection: Option<Objection>,
}

impl Objection {
    /// Reads the objection from the status, the value of `WWW-Authenticate` (RFC 9449, 9), and `error` of a
    /// JSON body (RFC 9449, 8).
    pub fn of(status: u16, challenge: Option<&str>, error: Option<&str>) -> Option<Self> {
        if !matches!(status, 400 | 401) {
            return None;
        }
        let objection = |error: &str| match error {
            "use_dpop_nonce" => Some(Self::Nonce),
            "invalid_dpop_proof" => Some(Self::Invalid),
            _ => None,
        };
        for challenge in &challenges(challenge.unwrap_or_default()) {
            if challenge.scheme == "dpop"
                && let Some(found) = challenge.get("error").and_then(objection)
            {
                return Some(found);
            }
        }
        error.and_then(objection)
    }
}

/// How many origins' nonces are remembered.
const ORIGINS: usize = 32;
/// The longest nonce that is sent back, in bytes.
const LONGEST: usize = 1024;
/// If the proof's time differs from the server's clock by more than this, in milliseconds, the server is
/// taken to object to the time. `Date` has a resolution of one second.
const SKEW: u64 = 2_000;

/// The nonces and the clock of the servers that proofs go to.
#[derive(Default)]
pub struct Dpop {
    /// A URL of each origin, and its nonce, the most recently used last.
    nonces: Vec<(String, String)>,
    /// The server's time in milliseconds since the epoch, and when it was received.
    clock: Option<(u64, Now)>,
}

impl Dpop {
    /// The proof for a call to this URL, which the platform has serialised.
    pub fn draft(&self, url: &str, now: Now) -> Draft {
        Draft {
            // RFC 9449, 4.2 excludes the query and the fragment.
            target: split_at_any(url, "?#").0.to_owned(),
            nonce: self.nonce(url).map(str::to_owned),
            at: self.server_time(now),
        }
    }

    /// Learns from the answer to a call with this proof. Returns whether the call is to be sent again, once,
    /// with the same token and a new proof that the server may accept.
    pub fn answered(&mut self, draft: &Draft, answer: &ProofAnswer, now: Now) -> bool {
        let url = draft.target.as_str();
        let nonce = answer.nonce.as_deref().filter(|nonce| is_nonce(nonce));
        if let Some(nonce) = nonce {
            let known = self.nonces.iter().position(|(known, _)| is_same_origin(known, url));
            if let Some(at) = known.or((self.nonces.len() == ORIGINS).then_some(0)) {
                self.nonces.remove(at);
            }
            self.nonces.push((url.to_owned(), nonce.to_owned()));
        }
        let date = answer.date.filter(|date| *date >= 0.0).map(|date| date as u64);
        if let Some(date) = date {
            self.clock = Some((date, now));
        }
        match answer.objection {
            Some(Objection::Nonce) => nonce.is_some() && nonce != draft.nonce.as_deref(),
            Some(Objection::Invalid) => date.is_some_and(|date| date.abs_diff(draft.at) > SKEW),
            None => false,
        }
    }

    fn nonce(&self, url: &str) -> Option<&str> {
        let known = self.nonces.iter().find(|(known, _)| is_same_origin(known, url));
        known.map(|(_, nonce)| nonce.as_str())
    }

    /// The time by the server's clock, in milliseconds since the epoch; by the local clock until a server has
    /// sent its own.
    fn server_time(&self, now: Now) -> u64 {
        self.clock.map_or(now.wall, |(date, then)| date.saturating_add(now.since(then)))
    }
}

/// Sets the header fields with a signed proof (RFC 9449, 4.1), and with its key-bound token (RFC 9449, 7.1).
pub(crate) fn set_proof(signed: &str, token: Option<&Secret>, set: Set<'_>) {
    set("DPoP", signed);
    if let Some(token) = token {
        set("Authorization", &behind("DPoP", token));
    }
}

/// `1*NQCHAR` (RFC 9449, 8.1).
fn is_nonce(text: &str) -> bool {
    let is_nqchar = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.len() <= LONGEST && text.bytes().all(is_nqchar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objection_is_read_from_the_dpop_challenge_and_from_the_body() {
        let nonce = r#"Bearer error="invalid_token", DPoP error="use_dpop_nonce", algs="ES256""#;
        for (status, challenge, error, objection) in [
            (401, Some(nonce), None, Some(Objection::Nonce)),
            (403, Some(nonce), None, None),
            (401, Some(r#"Bearer error="use_dpop_nonce""#), None, None),
            (401, Some(r#"DPoP error="invalid_dpop_proof""#), None, Some(Objection::Invalid)),
            (401, Some(r#"DPoP error="invalid_token""#), None, None),
            (400, None, Some("use_dpop_nonce"), Some(Objection::Nonce)),
            (400, None, Some("invalid_dpop_proof"), Some(Objection::Invalid)),
            (400, None, Some("invalid_grant"), None),
            (200, None, Some("use_dpop_nonce"), None),
            (401, None, None, None),
        ] {
            assert_eq!(
                Objection::of(status, challenge, error),
                objection,
                "{challenge:?} {error:?}"
            );
        }
    }

    #[test]
    fn a_malformed_nonce_is_not_sent_back() {
        let long = "a".repeat(LONGEST + 1);
        for text in ["", "a b", "a\"b", "a\\b", "\u{fc}", long.as_str()] {
            assert!(!is_nonce(text), "{text}");
        }
        assert!(is_nonce("!#[]~Az09-._"));
    }
}
