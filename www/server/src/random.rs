//! Random values, and the one-way digest under which the store keeps them.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

pub fn bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A name for a token or a family. Unique, and no secret.
pub fn id() -> String {
    Base64UrlUnpadded::encode_string(&bytes()[..16])
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the store keeps of a token. A plain SHA-256 is enough, other than for a password: there is no
/// list of likely 256-bit values to try.
pub fn digest(value: &str) -> String {
    hex(&Sha256::digest(value.as_bytes()))
}
