//! Resources that answer 401 where they mean "forbidden" (rule 4).
//!
//! A resource that refuses a token which was renewed for it, or which another resource has accepted since,
//! does not need a newer token. Its 401s go to the caller. Without this rule each call to such a resource
//! would cost a refresh, and a rate limit on the refresh would stop the whole app.

use super::digest::digest;
use super::session::Generation;
use super::text::split_at_any;
use super::time::Now;

/// The target resource of a request (RFC 9110, 7.1): the method, because `DELETE` may be forbidden where
/// `GET` is not, and the URL without its query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resource {
    digest: u64,
    /// The app reported it: the manager does not see the answers to its requests.
    is_reported: bool,
}

impl Resource {
    /// For requests whose target is unknown or does not matter.
    pub const ANY: Self = Self { digest: 0, is_reported: true };

    /// The resource of a request. `url`: as the platform serialised it.
    pub fn new(method: &str, url: &str) -> Self {
        let digest = digest(&[&method.to_ascii_uppercase(), split_at_any(url, "?#").0]);
        Self { digest, is_reported: false }
    }

    /// A resource that refused a token, as reported by the app that was given the token.
    pub fn reported(url: &str) -> Self {
        Self { is_reported: true, ..Self::new("", url) }
    }

    /// Whether an answer to a request may show that the resource is open again.
    pub(super) fn is_watched(&self) -> bool {
        !self.is_reported
    }
}

/// How long a resource's 401s are taken for "forbidden" with newer tokens, too, in milliseconds. The time
/// doubles after each further refresh that did not help. It is limited because the user's rights may change.
const FIRST: u64 = 60_000;
/// For how long after a renewal a refusal shows that the renewal was useless, in milliseconds. Later, the new
/// token may itself have ended.
pub(super) const NEW: u64 = FIRST;
/// How often the time doubles.
const DOUBLINGS: u32 = 6;
/// How many resources are remembered.
const MOST: usize = 64;

#[derive(Debug)]
struct Entry {
    resource: Resource,
    /// The good token that was refused.
    generation: Generation,
    since: Now,
    times: u32,
}

impl Entry {
    /// How long the entry counts for a token. For the refused token itself it is the longest time, but not
    /// for ever: a token with an unknown end may have ended by then, and this resource may be the only one to
    /// tell.
    fn lasts(&self, generation: Generation) -> u64 {
        let doublings =
            if self.generation == generation { DOUBLINGS } else { self.times.min(DOUBLINGS) };
        FIRST << doublings
    }
}

/// The resources known to be forbidden.
#[derive(Debug, Default)]
pub(crate) struct Forbidden {
    list: Vec<Entry>,
}

impl Forbidden {
    /// A resource refused a good token.
    pub(crate) fn note(&mut self, resource: Resource, generation: Generation, now: Now) {
        let at = self.list.iter().position(|entry| entry.resource == resource);
        let times = at.map_or(0, |at| {
            let Entry { times, generation: last, .. } = self.list.remove(at);
            if last == generation { times } else { times + 1 }
        });
        if self.list.len() == MOST {
            self.list.remove(0);
        }
        self.list.push(Entry { resource, generation, since: now, times });
    }

    /// A resource accepted a token.
    pub(crate) fn clear(&mut self, resource: Resource) {
        if let Some(at) = self.list.iter().position(|entry| entry.resource == resource) {
            self.list.remove(at);
        }
    }

    /// Another user has other rights.
    pub(crate) fn clear_all(&mut self) {
        self.list.clear();
    }

    /// Whether a 401 to this token means "forbidden".
    pub(crate) fn has(&self, resource: Resource, generation: Generation, now: Now) -> bool {
        self.list.iter().any(|entry| {
            entry.resource == resource && now.since(entry.since) < entry.lasts(generation)
        })
    }

    /// Whether an answer may show that one of the resources is open again.
    pub(crate) fn is_watched(&self) -> bool {
        self.list.iter().any(|entry| entry.resource.is_watched())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATS: Resource = numbered(1);

    const fn numbered(digest: u64) -> Resource {
        Resource { digest, is_reported: false }
    }

    fn at(ms: u64) -> Now {
        Now { wall: 1_000_000 + ms, steady: ms }
    }

    #[test]
    fn a_resource_includes_the_method_but_not_the_query() {
        let stats = Resource::new("GET", "https://api.test/stats");
        assert_eq!(Resource::new("get", "https://api.test/stats?day=1#x"), stats);
        assert_ne!(Resource::new("DELETE", "https://api.test/stats"), stats);
        assert_ne!(Resource::new("GET", "https://api.test/stat"), stats);
    }

    #[test]
    fn a_resource_is_forbidden_to_its_token_and_for_a_time_to_others() {
        let mut forbidden = Forbidden::default();
        forbidden.note(STATS, Generation(1), at(0));
        assert!(forbidden.has(STATS, Generation(1), at(64 * FIRST - 1)));
        assert!(!forbidden.has(STATS, Generation(1), at(64 * FIRST)), "it may have ended");
        assert!(forbidden.has(STATS, Generation(2), at(FIRST - 1)));
        assert!(!forbidden.has(STATS, Generation(2), at(FIRST)));
        assert!(!forbidden.has(numbered(2), Generation(1), at(0)));
    }

    #[test]
    fn each_useless_refresh_doubles_the_time_up_to_an_hour() {
        let mut forbidden = Forbidden::default();
        for (generation, minutes) in [1, 2, 4, 8, 16, 32, 64, 64].into_iter().enumerate() {
            forbidden.note(STATS, Generation(generation as u32), at(0));
            let end = minutes * FIRST;
            assert!(forbidden.has(STATS, Generation(99), at(end - 1)), "{minutes}");
            assert!(!forbidden.has(STATS, Generation(99), at(end)), "{minutes}");
        }
        forbidden.clear(STATS);
        assert!(!forbidden.is_watched());
    }

    #[test]
    fn the_oldest_of_many_entries_is_forgotten() {
        let mut forbidden = Forbidden::default();
        for number in 0..=MOST as u64 {
            forbidden.note(numbered(number), Generation(1), at(0));
        }
        assert_eq!(forbidden.list.len(), MOST);
        assert!(!forbidden.has(numbered(0), Generation(1), at(0)));
    }
}
