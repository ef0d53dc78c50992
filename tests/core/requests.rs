//! Requests of the app: they leave, wait, are answered, go on.

use tokenkeep::core::{
    Code, Departure, Failure, Grant, Landing, Meaning, Resource, Restore, Session, Status, Ticket,
};

use super::super::ops::Says;
use super::super::server::Token;
use super::super::tab::{Age, token_in};
use super::{Cause, Place, Request, Rule, World};

impl World {
    pub(super) fn requests_leave(&mut self, tab: usize, repeatable: bool) {
        let known = &self.tabs[tab];
        let (status, age, pauses) =
            (known.status(), known.age(self.now), known.pauses(false, self.now));
        let holds = known.token().is_some();
        let flight = known.flight;
        let owner = known.token().map(|token| (token.session, token.user));
        self.requests.push(Request {
            tab,
            repeatable,
            place: Place::Settled,
            sendings: 0,
            epoch: known.epoch,
            owner,
        });
        let request = self.requests.len() - 1;
        let resource = Resource::new("GET", &request.to_string());
        let departure = self.call(tab, |session, now| (session.depart(resource, now), Cause::App));
        let unsure = self.tabs[tab].may_have_recovered || self.tabs[tab].may_fly;
        let may_ask = flight.is_some() || !pauses;
        let as_ruled = match &departure {
            Departure::Send(_) => match age {
                Some(Age::Good) => true,
                Some(Age::Ending) => pauses,
                Some(Age::Ended) => false,
                None if holds => false,
                None => {
                    status == Status::SignedOut
                        || (self.policy.restore == Restore::Manual && flight.is_none())
                }
            },
            Departure::Wait(_) => may_ask && age != Some(Age::Good) && status != Status::SignedOut,
            Departure::Fail(failure) => {
                !may_ask
                    && failure.code.is_retryable()
                    && matches!(age, None | Some(Age::Ended))
                    && status != Status::SignedOut
            }
            Departure::Deliver => false,
        };
        self.hold(Rule::BeforeSending, as_ruled || unsure, || {
            format!("{departure:?} with {status:?}, {age:?}, pauses: {pauses}, {flight:?}")
        });
        self.goes_on(request, departure);
    }

    pub(super) fn goes_on(&mut self, request: usize, departure: Departure) {
        let tab = self.requests[request].tab;
        match departure {
            Departure::Send(ticket) => self.sends(request, ticket),
            Departure::Wait(wait) => {
                self.wants(tab, wait.exchange, false);
                self.requests[request].place = Place::Waits(wait);
            }
            Departure::Deliver => {
                let sendings = self.requests[request].sendings;
                self.hold(Rule::Settles, sendings > 0, || "nothing was sent".to_owned());
                self.requests[request].place = Place::Settled;
            }
            Departure::Fail(_) => self.requests[request].place = Place::Settled,
        }
    }

    pub(super) fn sends(&mut self, number: usize, ticket: Ticket) {
        let tab = self.requests[number].tab;
        let known = &self.tabs[tab];
        let token =
            known.session.credential(ticket).map(|credential| Token::read(credential.reveal()));
        let (epoch, current, status) = (known.epoch, known.token(), known.status());
        let request = &mut self.requests[number];
        request.sendings += 1;
        let of_now = request.epoch == epoch;
        let owner = request.owner;
        let report = || format!("request {number} of {owner:?} in tab {tab} with {token:?}");
        match token {
            Some(token) => {
                request.owner.get_or_insert((token.session, token.user));
            }
            None if status == Status::SignedOut => {
                request.owner.get_or_insert((0, 0));
            }
            None => {}
        }
        let (sendings, again) = (request.sendings, request.sendings > 1 && !request.repeatable);
        request.place = Place::OnTheWire(ticket, token);
        self.hold(Rule::TwiceAtMost, sendings <= 2, || {
            format!("{}: sent {sendings} times", report())
        });
        self.hold(Rule::TwiceAtMost, !again, || report() + ": a stream, sent again");
        self.hold(Rule::Epoch, of_now, || report() + ": sent in a later epoch");
        self.hold(Rule::Epoch, token == current, || report() + ": not the token of now");
        if let (Some(token), Some((session, user))) = (token, owner) {
            let same = token.session == session || self.several;
            self.hold(Rule::Epoch, same, report);
            self.hold(Rule::OwnToken, user == 0 || token.user == user, report);
        }
    }

    pub(super) fn api_answers(&mut self, number: usize, says: Says) {
        let request = &self.requests[number];
        let Place::OnTheWire(ticket, sent) = request.place else { return };
        let tab = request.tab;
        let of_now = request.epoch == self.tabs[tab].epoch;
        let is_newest = of_now && sent.is_some() && sent == self.tabs[tab].token();
        let settles = |session: &mut Session, meaning, now| {
            session.means(ticket, 200, meaning, true, now) == Departure::Deliver
        };
        let delivered = match says {
            Says::Fine => true,
            Says::Renewed(life) => {
                if let Some(grant) = sent.and_then(|sent| self.server.renew(sent, life)) {
                    self.brings(tab, ticket, grant, is_newest);
                }
                true
            }
            Says::More => self.call(tab, |session, now| {
                (settles(session, Meaning::StepUp(Vec::new()), now), Cause::More { of_now })
            }),
            Says::Ended => {
                if let Some(sent) = sent {
                    self.server.ends(sent.session);
                }
                if !is_newest {
                    return self.api_refuses(number, Meaning::Ended);
                }
                self.call(tab, |session, now| (settles(session, Meaning::Ended, now), Cause::Ended))
            }
            Says::Refused => return self.api_refuses(number, Meaning::Unauthorized),
        };
        self.hold(Rule::Settles, delivered, || format!("{says:?} is not the caller's"));
        self.requests[number].place = Place::Settled;
    }

