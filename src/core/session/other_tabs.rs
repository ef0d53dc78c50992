//! What other tabs tell: a new token, a new user, a logout.

use super::super::answer::TokenResponse;
use super::super::auth_call_queue::Kind;
use super::super::failure::{Code, Failure, Step};
use super::super::pending_logout::Owed;
use super::super::policy::Tabs;
use super::super::tabs::{HybridTime, Message};
use super::super::time::Now;
use super::{CurrentToken, Event, Reason, RefreshOutcome, Session, Status};

impl Session {
    /// Another tab told something.
    pub fn heard(&mut self, message: Message, now: Now) {
        let is_sharing = match self.policy.tabs {
            Tabs::Share => true,
            Tabs::Lock => false,
            Tabs::Off => return,
        };
        self.has_other_tabs = true;
        let known = self.stamp;
        if let Some(stamp) = message.stamp()
            && !stamp.is_past(known, now)
        {
            // No tab can have got there, unless the clock was days ahead. It is not believed; but what
            // happens here from now on comes after it.
            if stamp.is_believable(now) {
                self.stamp = stamp;
            }
            return;
        }
        match message {
            Message::Ask if is_sharing => self.answer_ask(now),
            Message::Missed { since, session } => {
                self.catch_up(since, session, is_sharing, now);
            }
            Message::Renewed { stamp, session, asked, tokens } if is_sharing => {
                self.other_tab_renewed(stamp, session, asked, tokens, now);
            }
            Message::Entered { stamp, subject, tokens } => {
                self.other_tab_entered(stamp, subject, tokens.filter(|_| is_sharing), now);
            }
            Message::Refused { stamp, session, asked } => {
                self.other_tab_refused(stamp, session, asked);
            }
            Message::Left { stamp } if !self.is_settled(stamp, now) => {
                self.leave(stamp.within_reach(known, now), Reason::OtherTab);
            }
            _ => {}
        }
    }

    /// Whether a logout is one that another has followed, or a login has. In doubt it is not: where
    /// both were in one moment, or the clock has been set back since.
    fn is_settled(&self, left: HybridTime, now: Now) -> bool {
        let is_older = left <= self.left || left < self.entered;
        is_older && self.stamp.0 <= now.wall
    }

    /// The page was where it heard nothing, such as the back/forward cache. Whoever was there tells
    /// what has come about; also to a page that knew of no session, for there may have been one.
    pub fn came_back(&mut self) {
        self.post(Message::Missed { since: self.stamp, session: self.entered });
    }

    /// Tells a tab that was away how the sessions ended and began that it has not heard of.
    fn catch_up(&mut self, since: HybridTime, session: HybridTime, is_sharing: bool, now: Now) {
        // Of one moment, too: it may be the very outcome that this logout has ended. Tokens that came with
        // answers stand behind that in the order, and are ended with the session.
        let has_left = self.left != HybridTime(0) && self.left >= since;
        if has_left || session != HybridTime(0) && self.left >= session {
            self.post(Message::Left { stamp: self.left });
        }
        if self.entered > since && self.entered == self.login {
            let tokens = self.spare(true, now);
            let subject = tokens.as_ref().and_then(TokenResponse::subject_digest);
            let tokens = tokens.filter(|_| is_sharing);
            self.post(Message::Entered { stamp: self.entered, subject, tokens });
        }
        if is_sharing {
            self.hand_on(true, now);
        }
    }

    /// Hands the token on, to a tab that begins and to all others. One that has ended helps a tab only
    /// where a refresh token is held in memory, and goes along.
    pub(super) fn reply(&mut self, now: Now) -> bool {
        self.hand_on(self.refresh_token.is_some(), now)
    }

    /// A tab that begins is told that there is another, in any case.
    fn answer_ask(&mut self, now: Now) {
        if !self.reply(now) {
            self.post(Message::Here);
        }
    }

    /// Says whether there was a token to hand on.
    fn hand_on(&mut self, ended_too: bool, now: Now) -> bool {
        let asked = self.current.as_ref().map_or(HybridTime(0), |current| current.asked);
        let Some(tokens) = self.spare(ended_too, now) else { return false };
        let (stamp, session) = (self.stamp, self.entered);
        self.post(Message::Renewed { stamp, session, asked, tokens });
        true
    }

    /// The token for another tab. `ended_too`: also one that is no longer good, as one of no life.
    fn spare(&self, ended_too: bool, now: Now) -> Option<TokenResponse> {
        let current = self.current.as_ref()?;
        let life = if current.is_refused() { Some(0) } else { current.expiry.remaining(now) };
        (ended_too || life != Some(0)).then(|| TokenResponse {
            access_token: current.token.clone(),
            refresh_token: self.refresh_token.clone(),
            life,
            session_life: self.session_expiry.and_then(|expiry| expiry.remaining(now)),
            claims: current.claims.clone(),
            subject: current.subject.clone(),
            issued: current.issued,
            bound: current.bound,
        })
    }

