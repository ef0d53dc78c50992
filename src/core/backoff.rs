//! The back-off after an outage: how long no refresh is sent (rule 8).
//!
//! Exponential back-off with full jitter, so that a thousand pages that failed together do not retry
//! together, and `Retry-After` (RFC 9110, 10.2.3) if the server names a time.

use super::failure::Failure;
use super::time::Now;

/// The first ceiling of the backoff, in milliseconds; it doubles with each failure.
const BASE: u64 = 1_000;
/// The highest ceiling of the backoff, in milliseconds.
const CEILING: u64 = 60_000;
/// The shortest pause, in milliseconds, whatever the jitter: a storm of calls within one turn stays one call.
const FLOOR: u64 = 100;
/// The longest `Retry-After` that is accepted, in milliseconds: a server's mistake must not lock a page for a
/// year.
const LONGEST: u64 = 60 * 60 * 1000;

/// The delay that the server asked for, in milliseconds from its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub u64);

/// Reads `Retry-After`. `seconds`: the field's value, if it is a number of seconds; `date`: the value in
/// milliseconds since the epoch, if it is an HTTP date; `served`: the answer's own `Date` or, if that is
/// hidden, the local clock. A time in the past is ignored.
pub fn retry_after(seconds: Option<f64>, date: Option<f64>, served: f64) -> Option<RetryAfter> {
    let ms = match (seconds, date) {
        (Some(seconds), _) => seconds * 1000.0,
        (None, Some(date)) => date - served,
        (None, None) => return None,
    };
    (ms.is_finite() && ms > 0.0).then(|| RetryAfter((ms as u64).min(LONGEST)))
}

/// The backoff after a failed refresh.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    pause: Option<Pause>,
}

#[derive(Debug)]
struct Pause {
    since: Now,
    /// For callers who do not ask explicitly: the back-off or the server's `Retry-After`, whichever is
    /// longer.
    length: u64,
    retry_after: u64,
    failure: Failure,
}

impl Backoff {
    /// Records a failed refresh. `chance` is uniform in `0.0..1.0`.
    pub fn failed(&mut self, failure: Failure, named: Option<RetryAfter>, chance: f64, now: Now) {
        let ceiling = CEILING.min(BASE << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let retry_after = named.map_or(0, |RetryAfter(ms)| ms);
        let length = ((ceiling as f64 * chance) as u64).max(FLOOR).max(retry_after);
        self.pause = Some(Pause { since: now, length, retry_after, failure });
    }

    /// Ends the pause: a refresh was answered, or a new session began.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Milliseconds until callers who do not ask explicitly may refresh again.
    pub fn remaining(&self, now: Now) -> u64 {
        self.pause.as_ref().map_or(0, |pause| pause.length.saturating_sub(now.since(pause.since)))
    }

    /// The failure that a caller gets at once while the pause lasts. An explicit call skips the back-off, but
    /// not the server's `Retry-After`.
    pub fn holds(&self, explicit: bool, now: Now) -> Option<Failure> {
        let pause = self.pause.as_ref()?;
        let length = if explicit { pause.retry_after } else { pause.length };
        (now.since(pause.since) < length).then_some(pause.failure)
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::{Code, Step};
    use super::*;

    fn at(ms: u64) -> Now {
        Now { wall: 1_000_000 + ms, steady: ms }
    }

    fn outage() -> Failure {
        Failure::new(Code::Network, Step::Refresh)
    }

    #[test]
    fn the_pause_doubles_up_to_a_minute_and_a_success_ends_it() {
        let mut backoff = Backoff::default();
        for ceiling in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            backoff.failed(outage(), None, 0.999_999, at(0));
            assert!(backoff.holds(false, at(ceiling - 2)).is_some(), "{ceiling}");
            assert!(backoff.holds(false, at(ceiling)).is_none(), "{ceiling}");
        }
        backoff.reset();
        assert!(backoff.holds(false, at(0)).is_none());
        backoff.failed(outage(), None, 0.5, at(0));
        assert!(backoff.holds(false, at(500)).is_none());
    }

    #[test]
    fn jitter_spreads_the_pause_over_the_whole_ceiling_but_not_below_the_floor() {
        let mut backoff = Backoff::default();
        backoff.failed(outage(), None, 0.0, at(0));
        assert_eq!(backoff.holds(false, at(FLOOR - 1)), Some(outage()));
        assert_eq!(backoff.holds(false, at(FLOOR)), None);
    }

    #[test]
    fn an_explicit_refresh_skips_the_backoff_but_not_retry_after() {
        let mut backoff = Backoff::default();
        backoff.failed(outage(), None, 0.9, at(0));
        assert!(backoff.holds(true, at(0)).is_none());
        backoff.failed(outage(), Some(RetryAfter(5_000)), 0.0, at(0));
        assert!(backoff.holds(true, at(4_999)).is_some());
        assert!(backoff.holds(false, at(4_999)).is_some());
        assert!(backoff.holds(true, at(5_000)).is_none());
    }

    #[test]
    fn retry_after_is_read_in_both_forms_and_limited() {
        assert_eq!(retry_after(Some(3.0), None, 0.0), Some(RetryAfter(3_000)));
        assert_eq!(retry_after(None, Some(90_000.0), 60_000.0), Some(RetryAfter(30_000)));
        assert_eq!(retry_after(Some(1e12), None, 0.0), Some(RetryAfter(3_600_000)), "an hour");
        for nothing in [Some(0.0), Some(-1.0), Some(f64::NAN), None] {
            assert_eq!(retry_after(nothing, None, 0.0), None, "{nothing:?}");
        }
        assert_eq!(retry_after(None, Some(1.0), 2.0), None);
    }

    #[test]
    fn a_clock_set_back_does_not_prolong_the_pause() {
        let mut backoff = Backoff::default();
        backoff.failed(outage(), Some(RetryAfter(1_000)), 0.0, Now { wall: 9_000_000, steady: 0 });
        assert!(backoff.holds(false, Now { wall: 0, steady: 1_000 }).is_none());
    }
}