    /// An answer to a request brings a token along.
    pub(super) fn brings(&mut self, tab: usize, ticket: Ticket, grant: Grant, is_newest: bool) {
        let (token, before) = (token_in(&grant), self.tabs[tab].token());
        if is_newest {
            let now = self.now;
            self.tabs[tab].takes(grant.life, now);
        }
        self.call(tab, |session, now| {
            session.adopt(ticket, grant, now);
            ((), Cause::Granted { token, wanted: is_newest })
        });
        let after = self.tabs[tab].token();
        let as_ruled = after == if is_newest { Some(token) } else { before };
        self.hold(Rule::Adopts, as_ruled, || {
            format!("{token:?} is brought, newest: {is_newest}: {before:?} -> {after:?}")
        });
    }

    /// An answer says that the token has ended, or the session of a token that is not the newest.
    pub(super) fn api_refuses(&mut self, number: usize, meaning: Meaning) {
        let request = &self.requests[number];
        let Place::OnTheWire(ticket, sent) = request.place else { return };
        let (tab, repeatable) = (request.tab, request.repeatable);
        let (first, epoch) = (request.sendings == 1, request.epoch);
        let owned = request.owner;
        let known = &mut self.tabs[tab];
        let held = known.token();
        let of_now = epoch == known.epoch;
        if let Some(sent) = sent
            && first
            && of_now
            && held == Some(sent)
        {
            known.refused.insert(sent.id);
        }
        let flight = known.flight;
        let may_ask = flight.is_some() || known.may_fly || !known.pauses(false, self.now);
        let refused = held.is_some_and(|held| known.refused.contains(&held.id));
        let same = held.map(|held| held.session) == owned.map(|(session, _)| session);
        let departure = self.call(tab, |session, now| {
            (session.means(ticket, 200, meaning, repeatable, now), Cause::App)
        });
        let begun = self.tabs[tab].flight != flight || matches!(departure, Departure::Wait(_));
        let report = || {
            format!("{departure:?} for request {number}: sent {sent:?}, held {held:?}, {flight:?}")
        };
        self.hold(Rule::LateRefusal, refused || !begun, report);
        self.notes_hidden(tab);
        if !first {
            self.hold(Rule::TwiceAtMost, departure == Departure::Deliver && !begun, report);
        } else if !of_now || held.is_none() {
            self.hold(Rule::Epoch, departure == Departure::Deliver && !begun, report);
        } else if same && !self.several {
            // Of several tabs, one may have learned of a new session and gone on within it.
            let as_ruled = match (&departure, refused, repeatable) {
                (Departure::Send(_), false, true) => true,
                (Departure::Wait(_), true, true) => may_ask,
                (Departure::Fail(_), true, true) => !may_ask,
                (Departure::Deliver, false, false) => true,
                (Departure::Deliver, true, false) => {
                    !may_ask || self.tabs[tab].flight.is_some() || self.is_in_line(tab)
                }
                _ => false,
            };
            self.hold(Rule::LateRefusal, as_ruled, report);
        }
        self.goes_on(number, departure);
    }

    /// Whether some exchange of a tab has the turn, so that a refresh does not show yet.
    pub(super) fn is_in_line(&self, tab: usize) -> bool {
        self.line
            .iter()
            .chain(self.holders.iter().map(|(turn, _)| turn))
            .any(|turn| turn.tab == tab)
    }

    /// A refresh may have been wanted behind another exchange: that does not show yet.
    pub(super) fn notes_hidden(&mut self, tab: usize) {
        let known = &self.tabs[tab];
        let may_fly = known.flight.is_none() && !known.pauses(false, self.now);
        self.tabs[tab].may_fly |= may_fly && self.is_in_line(tab);
    }

    pub(super) fn resumes(&mut self, number: usize) {
        let Place::Landed(wait, landing) = self.requests[number].place.clone() else { return };
        let (tab, sendings) = (self.requests[number].tab, self.requests[number].sendings);
        let known = &self.tabs[tab];
        let of_now = self.requests[number].epoch == known.epoch;
        let age = known.age(self.now);
        let usable = age.is_some_and(|age| age != Age::Ended);
        let departure =
            self.call(tab, |session, now| (session.resume(wait, &landing, now), Cause::App));
        let report =
            || format!("{departure:?} after {landing:?} for request {number}, token {age:?}");
        if let (Landing::Failed(failure), true) = (&landing, of_now) {
            let as_ruled = match &departure {
                Departure::Send(_) => usable,
                Departure::Fail(told) => !usable && told == failure,
                _ => false,
            };
            // Of several tabs, one may have learned of a new session of the same user.
            let changed =
                is_session_change(&departure) || sendings > 0 && departure == Departure::Deliver;
            let rule = if sendings == 0 { Rule::EarlyRefresh } else { Rule::OutageTold };
            self.hold(rule, as_ruled || changed && self.several, report);
        }
        match &departure {
            Departure::Wait(_) => self.fault(Rule::Settles, report()),
            Departure::Fail(told) if !matches!(&landing, Landing::Failed(f) if f == told) => {
                let as_ruled = is_session_change(&departure) && (!of_now || self.several);
                self.hold(Rule::Settles, as_ruled && sendings == 0, report);
            }
            _ => {}
        }
        self.goes_on(number, departure);
    }
}

fn is_session_change(departure: &Departure) -> bool {
    matches!(departure, Departure::Fail(Failure { code: Code::SessionChanged, .. }))
}
