//! Random values, and the one-way digest under which the store keeps them.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

pub fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A unique, non-secret name for a token or a family.
pub fn id() -> String {
    Base64UrlUnpadded::encode_string(&bytes()[..16])
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The stored form of a token. Unlike for a password, a plain SHA-256 is enough: there is no list of likely
/// 256-bit values to try.
pub fn digest(value: &str) -> String {
    hex(&Sha256::digest(value.as_bytes()))
}
