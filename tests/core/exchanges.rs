//! Refreshes, logins and logouts: the lock, the wire, the answer.

use tokenkeep::core::{Arrival, Body, Code, Grant, Heard, Kind, Renewal, RetryAfter};

use super::super::ops::{Answer, Outage};
use super::super::tab::token_in;
use super::{Cause, Rule, Stage, Turn, World};

impl World {
    pub(super) fn locks(&mut self) {
        // Where tabs do nothing for each other there is no lock: the session's own line must do.
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

    /// A cookie is the same in all tabs, whatever they know. A refresh token in memory is as old as
    /// the last message: no lock is had, and nobody listens, for less than one takes.
    fn catches_up(&mut self, tab: usize) {
        if self.policy.renewal == Renewal::WithToken {
            self.delivers_all_to(tab);
        }
    }

    pub(super) fn arrives(&mut self, turn: Turn, contended: bool) {
        let Turn { tab, exchange, kind, .. } = turn;
        let wanted = self.tabs[tab].flight == Some(exchange);
        let in_memory = self.policy.renewal == Renewal::WithToken;
        let has_none = in_memory && self.tabs[tab].refresh_token().is_none();
        let arrival = self.call(tab, |session, now| {
            let arrival = session.arrive(exchange, contended, now);
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
                    format!("{exchange:?} goes, unwanted")
                });
                self.hold(Rule::AsksWithToken, !is_refresh || !has_none, || {
                    format!("{exchange:?} asks with nothing")
                });
                let on_the_wire = |(_, stage): &(Turn, Stage)| matches!(stage, Stage::OnTheWire(_));
                let alone = !self.holders.iter().any(on_the_wire);
                self.hold(Rule::NoOverlap, alone, || format!("{turn:?} overlaps another call"));
                Stage::OnTheWire(match kind {
                    _ if !in_memory => self.server.cookie(),
                    Kind::Logout => self.tabs[tab].last_words.remove(&exchange),
                    Kind::Refresh | Kind::Login => self.tabs[tab].refresh_token(),
                })
            }
            Arrival::Skip => {
                self.tabs[tab].logins.remove(&exchange);
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
                // By now, news from before the call has come.
                self.delivers_all_to(turn.tab);
            }
            self.call(turn.tab, |session, _| (session.finished(turn.exchange), Cause::App));
        }
    }

    pub(super) fn answers(&mut self, answer: Answer, chance: f64) {
        let call = self.holders.iter_mut().find_map(|(turn, stage)| match *stage {
            Stage::OnTheWire(cookie) => {
                *stage = Stage::Over;
                Some((*turn, cookie))
            }
            _ => None,
        });
        let Some((turn, cookie)) = call else { return };
        // No call is there and back within the same moment, nor within the few that several outcomes
        // of one moment are set apart by.
        self.ticks(20);
        match turn.kind {
            Kind::Refresh => self.refresh_is_answered(turn, cookie, answer, chance),
            Kind::Login => self.login_is_answered(turn, answer),
            Kind::Logout => self.logout_is_answered(turn, cookie, answer),
        }
    }

    pub(super) fn refresh_is_answered(
        &mut self,
        Turn { tab, exchange, .. }: Turn,
        cookie: Option<u32>,
        answer: Answer,
        chance: f64,
    ) {
        let wanted = self.tabs[tab].flight == Some(exchange);
        let heard = match answer {
            Answer::Well(life) => match self.server.refresh(cookie, life) {
                Some(grant) => granted(grant),
                None => plain(401, Body::Empty),
            },
            Answer::Refuse => {
                self.server.end();
                plain(403, Body::Empty)
            }
            Answer::Outage(outage) => {
                let (code, heard) = outage_of(outage);
                self.call(tab, |session, now| {
                    match heard {
                        Some(heard) => session.refresh_answered(exchange, heard, chance, now),
                        None => session.refresh_failed(exchange, code, chance, now),
                    }
                    ((), Cause::Outage)
                });
                if wanted {
                    let named = if let Outage::Busy(named) = outage { named } else { None };
                    self.tabs[tab].fails(named, chance, self.now);
                }
                return;
            }
        };
        let cause = match &heard.body {
            Body::Json { grant: Ok(grant), .. } => {
                if wanted {
                    self.tabs[tab].takes(grant.life, self.now);
                }
                Cause::Granted { token: token_in(grant), wanted }
            }
            _ => Cause::Refused { wanted, overtaken: self.tabs[tab].may_be_newer },
        };
        self.call(tab, |session, now| {
            (session.refresh_answered(exchange, heard, chance, now), cause)
        });
    }

    pub(super) fn login_is_answered(&mut self, Turn { tab, exchange, .. }: Turn, answer: Answer) {
        let Some(user) = self.tabs[tab].logins.remove(&exchange) else {
            return self.fault(Rule::Settles, format!("{exchange:?} is nobody's login"));
        };
        let heard = match answer {
            Answer::Well(life) => granted(self.server.login(user, life)),
            Answer::Refuse => plain(401, Body::Empty),
            Answer::Outage(outage) => match outage_of(outage) {
                (_, Some(heard)) => heard,
                // There is nothing to tell the session of.
                (_, None) => return,
            },
        };
        let grant = match &heard.body {
            Body::Json { grant: Ok(grant), .. } => Some(grant.clone()),
            _ => None,
        };
        let result = self.call(tab, |session, now| {
            let result = session.login_answered(exchange, heard, now);
            let cause = match (&result, &grant) {
                (Ok(()), Some(grant)) => Cause::Entered(token_in(grant)),
                _ => Cause::App,
            };
            (result, cause)
        });
        let overtaken = self.tabs[tab].overtaken.contains(&exchange);
        self.hold(Rule::LogoutHolds, result.is_err() || !overtaken, || {
            format!("the login {exchange:?} undoes a logout that came after it")
        });
        if let (Ok(()), Some(grant)) = (&result, grant) {
            self.tabs[tab].takes(grant.life, self.now);
        }
    }

    pub(super) fn logout_is_answered(
        &mut self,
        Turn { tab, .. }: Turn,
        cookie: Option<u32>,
        answer: Answer,
    ) {
        let status = match answer {
            Answer::Well(_) => {
                self.server.logout(cookie);
                Ok(204)
            }
            Answer::Refuse => Ok(403),
            Answer::Outage(outage) => match outage_of(outage) {
                (_, Some(heard)) => Ok(heard.status),
                (code, None) => Err(code),
            },
        };
        let _ = self.call(tab, |session, _| (session.logout_answered(status), Cause::App));
    }
}

fn granted(grant: Grant) -> Heard {
    plain(200, Body::Json { error: None, grant: Ok(grant) })
}

fn plain(status: u16, body: Body) -> Heard {
    Heard { status, body, rejected: None, retry_after: None }
}

/// What is heard in an outage: a code, or an answer that says nothing about the session.
fn outage_of(outage: Outage) -> (Code, Option<Heard>) {
    match outage {
        Outage::Network => (Code::Network, None),
        Outage::Timeout => (Code::Timeout, None),
        Outage::Busy(named) => {
            let retry_after = named.map(RetryAfter);
            (
                Code::BadStatus,
                Some(Heard { status: 503, body: Body::Empty, rejected: None, retry_after }),
            )
        }
        Outage::Page => (Code::BadStatus, Some(plain(403, Body::Other))),
    }
}
