//! When a token ends, independent of how the local clock is set.
//!
//! Expiry is a duration counted from the moment of receipt, never a point on the server's clock, so a local
//! clock that is a day off changes nothing. Two clocks count the duration: the wall clock runs while a laptop
//! sleeps, and the steady clock cannot be set back. The clock that has advanced further counts: to refresh
//! too early is harmless, to keep a dead token is not.

/// A moment, as two clocks show it, both in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The wall clock, since the epoch, as `Date.now()` (ECMA-262, 21.4.3.1). It may jump either way.
    pub wall: u64,
    /// A clock that never goes back, as `performance.now()` (High Resolution Time, 7). It may stand still
    /// while the machine sleeps.
    pub steady: u64,
}

impl Now {
    /// Milliseconds since `earlier`, by the clock that has advanced further.
    pub fn since(self, earlier: Now) -> u64 {
        let wall = self.wall.saturating_sub(earlier.wall);
        let steady = self.steady.saturating_sub(earlier.steady);
        wall.max(steady)
    }
}

/// Longer than any token lives (ten years, in milliseconds): limits the effect of a hostile number.
const LONGEST: u64 = 10 * 365 * 24 * 60 * 60 * 1000;

/// The largest default margin before the end, in milliseconds. A tenth of the lifetime applies if that is
/// less.
const DEFAULT_MARGIN: u64 = 30_000;

/// The smallest number that counts as milliseconds since the epoch. As seconds it is the year 5138, as
/// milliseconds 1973: no token ends at either.
const LEAST_MS: f64 = 1e11;

/// What a server said about how long a token lives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Life {
    /// `expires_in`, in seconds (RFC 6749, 5.1). Some servers send fractions.
    pub expires_in: Option<f64>,
    /// The end as a time since the epoch on the server's clock: in seconds, or in milliseconds if it is too
    /// large for seconds.
    pub expires_at: Option<f64>,
    /// The claim `iat`, in seconds since the epoch (RFC 7519, 4.1.6).
    pub iat: Option<f64>,
    /// The claim `exp`, in seconds since the epoch (RFC 7519, 4.1.4).
    pub exp: Option<f64>,
    /// The answer's `Date`, in milliseconds since the epoch (RFC 9110, 6.6.1).
    pub date: Option<f64>,
}

/// A token's lifetime in milliseconds, or `None` if nothing usable was said.
///
/// The sources in order: `expires_in`; `expires_at` minus the server's own `Date`, else minus `iat`, else
/// minus the local clock; `exp - iat`; `exp` minus the `Date`, else minus the local clock. A result that is
/// not a positive number is skipped. If none remains, only the API's 401 tells that the token has ended.
pub fn life(known: &Life, received: Now) -> Option<u64> {
    let exp = known.exp.map(|exp| exp * 1000.0);
    let iat = known.iat.map(|iat| iat * 1000.0);
    let at = known.expires_at.map(|at| if at < LEAST_MS { at * 1000.0 } else { at });
    let local = Some(received.wall as f64);
    let until = |end: Option<f64>, now: Option<f64>| end.zip(now).map(|(end, now)| end - now);
    [
        known.expires_in.map(|seconds| seconds * 1000.0),
        until(at, known.date.or(iat).or(local)),
        until(exp, iat),
        until(exp, known.date),
        until(exp, local),
    ]
    .into_iter()
    .flatten()
    .find(|ms| ms.is_finite() && *ms >= 1.0)
    .map(|ms| (ms as u64).min(LONGEST))
}

/// How close a token is to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It can be sent.
    Good,
    /// Still good, but so near its end that it is better renewed first.
    Ending,
    /// Past its end: sending it would certainly get a 401.
    Ended,
}

/// A token's lifetime, counted from its receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiry {
    received: Now,
    life: Option<u64>,
    margin: u64,
}

