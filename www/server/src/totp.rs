//! Time-based one-time passwords (RFC 6238), as authenticator apps make them: HMAC-SHA-1, six digits, a new
//! code every thirty seconds.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const STEP: u64 = 30_000;
/// Section 5.2: clocks differ, and people type slowly. One step before and after is accepted.
const AROUND: [i64; 3] = [0, -1, 1];

/// The time step of this code. The code of each step is valid once, which the caller ensures.
pub fn step_of(secret: &[u8], code: &str, now: u64) -> Option<u64> {
    let current = now / STEP;
    AROUND
        .iter()
        .filter_map(|around| current.checked_add_signed(*around))
        .find(|step| bool::from(code_of(secret, *step).as_bytes().ct_eq(code.as_bytes())))
}

fn code_of(secret: &[u8], step: u64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("a key of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    // RFC 4226 section 5.3.
    let offset = usize::from(digest[19] & 15);
    let word = [0, 1, 2, 3].map(|n| digest[offset + n]);
    format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
}

/// A secret in the form that apps accept: base32 (RFC 4648 section 6), in any case, with or without spaces
/// and padding. RFC 4226 section 4 requires at least 128 bits.
pub fn secret(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut bytes = Zeroizing::new(Vec::new());
    for letter in text.bytes().filter(|letter| *letter != b' ' && *letter != b'=') {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    (bytes.len() >= 16).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B, the last six of its eight digits.
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_of(SECRET, seconds / 30), code);
        }
    }

    #[test]
    fn a_code_is_valid_in_its_step_and_the_two_beside_it() {
        let code = code_of(SECRET, 1_000);
        for (step, good) in
            [(998, false), (999, true), (1_000, true), (1_001, true), (1_002, false)]
        {
            assert_eq!(step_of(SECRET, &code, step * STEP), good.then_some(1_000), "{step}");
        }
        assert_eq!(step_of(SECRET, "", 1_000 * STEP), None);
        assert_eq!(step_of(SECRET, &format!("{code} "), 1_000 * STEP), None);
    }

    #[test]
    fn a_secret_is_base32() {
        let text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(**secret(text).expect("a secret"), *SECRET);
        assert_eq!(**secret("gezd gnbv gy3t qojq gezd gnbv gy3t qojq").expect("a secret"), *SECRET);
        for wrong in ["", "GEZDGNBV", "0EZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"] {
            assert!(secret(wrong).is_none(), "{wrong}");
        }
    }
}
