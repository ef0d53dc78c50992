//! A logout that the server has not been told of (rule 9), when the next page begins.
//!
//! All that outlives a page is a mark: when it was, and whether a page that comes later can finish it.
//! It names no URL, for whoever can write to the storage could have the page call it.

use super::text::{concat, decimal};
use super::time::Now;

/// The mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When the user signed out, in milliseconds since the epoch.
    pub at: u64,
    /// Whether the option `logout` can finish it: with a cookie, and no token of the page that is gone.
    pub can_be_finished: bool,
}

/// How long a mark counts, in milliseconds: longer than refresh cookies live.
const LONGEST: u64 = 30 * 24 * 60 * 60 * 1000;

/// What a page that begins makes of the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// There is none.
    Nothing,
    /// The server is told first; until then there is no session.
    Finish,
    /// There is no session, and the server can't be told: the user, or the app, signs in again.
    Untold,
    /// There may have been a sign-in since, by a redirect that no script of ours has seen. The
    /// server is not told, for that would end the new session; an explicit refresh may find it.
    InDoubt,
}

impl Mark {
    /// Reads the mark's text. One that cannot be read is a mark still.
    pub fn read(text: &str, now: Now) -> Self {
        let (digits, can_be_finished) = match text.strip_suffix(" untold") {
            Some(digits) => (digits, false),
            None => (text, true),
        };
        Self { at: digits.parse().unwrap_or(now.wall), can_be_finished }
    }

    /// The mark as a text.
    pub fn text(self) -> String {
        concat(&[&decimal(self.at), if self.can_be_finished { "" } else { " untold" }])
    }
}

/// Decides what becomes of a mark. `has_endpoint`: whether there is the option `logout`;
/// `may_be_sign_in`: whether the page was come to by a redirect, or from another site.
pub fn owed(mark: Option<Mark>, has_endpoint: bool, may_be_sign_in: bool, now: Now) -> Owed {
    match mark {
        None => Owed::Nothing,
        Some(mark) if now.wall.saturating_sub(mark.at) > LONGEST => Owed::Nothing,
        Some(_) if may_be_sign_in => Owed::InDoubt,
        Some(mark) if mark.can_be_finished && has_endpoint => Owed::Finish,
        Some(_) => Owed::Untold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { wall: 1_700_000_000_000, steady: 5 };

    fn mark(age: u64) -> Mark {
        Mark { at: NOW.wall - age, can_be_finished: true }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_names_no_url() {
        for can_be_finished in [false, true] {
            let mark = Mark { can_be_finished, ..mark(7) };
            assert_eq!(Mark::read(&mark.text(), NOW), mark);
            assert!(!mark.text().contains('/'));
        }
    }

    #[test]
    fn a_mark_that_cannot_be_read_is_one_of_now() {
        for text in ["", "POST https://evil.test/", "-1", "NaN", "1e9"] {
            assert_eq!(Mark::read(text, NOW), mark(0), "{text}");
        }
    }

    #[test]
    fn a_logout_is_finished_first_where_that_can_be_done() {
        assert_eq!(owed(None, true, false, NOW), Owed::Nothing);
        assert_eq!(owed(Some(mark(0)), true, false, NOW), Owed::Finish);
        assert_eq!(owed(Some(mark(0)), false, false, NOW), Owed::Untold);
        let untold = Mark { can_be_finished: false, ..mark(0) };
        assert_eq!(owed(Some(untold), true, false, NOW), Owed::Untold);
    }

    #[test]
    fn a_logout_ends_no_session_that_may_be_newer() {
        assert_eq!(owed(Some(mark(0)), true, true, NOW), Owed::InDoubt);
        assert_eq!(owed(Some(mark(0)), false, true, NOW), Owed::InDoubt);
    }

    #[test]
    fn a_logout_is_owed_for_a_month() {
        assert_eq!(owed(Some(mark(LONGEST)), true, false, NOW), Owed::Finish);
        assert_eq!(owed(Some(mark(LONGEST + 1)), true, false, NOW), Owed::Nothing);
        let ahead = Mark { at: NOW.wall + LONGEST, ..mark(0) };
        assert_eq!(owed(Some(ahead), true, false, NOW), Owed::Finish, "the clock was set back");
    }
}
