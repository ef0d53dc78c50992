//! Refresh, login and logout: the calls that set the refresh cookie (rules 8 and 9).

use super::super::answer::{
    AuthResponse, Body, TokenResponse, Verdict, is_refusal, logout_verdict, verdict,
};
use super::super::auth_call_queue::{AuthCall, Kind};
use super::super::backoff::RetryAfter;
use super::super::failure::{Code, Failure, Step};
use super::super::pending_logout::Owed;
use super::super::policy::{Restore, Tabs};
use super::super::tabs::{HybridTime, Message};
use super::super::time::Now;
use super::{Effect, Event, PendingRefresh, Reason, RefreshOutcome, Session, Status};

/// What an auth call does that has the turn and the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It is sent.
    Go,
    /// It is no longer needed, and ends its turn.
    Skip,
    /// Another tab had the lock just before and may have news: listen for a moment, then ask again.
    Listen,
}

impl Session {
    /// An auth call has the turn and the lock. `contended`: another tab held the lock before. A refresh that
    /// has no refresh token to send is refused here, after the other tabs had a moment to help.
    pub fn arrive(&mut self, auth_call: AuthCall, contended: bool, now: Now) -> Arrival {
        if !self.queue.may_go(auth_call) {
            return Arrival::Skip;
        }
        let lacks_token = !self.can_renew();
        let is_sharing = self.policy.tabs == Tabs::Share;
        let asks_others = is_sharing && !self.asks_server;
        if let Some(pending) =
            self.pending_refresh.as_mut().filter(|pending| pending.auth_call == auth_call)
        {
            pending.contended |= contended;
            let begins = self.status == Status::Unknown && !pending.listened;
            if asks_others && (contended || lacks_token && begins) {
                pending.listened = true;
                return Arrival::Listen;
            }
            if lacks_token {
                self.refused(auth_call, Failure::new(Code::SignedOut, Step::Refresh));
                return Arrival::Skip;
            }
            // The refresh renews the token that is current now, not the one that was current when the refresh
            // was requested.
            (pending.asked, pending.since) = (HybridTime::at(now.wall), self.newest);
        }
        self.queue.go(auth_call);
        Arrival::Go
    }

    /// Ends the turn of an auth call, whatever its outcome, and gives the turn to the next. Call it after the
    /// outcome was reported and the lock was released.
    pub fn finished(&mut self, auth_call: AuthCall) {
        self.queue.finish(auth_call);
        self.give_turn();
    }

    /// Whether a refusal may be explained by news of another tab that has not arrived yet: that tab got a
    /// newer token, and this one sent the old token. Then it is worth listening for a moment before the
    /// refusal goes to [`Session::refresh_answered`]. A tab that has never met another need not wait.
    pub fn doubts(&self, response: &AuthResponse) -> bool {
        let is_news = |pending: &PendingRefresh| {
            (self.has_other_tabs || pending.contended)
                && self.current.as_ref().is_none_or(|current| current.generation <= pending.since)
        };
        self.policy.tabs == Tabs::Share
            && self.pending_refresh.as_ref().is_some_and(is_news)
            && is_refusal(Step::Refresh, response)
    }

    /// The refresh endpoint answered. `chance` is uniform in `0.0..1.0`.
    pub fn refresh_answered(
        &mut self,
        auth_call: AuthCall,
        response: AuthResponse,
        chance: f64,
        now: Now,
    ) {
        match verdict(Step::Refresh, response) {
            Verdict::Granted(tokens) => self.renewed(auth_call, tokens, now),
            Verdict::Rejected(failure) => {
                let asked =
                    self.pending_refresh.as_ref().map_or(HybridTime(0), |pending| pending.asked);
                let session = self.entered;
                if self.refused(auth_call, failure) {
                    // An older renewal that arrives late must not restore the session.
                    self.stamp = self.stamp.after(now);
                    // Other tabs that wait to ask with the same cookie would only use it once more.
                    self.post(Message::Refused { stamp: self.stamp, session, asked });
                }
            }
            Verdict::Unreached(failure, retry_after) => {
                self.failed(auth_call, failure, retry_after, chance, now);
            }
        }
    }

