//! The queue of the auth calls: calls that set the refresh cookie never overlap (rule 9).
//!
//! A late `Set-Cookie` of one call would undo the other's. So a queued call that is no longer needed is
//! skipped, and a call on the wire is left to finish.

/// The number of a refresh, a login or a logout: a call that sets, or clears, the refresh cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuthCall(u32);

/// The kind of an auth call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Asks for a new token.
    Refresh,
    /// Sends credentials.
    Login,
    /// Ends the session on the server.
    Logout,
}

impl Kind {
    /// The longest body, in bytes, with which the call outlives its page: the page may close before the response
    /// arrives, and the cookie that it sets would be lost. All calls of a page that outlive it may have 64 KiB
    /// together (Fetch, 4.6). `None`: nobody waits for the outcome of a login whose page is closed.
    pub fn longest_kept_alive(self) -> Option<u32> {
        (self != Kind::Login).then_some(16 * 1024)
    }
}

#[derive(Debug)]
struct QueuedCall {
    auth_call: AuthCall,
    kind: Kind,
    started: bool,
    on_the_wire: bool,
    void: bool,
}

/// The queued auth calls. The first has the turn.
#[derive(Debug, Default)]
pub(crate) struct AuthCallQueue {
    calls: Vec<QueuedCall>,
    last: u32,
}

impl AuthCallQueue {
    /// Adds an auth call at the end of the queue.
    pub(crate) fn join(&mut self, kind: Kind) -> AuthCall {
        self.last = self.last.wrapping_add(1);
        let auth_call = AuthCall(self.last);
        self.calls.push(QueuedCall {
            auth_call,
            kind,
            started: false,
            on_the_wire: false,
            void: false,
        });
        auth_call
    }

    /// The auth call whose turn has just come. Each is returned once.
    pub(crate) fn next(&mut self) -> Option<(AuthCall, Kind)> {
        let first = self.calls.first_mut().filter(|queued| !queued.started)?;
        first.started = true;
        Some((first.auth_call, first.kind))
    }

    /// Whether the auth call has the turn and is still needed.
    pub(crate) fn may_go(&self, auth_call: AuthCall) -> bool {
        self.calls.first().is_some_and(|queued| queued.auth_call == auth_call && !queued.void)
    }

    /// Marks the auth call as sent.
    pub(crate) fn go(&mut self, auth_call: AuthCall) {
        if let Some(queued) = self.find(auth_call) {
            queued.on_the_wire = true;
        }
    }

    pub(crate) fn is_on_the_wire(&self, auth_call: AuthCall) -> bool {
        self.calls.iter().any(|queued| queued.auth_call == auth_call && queued.on_the_wire)
    }

    /// Whether an auth call of this kind is on the wire.
    pub(crate) fn has_on_the_wire(&self, kind: Kind) -> bool {
        self.calls.iter().any(|queued| queued.kind == kind && queued.on_the_wire)
    }

    /// Ends a turn. Returns whether the outcome still counts.
    pub(crate) fn finish(&mut self, auth_call: AuthCall) -> bool {
        let Some(at) = self.calls.iter().position(|queued| queued.auth_call == auth_call) else {
            return false;
        };
        !self.calls.remove(at).void
    }

    /// Marks an auth call as no longer needed.
    pub(crate) fn void(&mut self, auth_call: AuthCall) {
        if let Some(queued) = self.find(auth_call) {
            queued.void = true;
        }
    }

    /// Marks every auth call of this kind as no longer needed.
    pub(crate) fn void_all(&mut self, kind: Kind) {
        self.calls
            .iter_mut()
            .filter(|queued| queued.kind == kind)
            .for_each(|queued| queued.void = true);
    }

    /// Marks every auth call of this kind that has not been sent as no longer needed.
    pub(crate) fn void_unsent(&mut self, kind: Kind) {
        self.calls
            .iter_mut()
            .filter(|queued| queued.kind == kind && !queued.on_the_wire)
            .for_each(|queued| queued.void = true);
    }

    /// How many auth calls of this kind are queued.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.calls.iter().filter(|queued| queued.kind == kind).count()
    }

    fn find(&mut self, auth_call: AuthCall) -> Option<&mut QueuedCall> {
        self.calls.iter_mut().find(|queued| queued.auth_call == auth_call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_that_set_the_cookie_outlive_their_page_if_they_are_short() {
        let kinds = [Kind::Refresh, Kind::Login, Kind::Logout];
        assert_eq!(kinds.map(Kind::longest_kept_alive), [Some(16_384), None, Some(16_384)]);
    }

    #[test]
    fn one_call_has_the_turn_and_the_others_wait_in_order() {
        let mut queue = AuthCallQueue::default();
        let refresh = queue.join(Kind::Refresh);
        let logout = queue.join(Kind::Logout);
        assert_eq!(queue.next(), Some((refresh, Kind::Refresh)));
        assert_eq!(queue.next(), None, "a turn is given once");
        assert!(!queue.may_go(logout));
        assert!(queue.finish(refresh));
        assert_eq!(queue.next(), Some((logout, Kind::Logout)));
    }

    #[test]
    fn a_voided_call_gets_its_turn_but_is_not_sent() {
        let mut queue = AuthCallQueue::default();
        let login = queue.join(Kind::Login);
        queue.void_all(Kind::Login);
        assert_eq!(queue.next(), Some((login, Kind::Login)));
        assert!(!queue.may_go(login));
        assert!(!queue.finish(login), "nor does its outcome count");
        assert!(!queue.finish(login), "a turn ends once");
    }

    #[test]
    fn voiding_unsent_calls_spares_calls_on_the_wire_and_of_other_kinds() {
        let mut queue = AuthCallQueue::default();
        let [sent, unsent] = [queue.join(Kind::Logout), queue.join(Kind::Logout)];
        let login = queue.join(Kind::Login);
        queue.go(sent);
        queue.void_unsent(Kind::Logout);
        assert!(queue.finish(sent));
        assert!(!queue.finish(unsent));
        assert!(queue.finish(login));
    }
}
