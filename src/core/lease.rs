//! How long the holder of a Web Lock may keep it, as the other pages judge.
//!
//! The holder also holds a second lock, the lease, whose name contains the time until which the lock may be held. A
//! frozen page keeps both, so a page that waits takes the lock once its lease has expired. Any script of the origin can
//! request locks of any name, so a lease counts only for so long.

use super::text::number;
use super::time::Now;

/// How long a lock may be held beyond its time, in milliseconds: for the work around the call, and for slow machines.
pub(crate) const GRACE: u64 = 200;

/// Stands between the name of a lock and the end of its lease, in the lease's name.
const UNTIL: &str = " until ";

/// The leases of one lock that this page has seen.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    /// The name of each, and when it was first seen, by the steady clock.
    seen: Vec<(String, u64)>,
}

impl Leases {
    /// How many milliseconds `lock` may still be held; `held` are the names of all locks that are held now. A lease
    /// counts for at most `longest` milliseconds from when it was first seen, whatever its name says.
    pub(crate) fn left(&mut self, lock: &str, held: Vec<String>, longest: u64, now: Now) -> u64 {
        let before = std::mem::take(&mut self.seen);
        let mut most = 0;
        for name in held {
            let end = name.strip_prefix(lock).and_then(|rest| rest.strip_prefix(UNTIL));
            let Some(end) = end.and_then(number) else { continue };
            let first =
                before.iter().find(|(seen, _)| *seen == name).map_or(now.steady, |seen| seen.1);
            let believed = first.saturating_add(longest).saturating_add(GRACE);
            most = most.max(end.saturating_sub(now.wall).min(believed.saturating_sub(now.steady)));
            self.seen.push((name, first));
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall: u64, steady: u64) -> Now {
        Now { wall, steady }
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_newest_lease_of_the_lock_counts() {
        let held = names(&["lock", "lock until 5000", "lock until 7000", "lock 2 until 9000"]);
        assert_eq!(Leases::default().left("lock", held, 60_000, at(4000, 0)), 3000);
    }

    #[test]
    fn an_expired_lease_or_none_leaves_no_time() {
        for held in [&["lock", "lock until 5000"][..], &["lock"], &[]] {
            assert_eq!(Leases::default().left("lock", names(held), 60_000, at(5000, 0)), 0);
        }
    }

    #[test]
    fn a_name_that_is_no_time_is_no_lease() {
        for odd in [
            "lock until ",
            "lock until 1e9",
            "lock until -5",
            "lock until 99999999999999999999",
            "lockuntil 9",
        ] {
            assert_eq!(Leases::default().left("lock", names(&[odd]), 60_000, at(4, 0)), 0, "{odd}");
        }
    }

    #[test]
    fn a_lease_until_the_far_future_counts_from_when_it_was_first_seen() {
        let mut leases = Leases::default();
        let held = || names(&["lock until 9007199254740991"]);
        assert_eq!(leases.left("lock", held(), 1000, at(4000, 50)), 1000 + GRACE);
        assert_eq!(leases.left("lock", held(), 1000, at(4700, 750)), 300 + GRACE);
        // Setting the wall clock back does not help it.
        assert_eq!(leases.left("lock", held(), 1000, at(0, 1250)), 0);
    }

    #[test]
    fn a_lease_that_has_ended_is_forgotten() {
        let mut leases = Leases::default();
        let held = names(&["lock until 9000"]);
        assert_eq!(leases.left("lock", held.clone(), 1000, at(0, 0)), 1000 + GRACE);
        assert_eq!(leases.left("lock", names(&[]), 1000, at(0, 5000)), 0);
        assert_eq!(leases.left("lock", held, 1000, at(0, 5000)), 1000 + GRACE);
    }
}