    fn other_tab_renewed(
        &mut self,
        stamp: HybridTime,
        session: HybridTime,
        asked: HybridTime,
        tokens: TokenResponse,
        now: Now,
    ) {
        if matches!(self.owed, Owed::Untold | Owed::InDoubt)
            || self.asks_server && asked < self.entered
        {
            return;
        }
        if self.owed != Owed::Nothing || self.queue.has_on_the_wire(Kind::Logout) {
            return self.leave_again(stamp);
        }
        let is_current =
            self.current.as_ref().is_some_and(|current| current.token == tokens.access_token);
        if is_current && self.refresh_token.is_none() {
            // What renews it comes later where the tabs had not met before.
            self.refresh_token = tokens.refresh_token.clone();
        }
        // A renewal of the session that the user has ended is no way back into it, nor is one by a
        // tab that has not heard yet which session there is now.
        let is_ours_to_have = self.status != Status::SignedOut || session > self.left;
        // One that has found its session knows nothing of when that began: what it asked for before the
        // last sign-in is not of that.
        let is_of_the_last =
            session >= self.entered || session.0 == 0 && (asked.0 == 0 || asked >= self.entered);
        if stamp <= self.stamp || !is_ours_to_have || !is_of_the_last {
            return;
        }
        if is_current {
            // The token that is there already: it may even have been refused.
            self.stamp = stamp;
            return;
        }
        let has_ended = tokens.life == Some(0);
        if !has_ended {
            self.settle_unsent(asked);
        }
        let is_of_another = self.is_of_another(&tokens);
        if self.status == Status::SignedOut || self.began_before(session) || is_of_another {
            self.raise_epoch();
        }
        self.stamp = stamp;
        self.entered = self.entered.max(session);
        self.commit(tokens, asked, now);
        self.tell(Event::Refresh);
    }

    /// Another tab was refused. Whoever waits to ask with the same cookie need not: the server would
    /// see it used once more.
    fn other_tab_refused(&mut self, stamp: HybridTime, session: HybridTime, asked: HybridTime) {
        let Some(pending) = &self.pending_refresh else { return };
        let waits = !self.queue.is_on_the_wire(pending.auth_call)
            // One that is held in memory may be another than was refused.
            && self.refresh_token.is_none()
            && !self.asks_server
            && pending.explicit.is_none_or(|at| asked > at);
        let is_of_the_last = session.0 == 0 || session >= self.entered;
        if waits && is_of_the_last && stamp > self.stamp {
            self.stamp = stamp;
            let failure = Failure::new(Code::Rejected, Step::Refresh);
            self.end(RefreshOutcome::Rejected(failure), Reason::Rejected);
        }
    }

    /// Whether the session that is known began before another one did. Of one that was found it is
    /// known only that it was there at the last outcome.
    fn began_before(&self, session: HybridTime) -> bool {
        let known = if self.entered.0 == 0 { self.stamp } else { self.entered };
        known.0 != 0 && session > known
    }

    fn other_tab_entered(
        &mut self,
        stamp: HybridTime,
        subject: Option<u64>,
        tokens: Option<TokenResponse>,
        now: Now,
    ) {
        let is_before_logout = stamp <= self.left;
        if self.queue.has_on_the_wire(Kind::Logout)
            || self.owed != Owed::Nothing && is_before_logout
        {
            return self.leave_again(stamp);
        }
        if is_before_logout || stamp <= self.entered {
            return;
        }
        // Sent now, it would end the session that has begun.
        self.queue.void_unsent(Kind::Logout);
        // Who began it has taken the mark away already.
        self.owed = Owed::Nothing;
        // The current token then is of that login, or of one after it.
        let is_news = stamp > self.stamp;
        // The same user, in another tab: what is under way goes on.
        let is_of_same = is_news && self.is_of_same(subject);
        (self.entered, self.login) = (stamp, stamp);
        self.stamp = self.stamp.max(stamp);
        // A refresh that was on the wire while the user signed in where nobody saw it is older than that.
        let is_before =
            |current: &CurrentToken| is_news || current.asked.0 != 0 && current.asked < stamp;
        let is_before = self.current.as_ref().is_none_or(is_before);
        if let Some(current) = &self.current
            && tokens.as_ref().is_some_and(|tokens| current.token == tokens.access_token)
        {
            return;
        }
        if let Some(current) = &self.current
            && !is_before
            && current.subject.is_some()
        {
            // It was asked for since: the others took it for a renewal of the session before.
            if self.policy.tabs == Tabs::Share && current.asked >= stamp {
                self.reply(now);
            }
            return;
        }
        // A token that does not tell whose it is may have been taken for the former user's. And a refusal
        // that came later than that login may have ended it: then the server is asked.
        let tokens = if is_before { tokens.filter(|_| is_news) } else { self.spare(true, now) };
        if is_of_same {
            // It may say that it is older than a token which an answer brought: that is of the session before.
            if let Some(tokens) = tokens {
                self.settle_unsent(HybridTime(0));
                self.commit(tokens, HybridTime(0), now);
            }
            return;
        }
        self.raise_epoch();
        match tokens {
            Some(tokens) => self.commit(tokens, HybridTime(0), now),
            None => self.forget(),
        }
    }

    /// A logout is on its way that ends this, too: whoever goes on with it is told again. What came
    /// later stays.
    fn leave_again(&mut self, met: HybridTime) {
        self.left = self.left.max(met);
        self.stamp = self.stamp.max(met);
        if self.owed != Owed::Nothing && self.queue.has_on_the_wire(Kind::Logout) {
            // Whoever began this has taken the mark away, and the logout may fail.
            self.owe(true);
        }
        self.post(Message::Left { stamp: self.left });
    }

    /// There is a session, but no token of it: the next call asks.
    pub(super) fn forget(&mut self) {
        if self.status != Status::Unknown {
            self.status = Status::Unknown;
            self.changed();
        }
    }
}
