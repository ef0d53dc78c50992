//! How many messages of other tabs are read. Any script of the origin can send messages, and a flood of them must not
//! stop the app. All tabs together send fewer than this.

/// So many messages may come at once.
const BURST: f64 = 100.0;
/// One more may come after so many milliseconds.
const REFILL: f64 = 10.0;

/// A token bucket.
#[derive(Debug)]
pub(crate) struct MessageLimit {
    left: f64,
    last: f64,
}

impl Default for MessageLimit {
    fn default() -> Self {
        Self { left: BURST, last: 0.0 }
    }
}

impl MessageLimit {
    /// Whether a message may be read. `sent`: when it was sent, in milliseconds (`Event.timeStamp`; DOM, 2.2).
    pub(crate) fn takes(&mut self, sent: f64) -> bool {
        if sent.is_finite() {
            self.left = BURST.min(self.left + (sent - self.last).max(0.0) / REFILL);
            self.last = sent;
        }
        let is_taken = self.left >= 1.0;
        if is_taken {
            self.left -= 1.0;
        }
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of so many messages are taken that are sent at once.
    fn taken(limit: &mut MessageLimit, messages: u32, sent: f64) -> u32 {
        (0..messages).map(|_| u32::from(limit.takes(sent))).sum()
    }

    #[test]
    fn a_flood_is_cut_off_and_a_pause_lets_more_in() {
        let mut limit = MessageLimit::default();
        assert_eq!(taken(&mut limit, 100_000, 5.0), 100);
        assert_eq!(taken(&mut limit, 100_000, 5.0 + 3.0 * REFILL), 3);
        assert_eq!(taken(&mut limit, 100_000, 1e9), 100);
    }

    #[test]
    fn a_time_that_is_no_number_changes_nothing() {
        for odd in [f64::NAN, f64::NEG_INFINITY, f64::INFINITY] {
            let mut limit = MessageLimit::default();
            assert_eq!(taken(&mut limit, 200, 1000.0), 100);
            assert_eq!(taken(&mut limit, 200, odd), 0, "{odd}");
            assert_eq!(taken(&mut limit, 200, 1000.0 + REFILL), 1, "{odd}");
        }
    }

    #[test]
    fn a_clock_that_jumps_makes_no_tab_deaf() {
        let mut limit = MessageLimit::default();
        assert_eq!(taken(&mut limit, 200, 1000.0), 100);
        assert!(limit.takes(1e15));
        assert_eq!(taken(&mut limit, 200, 1000.0), 99, "what is left of the refill");
        assert_eq!(taken(&mut limit, 200, 1000.0 + REFILL), 1);
    }
}