    /// The refresh endpoint did not answer: [`Code::Network`] or [`Code::Timeout`].
    pub fn refresh_failed(&mut self, auth_call: AuthCall, code: Code, chance: f64, now: Now) {
        self.failed(auth_call, Failure::new(code, Step::Refresh), None, chance, now);
    }

    /// Queues a login. The shell sends it, and passes the answer to [`Session::login_answered`].
    pub fn login(&mut self) -> AuthCall {
        self.stand_in_line(Kind::Login)
    }

    /// Queues a call that sets the cookie of the current session and carries its token. The token is renewed
    /// first if necessary.
    pub fn exchange(&mut self, now: Now) -> AuthCall {
        self.renew_ahead(now);
        self.stand_in_line(Kind::Login)
    }

    /// The answer to a login. A successful login begins a new epoch; a failed one leaves the current session
    /// alone.
    ///
    /// # Errors
    /// The failure for the caller; [`Code::SessionChanged`] if the user signed out in the meantime.
    pub fn login_answered(
        &mut self,
        auth_call: AuthCall,
        response: AuthResponse,
        now: Now,
    ) -> Result<(), Failure> {
        if let Body::Incomplete = response.body {
            // No session begins, and none ends.
            return Ok(());
        }
        match verdict(Step::Login, response) {
            Verdict::Granted(_) if !self.queue.may_go(auth_call) => {
                Err(Failure::new(Code::SessionChanged, Step::Login))
            }
            Verdict::Granted(tokens) => {
                self.enter(tokens, now);
                Ok(())
            }
            Verdict::Rejected(failure) | Verdict::Unreached(failure, _) => Err(failure),
        }
    }

    /// The app hands over tokens that it got by itself. A newer token of the same user renews the session and
    /// voids nothing; any other token begins a new session.
    pub fn set_tokens(&mut self, tokens: TokenResponse, now: Now) {
        if self.is_of_same(tokens.subject_digest()) && !self.is_older(&tokens) {
            self.settle_unsent(HybridTime(0));
            self.renew(tokens, self.stamp.after(now), HybridTime(0), now);
        } else {
            self.enter(tokens, now);
        }
    }

    /// A session begins with the tokens of a login.
    pub fn enter(&mut self, tokens: TokenResponse, now: Now) {
        self.begin_session(now);
        let shared = (self.policy.tabs == Tabs::Share).then(|| tokens.clone());
        let subject = tokens.subject_digest();
        self.post(Message::Entered { stamp: self.stamp, subject, tokens: shared });
        self.commit(tokens, HybridTime(0), now);
    }

    /// The user signed in where no script of ours could see it, for example by a redirect: there is a new
    /// refresh cookie. The next call that needs a token asks the server for one, and no other tab.
    pub fn signed_in(&mut self, now: Now) {
        self.begin_session(now);
        self.asks_server = true;
        self.post(Message::Entered { stamp: self.stamp, subject: None, tokens: None });
        self.forget();
        if self.policy.restore == Restore::Eager {
            self.want_refresh();
        }
    }

    /// Begins a new epoch, here and in all tabs that hear of it.
    fn begin_session(&mut self, now: Now) {
        self.raise_epoch();
        // A queued logout would end the session that begins.
        self.queue.void_unsent(Kind::Logout);
        self.stamp = self.stamp.after(now);
        self.entered = self.stamp;
        self.login = self.stamp;
        // The session that the mark was for is gone.
        self.owe(false);
    }

    /// Settles a refresh that has not been sent with a token that has arrived, unless somebody asked for the
    /// refresh explicitly after the refresh that brought this token was sent.
    pub(super) fn settle_unsent(&mut self, asked: HybridTime) {
        if let Some(pending) = &self.pending_refresh
            && !self.queue.is_on_the_wire(pending.auth_call)
            && pending.explicit.is_none_or(|at| asked > at)
        {
            self.queue.void(pending.auth_call);
            self.settle_refresh(RefreshOutcome::Renewed);
        }
    }

    /// The user signs out. The session is over when this returns; the auth call tells the server.
    /// `reachable`: whether there is a logout endpoint to call.
    pub fn logout(&mut self, reachable: bool, now: Now) -> Option<AuthCall> {
        let stamp = self.stamp.after(now);
        self.leave(stamp, Reason::Logout);
        self.post(Message::Left { stamp });
        if !reachable {
            return None;
        }
        // The mark is set first: the page may be closed before the answer arrives.
        self.owe(true);
        Some(self.stand_in_line(Kind::Logout))
    }

