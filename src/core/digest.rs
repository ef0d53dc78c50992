//! Numbers that stand for texts: to compare what must not be kept, or is too long to keep.

use std::hash::{DefaultHasher, Hasher as _};

/// A number for a list of texts. Their borders count: `["ab", "c"]` is another list than `["a", "bc"]`.
pub(crate) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for text in texts {
        hasher.write(&(text.len() as u64).to_le_bytes());
        hasher.write(text.as_bytes());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_texts_and_other_borders_are_another_number() {
        assert_eq!(digest(["ab", "c"]), digest(["ab", "c"]));
        for other in [&["a", "bc"][..], &["abc"], &["ab", "c", ""], &["c", "ab"], &[]] {
            assert_ne!(digest(["ab", "c"]), digest(other.iter().copied()), "{other:?}");
        }
    }
}
