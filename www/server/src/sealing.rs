//! Seals the secrets that the store must return (signing keys, second factors) with a secret that is not in
//! the store: someone who reads a backup cannot use them. XChaCha20-Poly1305, whose nonces may be random.

use base64ct::{Base64UrlUnpadded, Encoding};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{random, secret::Secret};

const SEALED: &str = "sealed.";
const PLAIN: &str = "plain.";
const NONCE: usize = 24;

/// Without a secret nothing is sealed, and unsealed texts are accepted.
pub struct Sealing(Vec<XChaCha20Poly1305>);

impl Sealing {
    /// The first secret seals, all of them can open: so a secret can be replaced.
    pub fn new(secrets: &[Secret]) -> Self {
        Self(secrets.iter().map(cipher).collect())
    }

    /// `purpose` must be the same when opening: a text sealed for one purpose is not valid for another.
    pub fn seal(&self, purpose: &str, bytes: &[u8]) -> String {
        let Some(cipher) = self.0.first() else {
            return format!("{PLAIN}{}", Base64UrlUnpadded::encode_string(bytes));
        };
        let mut sealed = random::bytes()[..NONCE].to_vec();
        let nonce = XNonce::try_from(&sealed[..]).expect("24 bytes");
        let payload = Payload { msg: bytes, aad: purpose.as_bytes() };
        sealed.extend(cipher.encrypt(&nonce, payload).expect("a short text can be sealed"));
        format!("{SEALED}{}", Base64UrlUnpadded::encode_string(&sealed))
    }

    /// With a secret, unsealed texts are not accepted: anyone who can write to the store could have put them
    /// there.
    pub fn open(&self, purpose: &str, stored: &str) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        if let Some(plain) = stored.strip_prefix(PLAIN) {
            let bytes = Base64UrlUnpadded::decode_vec(plain).map_err(|_| Unopened::Broken)?;
            return if self.0.is_empty() { Ok(bytes.into()) } else { Err(Unopened::Plain) };
        }
        let bytes = stored.strip_prefix(SEALED).map(Base64UrlUnpadded::decode_vec);
        let bytes = bytes.and_then(Result::ok).ok_or(Unopened::Broken)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or(Unopened::Broken)?;
        let nonce = XNonce::try_from(nonce).expect("24 bytes");
        self.0
            .iter()
            .find_map(|cipher| {
                let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
                cipher.decrypt(&nonce, payload).ok()
            })
            .map(Zeroizing::new)
            .ok_or(Unopened::OtherSecret)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// The text is not sealed, although there is a secret.
    Plain,
    OtherSecret,
    Broken,
}

/// A secret is long and random, not a password: one digest is enough to derive a key.
fn cipher(secret: &Secret) -> XChaCha20Poly1305 {
    let key =
        Sha256::new_with_prefix("tokenkeep sealing: ").chain_update(secret.expose()).finalize();
    XChaCha20Poly1305::new(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(letter: char) -> Secret {
        Secret::new(letter.to_string().repeat(32))
    }

    #[test]
    fn a_sealed_text_is_opened_only_by_its_secret_and_for_its_purpose() {
        let sealing = Sealing::new(&[secret('a')]);
        let sealed = sealing.seal("key", b"seed");
        assert_eq!(**sealing.open("key", &sealed).expect("opened"), *b"seed");
        assert_eq!(sealing.open("other", &sealed), Err(Unopened::OtherSecret));
        let other = Sealing::new(&[secret('b')]);
        assert_eq!(other.open("key", &sealed), Err(Unopened::OtherSecret));
        assert_eq!(Sealing::new(&[]).open("key", &sealed), Err(Unopened::OtherSecret));
        let exchanged = Sealing::new(&[secret('b'), secret('a')]);
        assert!(exchanged.open("key", &sealed).is_ok());
        assert!(other.open("key", &exchanged.seal("key", b"seed")).is_ok(), "the first seals");
    }

    #[test]
    fn without_a_secret_nothing_is_sealed_and_with_one_unsealed_texts_are_refused() {
        let plain = Sealing::new(&[]).seal("key", b"seed");
        assert_eq!(**Sealing::new(&[]).open("key", &plain).expect("opened"), *b"seed");
        assert_eq!(Sealing::new(&[secret('a')]).open("key", &plain), Err(Unopened::Plain));
        for broken in ["", "plain.?", "sealed.", "sealed.AA", "else.AA"] {
            assert_eq!(Sealing::new(&[]).open("key", broken), Err(Unopened::Broken), "{broken}");
        }
    }
}
