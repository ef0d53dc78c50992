//! A pending logout (rule 9): the server has not been told of it when the next page starts.
//!
//! Only a mark outlives the page: when the user signed out, and whether a later page can finish the logout.
//! It names no URL, because anyone who can write to the storage could then make the page call that URL.

use super::text::{concat, decimal, number};
use super::time::Now;

/// The stored mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When the user signed out, in milliseconds since the epoch.
    pub at: u64,
    /// Whether the option `logout` can finish it: it needs a cookie only, and no token of the closed page.
    pub can_be_finished: bool,
}

/// How long a mark is valid, in milliseconds: longer than refresh cookies live.
const LONGEST: u64 = 30 * 24 * 60 * 60 * 1000;

/// What a starting page does about the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// There is no mark.
    Nothing,
    /// Tell the server first; until then there is no session.
    Finish,
    /// There is no session, and the server can't be told: the user, or the app, signs in again.
    Untold,
    /// The user may have signed in since, by a redirect that no script of ours has seen. The server is not
    /// told, because that would end the new session; an explicit refresh may find it.
    InDoubt,
}

impl Mark {
    /// Parses the mark's text. An unreadable text still counts as a mark.
    pub fn read(text: &str, now: Now) -> Self {
        let (digits, can_be_finished) = match text.strip_suffix(" untold") {
            Some(digits) => (digits, false),
            None => (text, true),
        };
        Self { at: number(digits).unwrap_or(now.wall), can_be_finished }
    }

    /// The mark as a text.
    pub fn text(self) -> String {
        concat(&[&decimal(self.at), if self.can_be_finished { "" } else { " untold" }])
    }
}

/// Decides what to do about a mark. `has_endpoint`: whether the option `logout` is set; `may_be_sign_in`:
/// whether the page was reached by a redirect, or from another site.
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
    fn an_unreadable_mark_counts_as_set_now() {
        for text in ["", "POST https://evil.test/", "-1", "NaN", "1e9"] {
            assert_eq!(Mark::read(text, NOW), mark(0), "{text}");
        }
    }

    #[test]
    fn a_logout_is_finished_first_where_possible() {
        assert_eq!(owed(None, true, false, NOW), Owed::Nothing);
        assert_eq!(owed(Some(mark(0)), true, false, NOW), Owed::Finish);
        assert_eq!(owed(Some(mark(0)), false, false, NOW), Owed::Untold);
        let untold = Mark { can_be_finished: false, ..mark(0) };
        assert_eq!(owed(Some(untold), true, false, NOW), Owed::Untold);
    }

    #[test]
    fn a_pending_logout_ends_no_session_that_may_be_newer() {
        assert_eq!(owed(Some(mark(0)), true, true, NOW), Owed::InDoubt);
        assert_eq!(owed(Some(mark(0)), false, true, NOW), Owed::InDoubt);
    }

    #[test]
    fn a_logout_stays_pending_for_a_month() {
        assert_eq!(owed(Some(mark(LONGEST)), true, false, NOW), Owed::Finish);
        assert_eq!(owed(Some(mark(LONGEST + 1)), true, false, NOW), Owed::Nothing);
        let ahead = Mark { at: NOW.wall + LONGEST, ..mark(0) };
        assert_eq!(owed(Some(ahead), true, false, NOW), Owed::Finish, "the clock was set back");
    }
}
