//! A password or a token: it cannot be printed, is wiped when dropped, and is available only through
//! `expose`.

use std::fmt;

use zeroize::Zeroizing;

#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. Search for this name to see every place where a secret goes.
    pub fn expose(&self) -> &str {
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
    use super::Secret;

    #[test]
    fn a_secret_is_not_in_its_debug_form() {
        let shown = format!("{:?}", Some(Secret::new("wonderland".into())));
        assert_eq!(shown, "Some(Secret(…))");
    }
}