impl Expiry {
    /// `before`: the user's `refreshBefore` in milliseconds. It is limited to half of the lifetime; otherwise
    /// every call with a short-lived token would refresh.
    pub(crate) fn new(received: Now, life: Option<u64>, before: Option<u64>) -> Self {
        // A lifetime from another tab has not passed through `life`.
        let life = life.map(|life| life.min(LONGEST));
        let whole = life.unwrap_or(0);
        let margin =
            before.map_or_else(|| DEFAULT_MARGIN.min(whole / 10), |before| before.min(whole / 2));
        Self { received, life, margin }
    }

    pub(crate) fn validity(&self, now: Now) -> Validity {
        let Some(life) = self.life else { return Validity::Good };
        let age = now.since(self.received);
        if age >= life {
            Validity::Ended
        } else if age >= life - self.margin {
            Validity::Ending
        } else {
            Validity::Good
        }
    }

    /// Milliseconds since the token was received.
    pub(crate) fn age(&self, now: Now) -> u64 {
        now.since(self.received)
    }

    /// Milliseconds until the early renewal is due: within the first half of the margin, so that it finishes
    /// before the end. `chance` picks the moment, so that many tabs don't ask together.
    pub(crate) fn until_renewal(&self, chance: f64, now: Now) -> Option<u64> {
        let due = self.life? - self.margin + (self.margin as f64 / 2.0 * chance) as u64;
        Some(due.saturating_sub(now.since(self.received)))
    }

    /// The end on the local wall clock, in milliseconds since the epoch.
    pub(crate) fn at(&self) -> Option<u64> {
        Some(self.received.wall + self.life?)
    }

