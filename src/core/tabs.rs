//! The messages between the tabs of one origin, and which of them are news.
//!
//! All tabs have the same refresh cookie, and the calls that set it take turns. So the outcomes of these
//! calls are ordered, and the last outcome determines the cookie's current value. Each outcome carries a
//! [`HybridTime`] that follows this order; an outcome that is older than the last one a tab knows is no news
//! to that tab.

use super::answer::TokenResponse;
use super::time::Now;

/// The lifetime, in milliseconds, that is left of a token in a message. `life` was left when the message was sent,
/// `at` by the wall clock, which the tabs share; the receiver may have slept since. It is at least 1: without a
/// lifetime, an expired token would be taken for a token of unknown lifetime.
pub(crate) fn life_left(life: f64, at: f64, now: Now) -> u64 {
    let age = now.wall as f64 - at;
    // The sender's clock may be patched. Without an age, the token counts as old.
    if age.is_nan() { 1 } else { (life - age.max(0.0)).max(1.0) as u64 }
}

/// The version of the message format, as a part of the channel's name: builds with different formats never
/// exchange messages.
pub(crate) const PROTOCOL: &str = "2";

/// A timestamp of a hybrid logical clock (Kulkarni and others, 2014): the position of an outcome in the order
/// of all outcomes. It is the machine's wall clock, which the tabs share, forced to increase: an outcome is
/// at least one millisecond later than the one before.
///
/// A token that came with the answer to a request is not an outcome. Its timestamp lies within the millisecond
/// of the last outcome, so the next outcome is later in every tab, even if the clock has been set back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HybridTime(pub u64);

/// The unit of a timestamp is this part of a millisecond. With it, a JavaScript number holds a timestamp in
/// milliseconds exactly.
const PARTS: u64 = 1024;
/// The largest number that a message may contain: JavaScript's `Number.MAX_SAFE_INTEGER`.
const LARGEST: f64 = 9_007_199_254_740_991.0;
/// How far another tab's timestamp may be ahead of the clock and of the known timestamps, in milliseconds:
/// the clock may have been set back between two tabs' outcomes.
const SLACK: u64 = 24 * 60 * 60 * 1000;
/// How far ahead a timestamp may be to be believed at all, in milliseconds: ten years. That leaves room for
/// later timestamps.
const REACH: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

impl HybridTime {
    /// The timestamp of a time of the wall clock, in milliseconds since the epoch.
    pub fn at(wall: u64) -> HybridTime {
        HybridTime(wall.saturating_mul(PARTS))
    }

    /// From the form in messages: milliseconds, with a fraction.
    pub(crate) fn from_number(number: f64) -> Option<HybridTime> {
        (0.0..=LARGEST).contains(&number).then_some(HybridTime((number * PARTS as f64) as u64))
    }

    /// See [`HybridTime::from_number`].
    pub(crate) fn number(self) -> f64 {
        self.0 as f64 / PARTS as f64
    }

    /// The timestamp of an outcome that happens now, after all known outcomes.
    pub(crate) fn after(self, now: Now) -> HybridTime {
        HybridTime::at(self.0 / PARTS).later(1).max(HybridTime::at(now.wall))
    }

    /// The next timestamp, with no outcome in between.
    pub(crate) fn next(self) -> HybridTime {
        HybridTime(self.0.saturating_add(1))
    }

    /// Whether another tab can have reached this timestamp by now. Tabs share the clock, so none of them
    /// writes a timestamp from the future, unless the clock was set back: `known` is the latest timestamp of
    /// this tab.
    pub(crate) fn is_past(self, known: HybridTime, now: Now) -> bool {
        self <= HybridTime::at(now.wall).max(known).later(SLACK)
    }

    /// The same timestamp, limited so that later ones remain possible.
    pub(crate) fn within_reach(self, known: HybridTime, now: Now) -> HybridTime {
        self.min(HybridTime::at(now.wall).max(known).later(SLACK))
    }

    /// Whether the timestamp is possible at all.
    pub(crate) fn is_believable(self, now: Now) -> bool {
        self <= HybridTime::at(now.wall).later(REACH)
    }

    /// The timestamp this many milliseconds later.
    fn later(self, ms: u64) -> HybridTime {
        HybridTime(self.0.saturating_add(HybridTime::at(ms).0))
    }
}

/// A message between tabs.
#[derive(Clone, Debug)]
pub enum Message {
    /// Which tab has a token? A starting tab asks.
    Ask,
    /// There is a tab, but it has no token to give.
    Here,
    /// What happened since? A tab asks that was away and heard nothing.
    Missed {
        /// The last outcome that the asking tab knows.
        since: HybridTime,
        /// When its session began, or zero if the tab found the session.
        session: HybridTime,
    },
    /// The session goes on with a new token.
    Renewed {
        /// When it was renewed.
        stamp: HybridTime,
        /// When the session began, or zero if the sender found it.
        session: HybridTime,
        /// When the refresh that brought the token was sent; zero if the token came another way.
        asked: HybridTime,
        /// The token, with its remaining lifetime.
        tokens: TokenResponse,
    },
    /// A new session began.
    Entered {
        /// When it began.
        stamp: HybridTime,
        /// The user, as a number for comparisons, if the token names one.
        subject: Option<u64>,
        /// The token, if tabs share tokens.
        tokens: Option<TokenResponse>,
    },
    /// The server refused to renew the session: tabs that wait to ask the same need not.
    Refused {
        /// When the server refused.
        stamp: HybridTime,
        /// When the session began, or zero if the sender found it.
        session: HybridTime,
        /// When the refused refresh was sent.
        asked: HybridTime,
    },
    /// The user ended the session.
    Left {
        /// When the user signed out.
        stamp: HybridTime,
    },
}

impl Message {
    /// The timestamp of the outcome in this message. `None` for a logout: a logout counts whenever it
    /// happened.
    pub(crate) fn stamp(&self) -> Option<HybridTime> {
        match self {
            Self::Renewed { stamp, .. }
            | Self::Entered { stamp, .. }
            | Self::Refused { stamp, .. } => Some(*stamp),
            Self::Ask | Self::Here | Self::Missed { .. } | Self::Left { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_message_has_aged_since_it_was_sent() {
        let now = Now { wall: 10_000, steady: 0 };
        assert_eq!(life_left(60_000.0, 4_000.0, now), 54_000);
        assert_eq!(life_left(60_000.0, 20_000.0, now), 60_000, "the clock was set back");
        let odd = [(-5.0, 10_000.0), (f64::NAN, 0.0), (60_000.0, f64::NAN), (60_000.0, -1e300)];
        for (life, at) in [(1_000.0, 0.0)].into_iter().chain(odd) {
            assert_eq!(life_left(life, at, now), 1, "{life} {at}");
        }
    }

    #[test]
    fn a_timestamp_is_a_number_that_javascript_counts_exactly() {
        for wrong in [-1.0, f64::NAN, f64::INFINITY, LARGEST * 2.0] {
            assert_eq!(HybridTime::from_number(wrong), None, "{wrong}");
        }
        for right in [0.0, 1.5, LARGEST] {
            assert_eq!(HybridTime::from_number(right).map(HybridTime::number), Some(right));
        }
    }
}
