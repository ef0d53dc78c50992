//! Where things lie. All that one exchange touches must lie together, or a cluster of machines could not
//! decide it in one step: so whatever belongs to an account lies in the account's place, one of 256, and
//! a token carries the number of the place in its first byte. A place says nothing about whose it is.
//!
//! A store that is one machine needs no places, and passes them over.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::{random, secret::Secret};

/// The place of an account, and of everything that hangs on it.
pub fn of(user: &str) -> u8 {
    Sha256::digest(user.as_bytes())[0]
}

/// A fresh token for a user: the place, then 248 bits that nobody can guess (RFC 6749 section 10.10 asks
/// for at least 128).
pub fn token(user: &str) -> Secret {
    token_in(of(user))
}

/// A fresh token that lies where another does.
pub fn token_in(place: u8) -> Secret {
    let mut bytes = random::bytes();
    bytes[0] = place;
    Secret::new(Base64UrlUnpadded::encode_string(&bytes))
}

/// What the store knows a token by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub place: u8,
    pub digest: String,
}

impl Key {
    /// What is no token of ours lies nowhere, so any place will do for it.
    pub fn of(token: &str) -> Self {
        let mut bytes = [0; 3];
        let first = token.get(..4).and_then(|text| {
            Base64UrlUnpadded::decode(text, &mut bytes).ok().and_then(|bytes| bytes.first())
        });
        Self { place: first.copied().unwrap_or(0), digest: random::digest(token) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_to_the_place_of_its_user() {
        for user in ["alice", "bob", "é"] {
            let token = token(user);
            assert_eq!(token.expose().len(), 43);
            assert_eq!(Key::of(token.expose()).place, of(user));
        }
    }

    #[test]
    fn what_is_no_token_has_a_key_all_the_same() {
        for text in ["", "a", "é", "????", "aé😀"] {
            assert_eq!(Key::of(text).place, 0, "{text}");
        }
    }
}
