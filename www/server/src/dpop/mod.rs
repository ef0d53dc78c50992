//! DPoP (RFC 9449): tokens that are useless without a key. A login with a proof opens a session that is bound
//! to the proof's key. From then on its refresh token and its access tokens need a new proof by that key for
//! each request.
//!
//! The binding is a fact of the session (`auth/session.rs`) that never changes. It holds whatever `--dpop`
//! says later: the flag concerns logins, and tokens without a key.

mod nonce;
mod proof;

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, StatusCode, Uri, header::HOST, request::Parts},
    response::{IntoResponse, Response},
};

use crate::{
    answer::{self, Failure},
    app::App,
    challenge::{self, Scheme},
    config::Dpop,
    demo, random,
    store::StoreError,
};
pub use nonce::{NONCE, give as give_nonce};
pub use proof::{ALGORITHM, Proof};

const PROOF: HeaderName = HeaderName::from_static("dpop");

/// How old a proof may be, or how far its clock may be ahead. Milliseconds.
const AROUND: u64 = 60_000;
/// How long its `jti` is remembered. From the earliest to the latest time at which a proof is accepted is
/// twice `AROUND`, or three times with nonces; without nonces the rest covers instances whose clocks differ.
const REMEMBERED: u64 = 3 * AROUND;

/// Why a proof is refused.
pub enum Refusal {
    /// The proof is missing or wrong; the text says why.
    Proof(&'static str),
    /// The proof has no nonce, or an old one.
    Nonce,
    /// The proof is by another key than the token or session is bound to.
    OtherKey,
    /// The token or session is bound to no key, but must be.
    Unbound,
    Store(StoreError),
}

const MISSING: Refusal = Refusal::Proof("A DPoP proof is needed");

/// What a request proves, as far as is known without the store: nothing, or possession of a key.
pub struct Brought(Result<Option<Proof>, Refusal>);

impl FromRequestParts<Arc<App>> for Brought {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::by(app, parts.method.as_str(), parts.uri.path(), &parts.headers))
    }
}

impl Brought {
    pub fn by(app: &App, method: &str, path: &str, headers: &HeaderMap) -> Self {
        let mut all = headers.get_all(PROOF).iter();
        Self(match (all.next(), all.next()) {
            (None, _) => Ok(None),
            (Some(one), None) => {
                let text = one.to_str().unwrap_or("");
                checked(app, text, method, path, headers).map(Some)
            }
            // Section 4.3: nobody can tell which one is meant.
            (Some(_), Some(_)) => Err(Refusal::Proof("There is more than one DPoP proof")),
        })
    }

    /// For a login: the proof by the key that the session will be bound to.
    pub fn for_login(self, app: &App) -> Result<Option<Proof>, Refusal> {
        match app.config.dpop {
            Dpop::Off => Ok(None),
            Dpop::Allowed => self.0?.map(|proof| with_nonce(app, proof)).transpose(),
            Dpop::Required => with_nonce(app, self.0?.ok_or(MISSING)?).map(Some),
        }
    }

    /// For a refresh token: the proof by the key that its session is bound to.
    pub fn for_session(self, app: &App, jkt: Option<&str>) -> Result<Option<Proof>, Refusal> {
        match jkt {
            Some(jkt) => self.by_key(app, jkt).map(Some),
            None if app.config.dpop == Dpop::Required => Err(Refusal::Unbound),
            // An older session, or one of a client without DPoP: still good, whatever proof came with it.
            None => Ok(None),
        }
    }

    /// For an access token, which the proof must name (section 7).
    pub fn for_token(self, app: &App, token: &str) -> Result<Proof, Refusal> {
        let proof = self.0?.ok_or(MISSING)?;
        if !proof.is_for_token(token) {
            return Err(Refusal::Proof("The DPoP proof is for another access token"));
        }
        with_nonce(app, proof)
    }

    /// The key is checked first: a client that has the key and lacks a nonce is an ordinary client.
    fn by_key(self, app: &App, jkt: &str) -> Result<Proof, Refusal> {
        let proof = self.0?.ok_or(MISSING)?;
        if proof.jkt == jkt { with_nonce(app, proof) } else { Err(Refusal::OtherKey) }
    }
}

