//! Which managers of one origin take turns, and which of them share tokens.
//!
//! A manager has two names. **The turn** covers every manager that might set the same cookie: it is broad,
//! because waiting too often does no harm. **The share** covers identical managers: only they pass tokens on,
//! hear of each other's logout, and finish a pending one. A token never reaches a manager whose options would
//! send it elsewhere.
//! `browser/options.js` decides what is compared.

use super::digest::digest;
use super::tabs::PROTOCOL;
use super::text::{concat, push_digit};

/// The names of a manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Calls that set the cookie take turns under this name: the refresh endpoint's origin and path.
    pub(crate) turn: String,
    /// Identical managers share under this name. `None`: an option that would have to be compared is a
    /// function, and the app has chosen no name.
    pub(crate) share: Option<String>,
    /// The name under which the key for bound tokens is stored: a digest of the options that identify the
    /// refresh token, and of no others. The refresh token is bound to the key, too, and outlives a new
    /// version of the app.
    pub(crate) key: String,
}

impl Identity {
    /// The names of a manager. `turn` is the URL to take turns by. Of the other two only a digest is kept, because
    /// header fields among them may hold an API key.
    pub(crate) fn new(turn: &str, key: &str, share: Option<&str>) -> Self {
        let of = |text| hex(digest(&[text]));
        Self {
            turn: concat(&["tokenkeep ", turn]),
            share: share.map(|share| concat(&["tokenkeep ", PROTOCOL, " ", &of(share)])),
            key: concat(&["tokenkeep key ", &of(key)]),
        }
    }
}

/// A number in sixteen hexadecimal digits.
fn hex(number: u64) -> String {
    let mut digits = String::new();
    for at in (0..16).rev() {
        push_digit(&mut digits, number >> (4 * at) & 15);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_url_can_be_read_in_a_name() {
        let Identity { turn, share, key } = Identity::new("https://a.test/r", "secret", Some("s"));
        assert_eq!(turn, "tokenkeep https://a.test/r");
        assert_eq!(key, "tokenkeep key 1b87f472e3289983");
        assert_ne!(share, Identity::new("https://a.test/r", "secret", Some("t")).share);
        assert_eq!(Identity::new("https://a.test/r", "secret", None).share, None);
    }
}
