//! News from other tabs: a new token, a new user, a logout.

use super::super::answer::TokenResponse;
use super::super::auth_call_queue::Kind;
use super::super::failure::{Code, Failure, Step};
use super::super::pending_logout::Owed;
use super::super::policy::Tabs;
use super::super::tabs::{HybridTime, Message};
use super::super::time::Now;
use super::{CurrentToken, Event, Reason, RefreshOutcome, Session, Status};

impl Session {
    /// Handles a message from another tab.
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
            // No tab can be that far, unless the clock was days ahead. The message is ignored, but what
            // happens here from now on gets a later timestamp.
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

    /// Whether a later logout or login has superseded a logout. In doubt it has not: if both happened in one
    /// moment, or the clock has been set back since.
    fn is_settled(&self, left: HybridTime, now: Now) -> bool {
        let is_older = left <= self.left || left < self.entered;
        is_older && self.stamp <= HybridTime::at(now.wall)
    }

    /// The page was where it heard nothing, such as the back/forward cache. Other tabs tell it what happened;
    /// also if it knew of no session, because there may have been one.
    pub fn came_back(&mut self) {
        self.post(Message::Missed { since: self.stamp, session: self.entered });
    }

    /// Tells a tab that was away which sessions ended and began without its notice.
    fn catch_up(&mut self, since: HybridTime, session: HybridTime, is_sharing: bool, now: Now) {
        // Equal timestamps count, too: this logout may have ended that very outcome. Tokens that came with
        // answers come later in the order, but end with the session.
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

    /// Passes the token on, to a starting tab and to all others. An ended token helps only where the refresh
    /// token is held in memory and goes along.
    pub(super) fn reply(&mut self, now: Now) -> bool {
        self.hand_on(self.refresh_token.is_some(), now)
    }

    /// Answers a starting tab in any case, so that it knows that there is another.
    fn answer_ask(&mut self, now: Now) {
        if !self.reply(now) {
            self.post(Message::Here);
        }
    }

    /// Returns whether there was a token to pass on.
    fn hand_on(&mut self, ended_too: bool, now: Now) -> bool {
        let asked = self.current.as_ref().map_or(HybridTime(0), |current| current.asked);
        let Some(tokens) = self.spare(ended_too, now) else { return false };
        let (stamp, session) = (self.stamp, self.entered);
        self.post(Message::Renewed { stamp, session, asked, tokens });
        true
    }

    /// The token for another tab. `ended_too`: also an ended or refused token, with a remaining lifetime of
    /// zero.
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
            // The refresh token comes later if the tabs had not met before.
            self.refresh_token = tokens.refresh_token.clone();
        }
        // A renewal of a session that the user has ended must not restore it, nor may a renewal by a tab that
        // has not yet heard which session is current.
        let is_ours_to_have = self.status != Status::SignedOut || session > self.left;
        // A tab that found its session does not know when it began: a refresh that it sent before the last
        // sign-in is not of that session.
        let is_of_the_last =
            session >= self.entered || session.0 == 0 && (asked.0 == 0 || asked >= self.entered);
        if stamp <= self.stamp || !is_ours_to_have || !is_of_the_last {
            return;
        }
        if is_current {
            // This tab already has the token, which may even have been refused.
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

    /// Another tab's refresh was refused. Calls here that wait to ask with the same cookie need not: the
    /// server would see it used once more.
    fn other_tab_refused(&mut self, stamp: HybridTime, session: HybridTime, asked: HybridTime) {
        let Some(pending) = &self.pending_refresh else { return };
        let waits = !self.queue.is_on_the_wire(pending.auth_call)
            // A refresh token held in memory may differ from the refused one.
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

    /// Whether the known session began before another one. Of a session that was found, only the last outcome
    /// tells that it existed then.
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
        // A queued logout would end the session that has begun.
        self.queue.void_unsent(Kind::Logout);
        // The tab that began it has already removed the mark.
        self.owed = Owed::Nothing;
        // The current token then belongs to that login, or to a later one.
        let is_news = stamp > self.stamp;
        // The same user signed in in another tab: pending calls continue.
        let is_of_same = is_news && self.is_of_same(subject);
        (self.entered, self.login) = (stamp, stamp);
        self.stamp = self.stamp.max(stamp);
        // A refresh that was on the wire while the user signed in unseen is older than that sign-in.
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
            // It was asked for after the login: the other tabs took it for a renewal of the previous session.
            if self.policy.tabs == Tabs::Share && current.asked >= stamp {
                self.reply(now);
            }
            return;
        }
        // A token without a subject may have been taken for the former user's. And a refusal later than that
        // login may have ended the session: then the server is asked.
        let tokens = if is_before { tokens.filter(|_| is_news) } else { self.spare(true, now) };
        if is_of_same {
            // The token may claim to be older than a token which an answer brought: that one belongs to the
            // previous session.
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

    /// A logout is on the wire that ends this session, too: tabs that continue with it are told again.
    /// Anything later stays.
    fn leave_again(&mut self, met: HybridTime) {
        self.left = self.left.max(met);
        self.stamp = self.stamp.max(met);
        if self.owed != Owed::Nothing && self.queue.has_on_the_wire(Kind::Logout) {
            // The tab that began the session has removed the mark, and the logout may fail.
            self.owe(true);
        }
        self.post(Message::Left { stamp: self.left });
    }

    /// There is a session, but no token for it: the next call asks for one.
    pub(super) fn forget(&mut self) {
        if self.status != Status::Unknown {
            self.status = Status::Unknown;
            self.changed();
        }
    }
}
