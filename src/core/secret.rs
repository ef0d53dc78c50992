//! A token, as a type that cannot be printed and is wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// An access or refresh token. It has no `Display`, its `Debug` shows nothing of it, and its memory is zeroed
/// when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

/// Why a string cannot be a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unusable {
    /// It is empty.
    Empty,
    /// It is longer than [`Secret::LONGEST`] bytes.
    TooLong,
    /// It contains something other than visible ASCII, which a header field cannot carry.
    Unprintable,
}

impl Unusable {
    /// The reason, in words that complete "a token that …".
    pub fn reason(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::TooLong => "is longer than 65536 bytes",
            Self::Unprintable => "holds spaces, line breaks or characters outside visible ASCII",
        }
    }
}

impl Secret {
    /// The longest accepted token, in bytes: more than any server accepts in a header.
    pub const LONGEST: usize = 65_536;

    /// Accepts a token as a server sent it. Any sequence of visible ASCII is valid, JWT or not: this includes
    /// `b64token` (RFC 6750, 2.1) and what servers send in its place.
    ///
    /// # Errors
    /// [`Unusable`], if it is empty, too long, or invalid in a header field.
    pub fn new(text: String) -> Result<Self, Unusable> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            Err(Unusable::Empty)
        } else if text.len() > Self::LONGEST {
            Err(Unusable::TooLong)
        } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Err(Unusable::Unprintable)
        } else {
            Ok(Self(text))
        }
    }

    /// The token itself. Callers are about to send it, and use it for nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_printed() {
        let token = Secret::new("s3cr3t.t0ken".into()).unwrap();
        assert_eq!(format!("{token:?}"), "Secret(…)");
    }

    #[test]
    fn opaque_strings_are_tokens() {
        for text in ["x", "a.b.c", "ya29.A0-_~+/==", "{\"json\":1}"] {
            assert_eq!(Secret::new(text.into()).unwrap().reveal(), text);
        }
    }

    #[test]
    fn a_string_that_is_invalid_in_a_header_is_not_a_token() {
        assert_eq!(Secret::new(String::new()), Err(Unusable::Empty));
        for text in ["a b", "a\r\nX-Evil: 1", "a\n", "tab\t", "gr\u{fc}n", "\u{0}", "\u{7f}"] {
            assert_eq!(Secret::new(text.into()), Err(Unusable::Unprintable), "{text:?}");
        }
        assert_eq!(Secret::new("a".repeat(1 << 20)), Err(Unusable::TooLong));
        assert!(Secret::new("a".repeat(Secret::LONGEST)).is_ok());
    }

    #[test]
    fn the_reason_says_what_is_wrong_with_a_token() {
        for (unusable, words) in [
            (Unusable::Empty, "empty"),
            (Unusable::TooLong, "longer than 65536 bytes"),
            (Unusable::Unprintable, "visible ASCII"),
        ] {
            assert!(unusable.reason().contains(words), "{unusable:?}");
        }
    }
}