    /// The answer to a logout: the status, or why there is none. A pending logout is over when the server has
    /// confirmed it.
    ///
    /// # Errors
    /// The failure for the caller. The session is over in any case.
    pub fn logout_answered(&mut self, answer: Result<u16, Code>) -> Result<(), Failure> {
        let verdict = answer
            .map_err(|code| Failure::new(code, Step::Logout))
            .and_then(|status| logout_verdict(status, &self.policy.logged_out));
        // Another queued logout is for a later session, and still pending.
        if verdict.is_ok() && self.owed != Owed::Nothing && self.queue.count(Kind::Logout) <= 1 {
            self.owe(false);
        }
        verdict
    }

    /// Whether a refresh is still waited for.
    fn is_pending(&self, auth_call: AuthCall) -> bool {
        self.pending_refresh.as_ref().is_some_and(|pending| pending.auth_call == auth_call)
    }

    fn renewed(&mut self, auth_call: AuthCall, tokens: TokenResponse, now: Now) {
        if !self.is_pending(auth_call) {
            return;
        }
        let asked = self.pending_refresh.as_ref().map_or(HybridTime(0), |pending| pending.asked);
        if self.owed != Owed::Nothing {
            // It was in doubt whether a session had begun since; this answer shows that one has.
            self.owe(false);
        }
        self.settle_refresh(RefreshOutcome::Renewed);
        self.renew(tokens, self.stamp.after(now), asked, now);
    }

    /// The session continues with a new token.
    pub(super) fn renew(
        &mut self,
        tokens: TokenResponse,
        stamp: HybridTime,
        asked: HybridTime,
        now: Now,
    ) {
        let is_of_another = self.is_of_another(&tokens);
        if self.status == Status::SignedOut || is_of_another {
            // The cookie now belongs to another user, or there was no session to continue: this is a new
            // session, not a new token of the old one. When another user's session began is unknown.
            self.raise_epoch();
            self.entered = if is_of_another { HybridTime(0) } else { stamp };
        }
        self.stamp = stamp;
        self.commit(tokens, asked, now);
        if self.policy.tabs == Tabs::Share {
            // Includes the refresh token that was kept, if the answer brought none.
            self.reply(now);
        }
        self.tell(Event::Refresh);
    }

    /// The server gave no new token. Returns whether the session is over because of it.
    fn refused(&mut self, auth_call: AuthCall, failure: Failure) -> bool {
        let Some(pending) =
            self.pending_refresh.as_ref().filter(|pending| pending.auth_call == auth_call)
        else {
            return false;
        };
        if self.current.as_ref().is_some_and(|current| current.generation > pending.since) {
            // Another tab brought a newer token while this refresh was on the wire.
            self.settle_refresh(RefreshOutcome::Renewed);
            return false;
        }
        self.end(RefreshOutcome::Rejected(failure), Reason::Rejected);
        true
    }

    /// The server has ended the session. Settles the pending refresh with `outcome`.
    pub(super) fn end(&mut self, outcome: RefreshOutcome, reason: Reason) {
        let was = self.status;
        self.drop_tokens();
        self.status = Status::SignedOut;
        if was != Status::SignedOut {
            self.changed();
        }
        self.queue.void_unsent(Kind::Refresh);
        self.settle_refresh(outcome);
        if was == Status::SignedIn {
            self.tell(Event::SignOut(reason));
        }
    }

    /// A refresh did not reach the server.
    fn failed(
        &mut self,
        auth_call: AuthCall,
        failure: Failure,
        named: Option<RetryAfter>,
        chance: f64,
        now: Now,
    ) {
        if self.is_pending(auth_call) {
            self.backoff.failed(failure, named, chance, now);
            self.settle_refresh(RefreshOutcome::Failed(failure));
            self.tell(Event::RefreshError(failure));
        }
    }

    /// Sets or removes the mark, without looking at its current state: tabs share it.
    pub(super) fn owe(&mut self, owed: bool) {
        self.owed = if owed { Owed::Finish } else { Owed::Nothing };
        self.effects.push(Effect::Owe(owed));
    }
}
