//! Numbers that stand for texts: to compare what must not be kept, or is too long to keep.

/// A number for a list of texts (FNV-1a, 64 bits). Their borders count: `["ab", "c"]` is another list than
/// `["a", "bc"]`. The number is the same in every build, as `std`'s need not be: marks outlive builds.
pub(crate) fn digest(texts: &[&str]) -> u64 {
    texts.iter().fold(NONE, |digest, text| add(digest, text))
}

/// The number for no texts.
pub(crate) const NONE: u64 = 0xcbf2_9ce4_8422_2325;

/// The number for the same texts, and one more.
pub(crate) fn add(mut digest: u64, text: &str) -> u64 {
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
    fn other_texts_and_other_borders_are_another_number() {
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
        for other in [&["a", "bc"][..], &["abc"], &["ab", "c", ""], &["c", "ab"], &[]] {
            assert_ne!(digest(&["ab", "c"]), digest(other), "{other:?}");
        }
    }

    #[test]
    fn the_number_is_the_same_in_every_build() {
        assert_eq!(digest(&[]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(digest(&["a"]), 0x529a_4ddc_8ff5_6bbf);
    }
}
