//! What tabs of one origin tell each other, and which of it is news.
//!
//! The refresh cookie is one for all tabs, and the calls that set it are taken in turns. So the
//! outcomes of these calls have an order, and whatever came last is what the cookie is now. Each
//! outcome carries a [`HybridTime`] that follows this order; what is older than the last outcome that a
//! tab knows of is no news to it.

use super::answer::TokenResponse;
use super::time::Now;

/// The form of the messages, as a part of the channel's name: packages of other forms never meet.
pub(crate) const PROTOCOL: &str = "2";

/// A timestamp of a hybrid logical clock (Kulkarni and others, 2014): the place of an outcome in the order
/// of all outcomes. It is the wall clock of the machine, which the tabs share, held to run forwards: what
/// follows an outcome is at least one millisecond later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HybridTime(pub u64);

/// How far a tab may be ahead of the clock and of what is known, in milliseconds: the clock may have been
/// set back between two tabs' outcomes.
const SLACK: u64 = 24 * 60 * 60 * 1000;
/// How far a time may be ahead to be believed at all, in milliseconds: ten years. Something can still
/// follow it then.
const REACH: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

impl HybridTime {
    /// The time of something that happens now, after all that is known.
    pub(crate) fn after(self, now: Now) -> HybridTime {
        self.next().max(HybridTime(now.wall))
    }

    /// The time of what follows this, with nothing in between.
    pub(crate) fn next(self) -> HybridTime {
        HybridTime(self.0.saturating_add(1))
    }

    /// Whether another tab can have got this far by now. Tabs share the clock, so what claims to come
    /// from the future was not written by one of them, unless the clock was set back: `known` is how
    /// far this tab had got by then.
    pub(crate) fn is_past(self, known: HybridTime, now: Now) -> bool {
        self.0 <= now.wall.max(known.0).saturating_add(SLACK)
    }

    /// The same, but not so far ahead that nothing could follow it.
    pub(crate) fn within_reach(self, known: HybridTime, now: Now) -> HybridTime {
        HybridTime(self.0.min(now.wall.max(known.0).saturating_add(SLACK)))
    }

    /// Whether it can be a place in the order at all.
    pub(crate) fn is_believable(self, now: Now) -> bool {
        self.0 <= now.wall.saturating_add(REACH)
    }
}

/// A message between tabs.
#[derive(Clone, Debug)]
pub enum Message {
    /// Who has a token? Asked by a tab that begins.
    Ask,
    /// There is a tab, which has no token to give.
    Here,
    /// What has come about since? Asked by a tab that was away and has heard nothing.
    Missed {
        /// The last outcome that it knows of.
        since: HybridTime,
        /// When its session began, or zero if it found it there.
        session: HybridTime,
    },
    /// The session goes on with a new token.
    Renewed {
        /// When this came about.
        stamp: HybridTime,
        /// When the session began, or zero if the sender found it there.
        session: HybridTime,
        /// When the refresh that brought the token was sent; zero if it came another way.
        asked: HybridTime,
        /// The token; its life is what remains of it.
        tokens: TokenResponse,
    },
    /// A new session began.
    Entered {
        /// When it began.
        stamp: HybridTime,
        /// Whose it is, as a number to compare, if the token says so.
        subject: Option<u64>,
        /// Its token, where tabs share one.
        tokens: Option<TokenResponse>,
    },
    /// The server refused to renew the session: who waits to ask the same need not.
    Refused {
        /// When it did.
        stamp: HybridTime,
        /// When the session began, or zero if the sender found it there.
        session: HybridTime,
        /// When the refresh was sent that was refused.
        asked: HybridTime,
    },
    /// The session was ended by its user.
    Left {
        /// When it was.
        stamp: HybridTime,
    },
}

impl Message {
    /// The place of the outcome that it tells of, unless that is a logout: one is heeded whenever it was.
    pub(crate) fn stamp(&self) -> Option<HybridTime> {
        match self {
            Self::Renewed { stamp, .. }
            | Self::Entered { stamp, .. }
            | Self::Refused { stamp, .. } => Some(*stamp),
            Self::Ask | Self::Here | Self::Missed { .. } | Self::Left { .. } => None,
        }
    }
}