/// Marks a proof as used, after all other checks: a forged proof writes nothing to the store. Section 11.1: a
/// second use is refused.
pub async fn spend(app: &App, proof: &Proof) -> Result<(), Refusal> {
    let first = app.store.first_use(&proof.id(), &random::id(), REMEMBERED).await;
    if first.map_err(Refusal::Store)? {
        Ok(())
    } else {
        Err(Refusal::Proof("The DPoP proof was used before"))
    }
}

/// Marks the proof as used, if there is one. Returns its key.
pub async fn key(app: &App, proof: Option<Proof>) -> Result<Option<String>, Refusal> {
    match proof {
        Some(proof) => {
            spend(app, &proof).await?;
            Ok(Some(proof.jkt))
        }
        None => Ok(None),
    }
}

/// The checks of section 4.3, in its order, without the nonce.
fn checked(
    app: &App,
    text: &str,
    method: &str,
    path: &str,
    headers: &HeaderMap,
) -> Result<Proof, Refusal> {
    let proof = Proof::read(text).map_err(Refusal::Proof)?;
    if !proof.is_for_method(method) {
        return Err(Refusal::Proof("The DPoP proof is for another method"));
    }
    let target = proof.target();
    if !target.is_some_and(|(origin, at)| is_ours(app, &origin, headers) && at == path) {
        return Err(Refusal::Proof("The DPoP proof is for another address"));
    }
    // A nonce shows better than a clock that the proof is recent (section 4.3, number 11): see `with_nonce`.
    if !app.config.dpop_nonce && !proof.is_of_time(app.clock.now(), AROUND) {
        return Err(Refusal::Proof("The DPoP proof is too old, or of a clock that is ahead"));
    }
    Ok(proof)
}

/// If nonces are required, the proof must have a current one.
fn with_nonce(app: &App, proof: Proof) -> Result<Proof, Refusal> {
    let good = || proof.nonce().is_some_and(|nonce| nonce::is_good(app, nonce));
    if !app.config.dpop_nonce || good() { Ok(proof) } else { Err(Refusal::Nonce) }
}

/// Whether browsers know this server under that origin, which is the issuer. The request's `Host` is not
/// consulted, because someone who received a proof for another server can write that host into a request to
/// ours. In the demo any name of this machine is accepted: no other server has one.
fn is_ours(app: &App, origin: &str, headers: &HeaderMap) -> bool {
    let issuer = app.config.issuer.as_deref().and_then(|issuer| issuer.parse::<Uri>().ok());
    if issuer.and_then(|issuer| proof::origin(&issuer)).as_deref() == Some(origin) {
        return true;
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    app.demo.is_some()
        && demo::names_this_machine(headers)
        && format!("http://{host}").parse().ok().and_then(|uri| proof::origin(&uri)).as_deref()
            == Some(origin)
}

/// The refusal at addresses that give tokens (sections 5 and 8): the code of RFC 6749 section 5.2, and 400.
/// The cookie stays, because the session is unchanged.
impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let (code, message) = match refusal {
            Refusal::Proof(why) => ("invalid_dpop_proof", why),
            Refusal::Nonce => (USE_NONCE, NEEDS_NONCE),
            Refusal::OtherKey => ("invalid_grant", "The session is bound to another key"),
            Refusal::Unbound => ("invalid_grant", "The session is bound to no key: log in"),
            Refusal::Store(error) => return error.into(),
        };
        answer::error(StatusCode::BAD_REQUEST, code, message).into()
    }
}

impl Refusal {
    /// The refusal at the API (section 7.1).
    pub fn at_api(self) -> Response {
        let scheme = Scheme::Dpop;
        match self {
            Self::Proof(why) => challenge::refused(scheme, "invalid_dpop_proof", why),
            Self::Nonce => challenge::refused(scheme, USE_NONCE, NEEDS_NONCE),
            Self::OtherKey => {
                challenge::invalid_token(scheme, "The access token is bound to another key")
            }
            Self::Unbound => {
                challenge::invalid_token(scheme, "The access token is bound to no key")
            }
            Self::Store(error) => Failure::from(error).into_response(),
        }
    }
}

const USE_NONCE: &str = "use_dpop_nonce";
const NEEDS_NONCE: &str = "The DPoP proof needs the nonce of this answer";
