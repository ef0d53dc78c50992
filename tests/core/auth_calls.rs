//! Refreshes, logins and logouts: the lock, the wire, the answer.

use tokenkeep::core::{
    Arrival, AuthResponse, Body, Code, Flaw, Kind, Renewal, RetryAfter, Session, TokenResponse,
};

use super::super::ops::{Answer, Outage};
use super::super::tab::token_in;
use super::{Cause, Outcome, Rule, Stage, Turn, World};

impl World {
    pub(super) fn locks(&mut self) {
        // Tabs that do not cooperate have no lock: the session's own queue has to be enough.
        if self.several && !self.holders.is_empty() {
            return;
        }
        let Some(turn) = self.line.pop_front() else { return };
        self.catches_up(turn.tab);
        for waiting in self.line.iter_mut().filter(|waiting| waiting.tab != turn.tab) {
            waiting.contended = true;
        }
        self.arrives(turn, turn.contended);
    }

    /// A cookie is the same in all tabs, whatever they know. A refresh token in memory is as new as the last
    /// message: messages arrive faster than a tab gets the lock or stops listening.
    fn catches_up(&mut self, tab: usize) {
        if self.policy.renewal == Renewal::WithToken {
            self.delivers_all_to(tab);
        }
    }

    pub(super) fn arrives(&mut self, turn: Turn, contended: bool) {
        let Turn { tab, auth_call, kind, .. } = turn;
        let wanted = self.tabs[tab].pending_refresh == Some(auth_call);
        let in_memory = self.policy.renewal == Renewal::WithToken;
        let has_none = in_memory && self.tabs[tab].refresh_token().is_none();
        if contended {
            self.tabs[tab].contended.insert(auth_call);
        }
        let arrival = self.call(tab, |session, now| {
            let arrival = session.arrive(auth_call, contended, now);
            let is_refused = arrival == Arrival::Skip && wanted && has_none;
            (
                arrival,
                if is_refused { Cause::Refused { wanted, overtaken: false } } else { Cause::App },
            )
        });
        let stage = match arrival {
            Arrival::Go => {
                let is_refresh = kind == Kind::Refresh;
                self.hold(Rule::Epoch, !is_refresh || wanted, || {
                    format!("{auth_call:?} goes, unwanted")
                });
                self.hold(Rule::AsksWithToken, !is_refresh || !has_none, || {
                    format!("{auth_call:?} asks with nothing")
                });
                let on_the_wire = |(_, stage): &(Turn, Stage)| matches!(stage, Stage::OnTheWire(_));
                let alone = !self.holders.iter().any(on_the_wire);
                self.hold(Rule::NoOverlap, alone, || format!("{turn:?} overlaps another call"));
                if kind == Kind::Logout {
                    let known = &self.tabs[tab];
                    let was = known.entries_at.get(&auth_call).copied().unwrap_or(0);
                    let is_newest = was == known.entries;
                    self.hold(Rule::PendingLogout, is_newest, || {
                        format!("{turn:?} ends a session that began after it was wanted")
                    });
                }
                self.sent.insert((tab, auth_call), self.now.wall);
                Stage::OnTheWire(match kind {
                    _ if !in_memory => self.server(tab).cookie(),
                    Kind::Logout => self.tabs[tab].last_words.remove(&auth_call),
                    Kind::Refresh | Kind::Login => self.tabs[tab].refresh_token(),
                })
            }
            Arrival::Skip => {
                self.tabs[tab].logins.remove(&auth_call);
                Stage::Over
            }
            Arrival::Listen => Stage::Listens,
        };
        self.holders.push((turn, stage));
    }

    pub(super) fn listened(&mut self) {
        let listening = self.holders.iter().position(|(_, stage)| *stage == Stage::Listens);
        if let Some((turn, _)) = listening.map(|at| self.holders.remove(at)) {
            self.catches_up(turn.tab);
            self.arrives(turn, false);
        }
    }

