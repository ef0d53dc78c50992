//! A token, as a type that cannot be printed and is wiped when it is dropped.

use std::fmt;

use zeroize::Zeroizing;

/// An access or refresh token. It has no `Display`, its `Debug` says nothing, and its memory is
/// zeroed when the last owner lets go.
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
    /// It holds something other than visible ASCII, so it cannot stand in a header field.
    Unprintable,
}

impl Unusable {
    /// The reason in words that follow "a token that …".
    pub fn reason(self) -> &'static str {
        match self {
            Self::Empty => "is empty",
            Self::TooLong => "is longer than 65536 bytes",
            Self::Unprintable => "holds spaces, line breaks or characters outside visible ASCII",
        }
    }
}

impl Secret {
    /// The longest token that is taken, in bytes: more than any server accepts in a header.
    pub const LONGEST: usize = 65_536;

    /// Takes a token as a server sent it. Any sequence of visible ASCII will do, be it a JWT or not:
    /// this covers `b64token` (RFC 6750, 2.1) and what servers send in its place.
    ///
    /// # Errors
    /// [`Unusable`], if it is empty, too long, or could not stand in a header field.
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

    /// The token itself. Whoever calls this is about to send it, and sends it nowhere else.
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
    fn what_cannot_stand_in_a_header_is_no_token() {
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
