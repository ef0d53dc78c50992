//! Calls that set the refresh cookie never overlap (rule 9): they take turns.
//!
//! A late `Set-Cookie` of one would undo the other. So a call that has lost its purpose while it
//! stood in line is passed over, and one that is on the wire is let finish.

/// A refresh, a login or a logout: a call that sets, or clears, the refresh cookie. This is its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuthCall(u32);

/// Which call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Asks for a new token.
    Refresh,
    /// Sends credentials.
    Login,
    /// Ends the session on the server.
    Logout,
}

#[derive(Debug)]
struct Turn {
    auth_call: AuthCall,
    kind: Kind,
    started: bool,
    on_the_wire: bool,
    void: bool,
}

/// The line. Its first member has the turn.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    line: Vec<Turn>,
    last: u32,
}

impl Turns {
    /// Stands in line.
    pub(crate) fn join(&mut self, kind: Kind) -> AuthCall {
        self.last = self.last.wrapping_add(1);
        let auth_call = AuthCall(self.last);
        self.line.push(Turn { auth_call, kind, started: false, on_the_wire: false, void: false });
        auth_call
    }

    /// Whose turn has just come, once.
    pub(crate) fn next(&mut self) -> Option<(AuthCall, Kind)> {
        let first = self.line.first_mut().filter(|turn| !turn.started)?;
        first.started = true;
        Some((first.auth_call, first.kind))
    }

    /// Whether the auth call has the turn, and a purpose still.
    pub(crate) fn may_go(&self, auth_call: AuthCall) -> bool {
        self.line.first().is_some_and(|turn| turn.auth_call == auth_call && !turn.void)
    }

    /// It goes on the wire.
    pub(crate) fn go(&mut self, auth_call: AuthCall) {
        if let Some(turn) = self.find(auth_call) {
            turn.on_the_wire = true;
        }
    }

    pub(crate) fn is_on_the_wire(&self, auth_call: AuthCall) -> bool {
        self.line.iter().any(|turn| turn.auth_call == auth_call && turn.on_the_wire)
    }

    /// Whether an auth call of a kind is on the wire.
    pub(crate) fn has_on_the_wire(&self, kind: Kind) -> bool {
        self.line.iter().any(|turn| turn.kind == kind && turn.on_the_wire)
    }

    /// Ends a turn. Says whether its outcome counts still.
    pub(crate) fn finish(&mut self, auth_call: AuthCall) -> bool {
        let Some(at) = self.line.iter().position(|turn| turn.auth_call == auth_call) else {
            return false;
        };
        !self.line.remove(at).void
    }

    /// Takes the purpose from one auth call.
    pub(crate) fn void(&mut self, auth_call: AuthCall) {
        if let Some(turn) = self.find(auth_call) {
            turn.void = true;
        }
    }

    /// Takes the purpose from every auth call of a kind.
    pub(crate) fn void_all(&mut self, kind: Kind) {
        self.line.iter_mut().filter(|turn| turn.kind == kind).for_each(|turn| turn.void = true);
    }

    /// Takes the purpose from every auth call of a kind that has not been sent.
    pub(crate) fn void_unsent(&mut self, kind: Kind) {
        self.line
            .iter_mut()
            .filter(|turn| turn.kind == kind && !turn.on_the_wire)
            .for_each(|turn| turn.void = true);
    }

    /// How many auth calls of a kind there are in line.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.line.iter().filter(|turn| turn.kind == kind).count()
    }

    fn find(&mut self, auth_call: AuthCall) -> Option<&mut Turn> {
        self.line.iter_mut().find(|turn| turn.auth_call == auth_call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_the_turn_and_the_others_wait_for_it_in_order() {
        let mut turns = Turns::default();
        let refresh = turns.join(Kind::Refresh);
        let logout = turns.join(Kind::Logout);
        assert_eq!(turns.next(), Some((refresh, Kind::Refresh)));
        assert_eq!(turns.next(), None, "a turn is given once");
        assert!(!turns.may_go(logout));
        assert!(turns.finish(refresh));
        assert_eq!(turns.next(), Some((logout, Kind::Logout)));
    }

    #[test]
    fn a_void_turn_comes_but_does_not_go() {
        let mut turns = Turns::default();
        let login = turns.join(Kind::Login);
        turns.void_all(Kind::Login);
        assert_eq!(turns.next(), Some((login, Kind::Login)));
        assert!(!turns.may_go(login));
        assert!(!turns.finish(login), "nor does its outcome count");
        assert!(!turns.finish(login), "a turn ends once");
    }

    #[test]
    fn what_is_on_the_wire_and_what_is_of_another_kind_keeps_its_purpose() {
        let mut turns = Turns::default();
        let [sent, unsent] = [turns.join(Kind::Logout), turns.join(Kind::Logout)];
        let login = turns.join(Kind::Login);
        turns.go(sent);
        turns.void_unsent(Kind::Logout);
        assert!(turns.finish(sent));
        assert!(!turns.finish(unsent));
        assert!(turns.finish(login));
    }
}