    pub(super) fn unlocks(&mut self) {
        let over = self.holders.iter().position(|(_, stage)| *stage == Stage::Over);
        if let Some((turn, _)) = over.map(|at| self.holders.remove(at)) {
            if turn.kind == Kind::Logout {
                // By now, all news from before the call has arrived.
                self.delivers_all_to(turn.tab);
            }
            self.sent.remove(&(turn.tab, turn.auth_call));
            self.call(turn.tab, |session, _| (session.finished(turn.auth_call), Cause::App));
        }
    }

    pub(super) fn answers(&mut self, answer: Answer, chance: f64) {
        let call = self.holders.iter_mut().find_map(|(turn, stage)| match *stage {
            Stage::OnTheWire(cookie) => {
                *stage = Stage::Answered;
                Some((*turn, cookie))
            }
            _ => None,
        });
        let Some((turn, cookie)) = call else { return };
        // A call takes longer than one moment, and longer than the few milliseconds by which timestamps set
        // apart several outcomes of one moment.
        self.ticks(20);
        let outcome = match turn.kind {
            Kind::Refresh => self.answers_refresh(turn, cookie, answer, chance),
            Kind::Login => self.answers_login(turn, answer),
            Kind::Logout => self.answers_logout(turn, cookie, answer),
        };
        self.unheard.push((turn, outcome));
    }

    /// The page hears the answer.
    pub(super) fn hears(&mut self) {
        if self.unheard.is_empty() {
            return;
        }
        let (turn, outcome) = self.unheard.remove(0);
        let is_it = |(other, _): &&mut (Turn, Stage)| {
            (other.tab, other.auth_call) == (turn.tab, turn.auth_call)
        };
        if let Some((_, stage)) = self.holders.iter_mut().find(is_it) {
            *stage = Stage::Over;
        }
        match outcome {
            Outcome::Refresh { response, outage, chance } => {
                self.refresh_is_answered(turn, response, outage, chance);
            }
            Outcome::Login { response } => self.login_is_answered(turn, response),
            Outcome::Logout { status } => {
                let answered =
                    |session: &mut Session, _| (session.logout_answered(status), Cause::App);
                let _ = self.call(turn.tab, answered);
            }
        }
    }

    fn answers_refresh(
        &mut self,
        Turn { tab, auth_call, .. }: Turn,
        cookie: Option<u32>,
        answer: Answer,
        chance: f64,
    ) -> Outcome {
        let (response, outage) = match answer {
            Answer::Well(life) => match self.server_mut(tab).refresh(cookie, life) {
                Some(tokens) => {
                    if let Some(at) = self.sent.get(&(tab, auth_call)) {
                        self.asked.insert(token_in(&tokens).id, *at);
                    }
                    (Ok(granted(tokens)), None)
                }
                None => (Ok(plain(401, Body::Empty)), None),
            },
            Answer::Refuse => {
                self.server_mut(tab).end();
                (Ok(plain(403, Body::Empty)), None)
            }
            Answer::Outage(outage) => {
                let (code, response) = outage_of(outage);
                (response.ok_or(code), Some(outage))
            }
        };
        Outcome::Refresh { response, outage, chance }
    }

    fn answers_login(&mut self, Turn { tab, auth_call, .. }: Turn, answer: Answer) -> Outcome {
        let response = match answer {
            Answer::Well(life) => {
                let user = self.tabs[tab].logins.get(&auth_call).copied().unwrap_or_default();
                Some(granted(self.server_mut(tab).login(user, life)))
            }
            Answer::Refuse => Some(plain(401, Body::Empty)),
            Answer::Outage(outage) => outage_of(outage).1,
        };
        Outcome::Login { response }
    }

    fn answers_logout(&mut self, turn: Turn, cookie: Option<u32>, answer: Answer) -> Outcome {
        let status = match answer {
            Answer::Well(_) => {
                self.server_mut(turn.tab).logout(cookie);
                Ok(204)
            }
            Answer::Refuse => Ok(403),
            Answer::Outage(outage) => match outage_of(outage) {
                (_, Some(response)) if response.status != 200 => Ok(response.status),
                (code, _) => Err(code),
            },
        };
        Outcome::Logout { status }
    }

