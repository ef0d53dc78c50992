//! Digests of texts: to compare texts that must not be kept, or are too long to keep.

/// The digest of a list of texts (FNV-1a, 64 bits). Borders count: `["ab", "c"]` and `["a", "bc"]` differ.
/// The digest is the same in every build, which `std` does not promise: stored marks outlive builds.
pub(crate) fn digest(texts: &[&str]) -> u64 {
    texts.iter().fold(NONE, |digest, text| add(digest, text))
}

/// The digest of an empty list.
const NONE: u64 = 0xcbf2_9ce4_8422_2325;

/// The digest of the same list with one more text.
fn add(mut digest: u64, text: &str) -> u64 {
    let length = (text.len() as u64).to_le_bytes();
    for byte in length.iter().chain(text.as_bytes()) {
        digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_or_borders_give_different_digests() {
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
        for other in [&["a", "bc"][..], &["abc"], &["ab", "c", ""], &["c", "ab"], &[]] {
            assert_ne!(digest(&["ab", "c"]), digest(other), "{other:?}");
        }
    }

    #[test]
    fn the_digest_is_the_same_in_every_build() {
        assert_eq!(digest(&[]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest(&["a"]), 0x529a_4ddc_8ff5_6bbf);
    }
}