    /// The remaining lifetime, in milliseconds.
    pub(crate) fn remaining(&self, now: Now) -> Option<u64> {
        Some(self.life?.saturating_sub(now.since(self.received)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Now = Now { wall: 1_700_000_000_000, steady: 5_000 };

    fn later(ms: u64) -> Now {
        Now { wall: NOON.wall + ms, steady: NOON.steady + ms }
    }

    #[test]
    fn expires_in_takes_precedence_over_the_claims() {
        let known = Life {
            expires_in: Some(6.5),
            expires_at: Some(1e9),
            iat: Some(0.0),
            exp: Some(60.0),
            date: None,
        };
        assert_eq!(life(&known, NOON), Some(6_500));
    }

    #[test]
    fn the_claims_are_compared_with_each_other_not_with_the_local_clock() {
        let known = Life { iat: Some(100.0), exp: Some(400.0), ..Life::default() };
        assert_eq!(life(&known, NOON), Some(300_000));
    }

    #[test]
    fn without_iat_the_servers_date_replaces_the_local_clock() {
        let known = Life { exp: Some(400.0), date: Some(390_000.0), ..Life::default() };
        assert_eq!(life(&known, NOON), Some(10_000));
    }

    #[test]
    fn an_absolute_end_is_in_seconds_or_milliseconds() {
        // The server's clock is a day ahead.
        let date = Some(1_700_086_400_000.0);
        for at in [1_700_086_700.0, 1_700_086_700_000.0] {
            let known = Life { expires_at: Some(at), date, ..Life::default() };
            assert_eq!(life(&known, NOON), Some(300_000), "{at}");
        }
        let known = Life { expires_at: Some(99_999_999_999.0), date, ..Life::default() };
        assert_eq!(life(&known, NOON), Some(LONGEST), "seconds, up to here");
        let known = Life { expires_at: Some(LEAST_MS), date, ..Life::default() };
        assert_eq!(life(&known, NOON), None, "milliseconds, long ago");
    }

    #[test]
    fn without_a_date_the_absolute_end_is_compared_with_the_time_of_issue() {
        let at = Some(1_700_086_700.0);
        let iat = Some(1_700_086_400.0);
        let known = Life { expires_at: at, iat, exp: Some(2e9), ..Life::default() };
        assert_eq!(life(&known, NOON), Some(300_000));
        let known = Life { expires_at: at, ..Life::default() };
        assert_eq!(life(&known, NOON), Some(86_700_000), "or else against the local clock");
    }

    #[test]
    fn an_absolute_end_in_the_past_gives_way_to_the_claims() {
        let known = Life {
            expires_at: Some(1_600_000_000.0),
            exp: Some(1_700_000_060.0),
            ..Life::default()
        };
        assert_eq!(life(&known, NOON), Some(60_000));
    }

    #[test]
    fn a_lifetime_that_is_not_a_positive_number_is_ignored() {
        for odd in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0004] {
            let known = Life { expires_in: Some(odd), ..Life::default() };
            assert_eq!(life(&known, NOON), None, "{odd}");
            let known = Life { exp: Some(odd), ..Life::default() };
            assert_eq!(life(&known, NOON), None, "{odd}");
        }
    }

    #[test]
    fn a_huge_lifetime_is_cut_to_ten_years() {
        let known = Life { expires_in: Some(1e300), ..Life::default() };
        assert_eq!(life(&known, NOON), Some(315_360_000_000));
    }

    #[test]
    fn a_wall_clock_set_back_does_not_prolong_a_lifetime() {
        let expiry = Expiry::new(NOON, Some(10_000), None);
        let set_back = Now { wall: NOON.wall - 86_400_000, steady: NOON.steady + 10_000 };
        assert_eq!(expiry.validity(set_back), Validity::Ended);
    }

    #[test]
    fn sleep_that_stops_the_steady_clock_counts() {
        let expiry = Expiry::new(NOON, Some(10_000), None);
        let woken = Now { wall: NOON.wall + 3_600_000, steady: NOON.steady + 5 };
        assert_eq!(expiry.validity(woken), Validity::Ended);
    }

    #[test]
    fn the_margin_is_a_tenth_or_thirty_seconds_whichever_is_less() {
        let short = Expiry::new(NOON, Some(10_000), None);
        assert_eq!(short.validity(later(8_999)), Validity::Good);
        assert_eq!(short.validity(later(9_000)), Validity::Ending);
        assert_eq!(short.validity(later(9_999)), Validity::Ending);
        assert_eq!(short.validity(later(10_000)), Validity::Ended);
        let long = Expiry::new(NOON, Some(3_600_000), None);
        assert_eq!(long.until_renewal(0.0, NOON), Some(3_570_000));
    }

    #[test]
    fn a_renewal_is_due_in_the_first_half_of_the_margin_for_any_lifetime() {
        for life in [1_000, 60_000, 600_000, 3_600_000, 86_400_000, LONGEST] {
            let expiry = Expiry::new(NOON, Some(life), None);
            let begins = life - DEFAULT_MARGIN.min(life / 10);
            for chance in [0.0, 0.25, 0.5, 0.999_999] {
                let due = expiry.until_renewal(chance, NOON).unwrap();
                assert!((begins..=begins + (life - begins) / 2).contains(&due), "{life} {chance}");
                assert_eq!(expiry.validity(later(due)), Validity::Ending, "{life} {chance}");
            }
        }
        let expiry = Expiry::new(NOON, Some(3_600_000), None);
        assert_eq!(expiry.until_renewal(0.5, NOON), Some(3_577_500));
        assert_eq!(expiry.until_renewal(0.5, later(3_577_000)), Some(500));
        assert_eq!(expiry.until_renewal(0.5, later(3_580_000)), Some(0));
    }

    #[test]
    fn a_margin_longer_than_the_lifetime_is_cut_to_half_of_it() {
        let expiry = Expiry::new(NOON, Some(4_000), Some(60_000));
        assert_eq!(expiry.validity(later(1_999)), Validity::Good);
        assert_eq!(expiry.validity(later(2_000)), Validity::Ending);
    }

    #[test]
    fn a_huge_lifetime_from_another_tab_is_cut_too() {
        let expiry = Expiry::new(NOON, Some(u64::MAX), None);
        assert_eq!(expiry.at(), Some(NOON.wall + LONGEST));
    }

    #[test]
    fn a_token_without_a_known_end_counts_as_good() {
        let expiry = Expiry::new(NOON, None, Some(60_000));
        assert_eq!(expiry.validity(later(u64::from(u32::MAX))), Validity::Good);
        assert_eq!(expiry.until_renewal(0.5, NOON), None);
        assert_eq!(expiry.at(), None);
    }
}
