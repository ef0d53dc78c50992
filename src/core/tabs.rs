//! What tabs of one origin tell each other, and which of it is news.
//!
//! The refresh cookie is one for all tabs, and the calls that set it are taken in turns. So the
//! outcomes of these calls have an order, and whatever came last is what the cookie is now. Each
//! outcome carries a [`Stamp`] that follows this order; what is older than the last outcome that a
//! tab knows of is no news to it.

use super::answer::Grant;
use super::time::Now;

/// The place of an outcome in the order of all outcomes: the wall clock of the machine, which the
/// tabs share, held to run forwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub u64);

/// How far the clock may have been set back between two tabs' messages, in milliseconds.
const SLACK: u64 = 24 * 60 * 60 * 1000;

impl Stamp {
    /// The stamp of something that happens now, after all that is known.
    pub(crate) fn after(self, now: Now) -> Stamp {
        self.next().max(Stamp(now.wall))
    }

    /// The stamp of what follows this, with nothing in between.
    pub(crate) fn next(self) -> Stamp {
        Stamp(self.0.saturating_add(1))
    }

    /// Whether a neighbour can have got this far by now. Tabs share the clock, so what claims to
    /// come from the future was not written by one of them.
    pub(crate) fn is_past(self, now: Now) -> bool {
        self.0 <= now.wall.saturating_add(SLACK)
    }

    /// The same, but not so far ahead that nothing could follow it.
    pub(crate) fn within_reach(self, now: Now) -> Stamp {
        Stamp(self.0.min(now.wall.saturating_add(SLACK)))
    }
}

/// A message between tabs.
#[derive(Clone, Debug)]
pub enum Message {
    /// Who has a token? Asked by a tab that begins.
    Ask,
    /// What has come about since? Asked by a tab that was away and has heard nothing.
    Missed {
        /// The last outcome that it knows of.
        since: Stamp,
        /// When its session began, or zero if it found it there.
        session: Stamp,
    },
    /// The session goes on with a new token.
    Renewed {
        /// When this came about.
        stamp: Stamp,
        /// When the session began, or zero if the sender found it there.
        session: Stamp,
        /// The token; its life is what remains of it.
        grant: Grant,
    },
    /// A new session began.
    Entered {
        /// When it began.
        stamp: Stamp,
        /// Its token, where tabs share one.
        grant: Option<Grant>,
    },
    /// The session was ended by its user.
    Left {
        /// When it was.
        stamp: Stamp,
    },
}
