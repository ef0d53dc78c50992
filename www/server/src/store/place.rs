//! The location of stored entries. Everything that one exchange touches must be in one place; otherwise a
//! cluster of machines could not decide the exchange in one step. So all entries of an account are in the
//! account's place, one of 256, and a token carries the number of the place in its first byte. A place does
//! not reveal the user.
//!
//! A store on a single machine needs no places, and ignores them.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::{random, secret::Secret};

/// The place of an account, and of everything that belongs to it.
pub fn of(user: &str) -> u8 {
    Sha256::digest(user.as_bytes())[0]
}

/// A new token for a user: the place, then 248 unpredictable bits (RFC 6749 section 10.10 requires at least
/// 128).
pub fn token(user: &str) -> Secret {
    token_in(of(user))
}

/// A new token in the same place as another.
pub fn token_in(place: u8) -> Secret {
    let mut bytes = random::bytes();
    bytes[0] = place;
    Secret::new(Base64UrlUnpadded::encode_string(&bytes))
}

/// The store's key for a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub place: u8,
    pub digest: String,
}

impl Key {
    /// A text that is not one of our tokens has no place, so any place is good enough.
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
    fn a_text_that_is_not_a_token_still_has_a_key() {
        for text in ["", "a", "é", "????", "aé😀"] {
            assert_eq!(Key::of(text).place, 0, "{text}");
        }
    }
}