    fn refresh_is_answered(
        &mut self,
        Turn { tab, auth_call, .. }: Turn,
        response: Result<AuthResponse, Code>,
        outage: Option<Outage>,
        chance: f64,
    ) {
        let wanted = self.tabs[tab].pending_refresh == Some(auth_call);
        if let Some(outage) = outage {
            self.call(tab, |session, now| {
                match response {
                    Ok(response) => session.refresh_answered(auth_call, response, chance, now),
                    Err(code) => session.refresh_failed(auth_call, code, chance, now),
                }
                ((), Cause::Outage)
            });
            if wanted {
                let named = if let Outage::Busy(named) = outage { named } else { None };
                // The next refused resource may ask once more.
                self.tabs[tab].cost.clear();
                self.tabs[tab].fails(named, chance, self.now);
            }
            return;
        }
        let Ok(response) = response else { return };
        let doubts = self.tabs[tab].session.doubts(&response);
        let known = &self.tabs[tab];
        let may_doubt = known.has_met || known.contended.contains(&auth_call);
        self.hold(Rule::Doubts, may_doubt || !doubts, || {
            format!("tab {tab} waits for news of others, and there are none")
        });
        if doubts && chance < 0.5 {
            self.delivers_all_to(tab);
        }
        let wanted = self.tabs[tab].pending_refresh == Some(auth_call);
        let cause = match &response.body {
            Body::Json { tokens: Ok(tokens), .. } => {
                if wanted {
                    let now = self.now;
                    self.tabs[tab].takes(tokens, now);
                }
                Cause::Granted { token: token_in(tokens), wanted }
            }
            _ => Cause::Refused { wanted, overtaken: self.tabs[tab].may_be_newer },
        };
        self.call(tab, |session, now| {
            (session.refresh_answered(auth_call, response, chance, now), cause)
        });
    }

    fn login_is_answered(
        &mut self,
        Turn { tab, auth_call, .. }: Turn,
        response: Option<AuthResponse>,
    ) {
        if self.tabs[tab].logins.remove(&auth_call).is_none() {
            return self.fault(Rule::Settles, format!("{auth_call:?} is nobody's login"));
        }
        // If the call reached no server, the session hears nothing.
        let Some(response) = response else { return };
        let tokens = match &response.body {
            Body::Json { tokens: Ok(tokens), .. } => Some(tokens.clone()),
            _ => None,
        };
        let result = self.call(tab, |session, now| {
            let result = session.login_answered(auth_call, response, now);
            let cause = match (&result, &tokens) {
                (Ok(()), Some(tokens)) => Cause::Entered(token_in(tokens)),
                _ => Cause::App,
            };
            (result, cause)
        });
        let overtaken = self.tabs[tab].overtaken.contains(&auth_call);
        self.hold(Rule::LogoutHolds, result.is_err() || !overtaken, || {
            format!("the login {auth_call:?} undoes a logout that came after it")
        });
        if let (Ok(()), Some(tokens)) = (&result, tokens) {
            let now = self.now;
            self.tabs[tab].takes(&tokens, now);
        }
    }
}

fn granted(tokens: TokenResponse) -> AuthResponse {
    plain(200, Body::Json { error: None, tokens: Ok(tokens) })
}

fn plain(status: u16, body: Body) -> AuthResponse {
    AuthResponse { status, body, rejected: None, retry_after: None }
}

/// What the page learns in an outage: a code, or an answer that says nothing about the session.
fn outage_of(outage: Outage) -> (Code, Option<AuthResponse>) {
    match outage {
        Outage::Network => (Code::Network, None),
        Outage::Timeout => (Code::Timeout, None),
        Outage::Busy(named) => {
            let retry_after = named.map(RetryAfter);
            (
                Code::BadStatus,
                Some(AuthResponse { status: 503, body: Body::Empty, rejected: None, retry_after }),
            )
        }
        Outage::Foreign { is_json } => {
            let json = Body::Json { error: None, tokens: Err(Flaw::NoString) };
            (Code::BadAnswer, Some(plain(200, if is_json { json } else { Body::Other })))
        }
        Outage::Page => (Code::BadStatus, Some(plain(403, Body::Other))),
    }
}
