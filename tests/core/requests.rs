//! The app's requests: they leave, wait, are answered, and continue.

use tokenkeep::core::{
    Classification, Code, Departure, Failure, RefreshOutcome, Resource, Restore, Session, Status,
    Ticket, TokenResponse,
};

use super::super::ops::Says;
use super::super::server::Token;
use super::super::tab::{Age, token_in};
use super::{Cause, Place, Request, Rule, World};

impl World {
    pub(super) fn requests_leave(&mut self, tab: usize, repeatable: bool, name: u8) {
        let known = &self.tabs[tab];
        let (status, age, pauses) =
            (known.status(), known.age(self.now), known.pauses(false, self.now));
        let holds = known.token().is_some();
        let pending = known.pending_refresh;
        let may_try = known.may_try(name, self.now);
        let owner = known.token().map(|token| (token.session, token.user));
        self.requests.push(Request {
            tab,
            resource: name,
            is_short: false,
            is_trial: false,
            renewed_for_it: false,
            waits: 0,
            repeatable,
            place: Place::Settled,
            sendings: 0,
            epoch: known.epoch,
            owner,
        });
        let request = self.requests.len() - 1;
        let resource = resource_of(name);
        // The question has no effect: the caller may drop the ticket.
        let (seen, due) =
            (self.tabs[tab].seen(), self.tabs[tab].session.renewal_due_in(0.0, self.now));
        let session = &self.tabs[tab].session;
        let short = session.may_leave(self.now);
        self.requests[request].is_short = short.is_some() && !session.watches_resources();
        let is_same = due == self.tabs[tab].session.renewal_due_in(0.0, self.now);
        self.hold(Rule::BeforeSending, is_same && seen == self.tabs[tab].seen(), || {
            "asking whether it may leave has changed something".to_owned()
        });
        let departure = self.call(tab, |session, now| (session.depart(resource, now), Cause::App));
        if let Some(short) = short {
            let is_sent = matches!(&departure, Departure::Send(t) if t.number() == short.number());
            self.hold(Rule::BeforeSending, is_sent, || format!("it may leave, and {departure:?}"));
        }
        let unsure = self.tabs[tab].may_have_recovered
            || self.tabs[tab].may_be_pending
            || self.tabs[tab].is_unsure();
        let may_ask = pending.is_some() || !pauses;
        let as_ruled = match &departure {
            Departure::Send(_) => match age {
                Some(Age::Good) => true,
                Some(Age::Ending) => pauses,
                Some(Age::Ended) => false,
                // Other resources have refused the token, and the back-off forbids a refresh.
                None if holds => may_try && pauses && pending.is_none(),
                None => {
                    status == Status::SignedOut
                        || (self.policy.restore == Restore::Manual && pending.is_none())
                }
            },
            Departure::Wait(_) => may_ask && age != Some(Age::Good) && status != Status::SignedOut,
            Departure::Fail(failure) => {
                !may_ask
                    && !may_try
                    && failure.code.is_retryable()
                    && matches!(age, None | Some(Age::Ended))
                    && status != Status::SignedOut
            }
            Departure::Deliver => false,
        };
        self.hold(Rule::BeforeSending, as_ruled || unsure, || {
            format!("{departure:?} with {status:?}, {age:?}, pauses: {pauses}, {pending:?}")
        });
        self.goes_on(request, departure);
    }

    pub(super) fn goes_on(&mut self, request: usize, departure: Departure) {
        let tab = self.requests[request].tab;
        match departure {
            Departure::Send(ticket) => self.sends(request, ticket),
            Departure::Wait(wait) => {
                self.wants(tab, wait.auth_call, false);
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
        let is_refused = current.is_some_and(|token| known.is_refused(token.id));
        let is_elsewhere = self.is_elsewhere;
        let request = &mut self.requests[number];
        request.sendings += 1;
        request.is_trial = is_refused && request.sendings == 1;
        request.is_short &= request.sendings == 1;
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
        self.requests[number].waits = 0;
        self.hold(Rule::TwiceAtMost, sendings <= 2, || {
            format!("{}: sent {sendings} times", report())
        });
        self.hold(Rule::TwiceAtMost, !again, || report() + ": a stream, sent again");
        self.hold(Rule::Epoch, of_now, || report() + ": sent in a later epoch");
        self.hold(Rule::Epoch, token == current, || report() + ": not the token of now");
        if let (Some(token), Some((session, user))) = (token, owner) {
            // The same user may have another session, which no token shows.
            let same = token.session == session
                || self.several
                || token.user == user && (is_elsewhere || self.tells_subject);
            self.hold(Rule::Epoch, same, report);
            self.hold(Rule::OwnToken, user == 0 || token.user == user, report);
        }
    }

    pub(super) fn api_answers(&mut self, number: usize, says: Says) {
        let request = &self.requests[number];
        let Place::OnTheWire(ticket, sent) = request.place else { return };
        let (tab, is_short) = (request.tab, request.is_short);
        let of_now = request.epoch == self.tabs[tab].epoch;
        let is_newest = of_now && sent.is_some() && sent == self.tabs[tab].token();
        let settles = |session: &mut Session, classification, now| {
            session.classified(ticket, 200, classification, true, now) == Departure::Deliver
        };
        let delivered = match says {
            Says::Fine | Says::Cached | Says::Renewed(_)
                if self.forbidden & 1 << request.resource != 0 =>
            {
                return self.api_refuses(number, Classification::Unauthorized);
            }
            Says::Fine if is_short => true,
            Says::Fine => self.accepts(number, is_newest),
            Says::Cached => {
                if let Some(tokens) = self.tabs[tab].previous.clone().filter(|_| of_now) {
                    self.brings(tab, ticket, tokens, false);
                }
                true
            }
            Says::Renewed(life) => {
                if let Some(tokens) = sent.and_then(|sent| self.server_mut(tab).renew(sent, life)) {
                    // The new token is as recent as the token that brought it.
                    if let Some(at) = sent.and_then(|sent| self.asked.get(&sent.id)).copied() {
                        self.asked.insert(token_in(&tokens).id, at);
                    }
                    self.brings(tab, ticket, tokens, is_newest);
                }
                true
            }
            Says::More => self.call(tab, |session, now| {
                (settles(session, Classification::StepUp(Vec::new()), now), Cause::More { of_now })
            }),
            Says::Ended => {
                if let Some(sent) = sent {
                    self.server_mut(tab).ends(sent.session);
                }
                if !is_newest {
                    return self.api_refuses(number, Classification::Ended);
                }
                self.call(tab, |session, now| {
                    (settles(session, Classification::Ended, now), Cause::Ended)
                })
            }
            Says::Refused => return self.api_refuses(number, Classification::Unauthorized),
        };
        self.hold(Rule::Settles, delivered, || format!("{says:?} is not the caller's"));
        self.requests[number].place = Place::Settled;
    }

    /// A resource accepts the token.
    fn accepts(&mut self, number: usize, is_newest: bool) -> bool {
        let request = &self.requests[number];
        let Place::OnTheWire(ticket, sent) = request.place else { return true };
        let (tab, resource, is_trial) = (request.tab, request.resource, request.is_trial);
        let is_delivered = self.call(tab, |session, now| {
            let departure = session.classified(ticket, 200, Classification::Plain, true, now);
            (departure == Departure::Deliver, Cause::App)
        });
        if let Some(sent) = sent.filter(|_| is_newest) {
            let now = self.now;
            self.tabs[tab].accepts(resource, sent.id, is_trial, now);
        }
        is_delivered
    }

    /// An answer to a request brings a token.
    pub(super) fn brings(
        &mut self,
        tab: usize,
        ticket: Ticket,
        tokens: TokenResponse,
        is_newest: bool,
    ) {
        let (token, before) = (token_in(&tokens), self.tabs[tab].token());
        if is_newest {
            let now = self.now;
            self.tabs[tab].takes(&tokens, now);
        }
        self.call(tab, |session, now| {
            session.adopt(ticket, tokens, now);
            ((), Cause::Granted { token, wanted: is_newest })
        });
        let after = self.tabs[tab].token();
        let as_ruled = after == if is_newest { Some(token) } else { before };
        self.hold(Rule::Adopts, as_ruled, || {
            format!("{token:?} is brought, newest: {is_newest}: {before:?} -> {after:?}")
        });
    }

    /// An answer says that the token has ended, or that the session of an older token has.
    pub(super) fn api_refuses(&mut self, number: usize, classification: Classification) {
        let request = &self.requests[number];
        let Place::OnTheWire(ticket, sent) = request.place else { return };
        let (tab, repeatable) = (request.tab, request.repeatable);
        let (first, epoch) = (request.sendings == 1, request.epoch);
        let (owned, resource) = (request.owner, request.resource);
        // The fast path keeps only the number.
        let ticket = match request.is_short {
            true => Ticket::first(ticket.number(), resource_of(resource)),
            false => ticket,
        };
        let renewed_for_it = request.renewed_for_it;
        let now = self.now;
        let known = &mut self.tabs[tab];
        let held = known.token();
        let of_now = epoch == known.epoch;
        if let Some(sent) = sent
            && (first || renewed_for_it)
            && of_now
            && held == Some(sent)
        {
            known.refuses(resource, sent.id, first, now);
        }
        let is_newest = of_now && sent.is_some() && held == sent;
        let forbidden =
            is_newest && sent.is_some_and(|sent| known.is_forbidden(resource, sent.id, now));
        if let Some(sent) = sent.filter(|_| forbidden && self.several) {
            known.unsure.insert(sent.id);
        }
        let pending = known.pending_refresh;
        let may_ask = pending.is_some() || known.may_be_pending || !known.pauses(false, self.now);
        let refused = held.is_some_and(|held| known.is_refused(held.id));
        let same = held.map(|held| held.user) == owned.map(|(_, user)| user);
        let departure = self.call(tab, |session, now| {
            (session.classified(ticket, 200, classification, repeatable, now), Cause::App)
        });
        let begun =
            self.tabs[tab].pending_refresh != pending || matches!(departure, Departure::Wait(_));
        let report = || {
            format!("{departure:?} for request {number}: sent {sent:?}, held {held:?}, {pending:?}")
        };
        self.hold(Rule::LateRefusal, refused || !begun || self.tabs[tab].is_unsure(), report);
        // Each refusal of a token by a resource causes one refresh, however many calls there are.
        if let (true, true, Some(held)) = (begun && pending.is_none(), is_newest, held) {
            let is_first = self.tabs[tab].cost.insert((held.id, resource));
            self.hold(Rule::Forbidden, is_first, || report() + ": once more for the same token");
        }
        if !forbidden {
            self.notes_hidden(tab);
        }
        if !first {
            self.hold(Rule::TwiceAtMost, departure == Departure::Deliver && !begun, report);
        } else if !of_now || held.is_none() {
            self.hold(Rule::Epoch, departure == Departure::Deliver && !begun, report);
        } else if forbidden && !self.several {
            self.hold(Rule::Forbidden, departure == Departure::Deliver && !begun, report);
        } else if same && !self.several {
            // With several tabs, this tab may have learned of a new session and continued in it.
            let as_ruled = match (&departure, refused, repeatable) {
                (Departure::Send(_), false, true) => true,
                (Departure::Wait(_), true, true) => may_ask,
                (Departure::Fail(_), true, true) => !may_ask,
                (Departure::Deliver, false, false) => true,
                (Departure::Deliver, true, false) => {
                    !may_ask || self.tabs[tab].pending_refresh.is_some() || self.is_in_line(tab)
                }
                _ => false,
            };
            self.hold(Rule::LateRefusal, as_ruled, report);
        }
        self.goes_on(number, departure);
    }

    /// Whether an auth call of the tab is queued, which hides a refresh behind it.
    pub(super) fn is_in_line(&self, tab: usize) -> bool {
        self.line
            .iter()
            .chain(self.holders.iter().map(|(turn, _)| turn))
            .any(|turn| turn.tab == tab)
    }

    /// Notes that a refresh may be wanted behind another auth call, where it does not show yet.
    pub(super) fn notes_hidden(&mut self, tab: usize) {
        let known = &self.tabs[tab];
        let may_be_pending = known.pending_refresh.is_none() && !known.pauses(false, self.now);
        self.tabs[tab].may_be_pending |= may_be_pending && self.is_in_line(tab);
    }

    pub(super) fn resumes(&mut self, number: usize) {
        let Place::RefreshSettled(wait, outcome) = self.requests[number].place.clone() else {
            return;
        };
        let (tab, sendings) = (self.requests[number].tab, self.requests[number].sendings);
        let known = &self.tabs[tab];
        let is_unsure = known.is_unsure();
        let is_refused = is_unsure || known.token().is_some_and(|token| known.is_refused(token.id));
        let pauses = known.pauses(false, self.now) || known.may_have_recovered;
        let may_try = known.may_try(self.requests[number].resource, self.now)
            && pauses
            && known.pending_refresh.is_none();
        let of_now = self.requests[number].epoch == known.epoch;
        let age = known.age(self.now);
        let usable = age.is_some_and(|age| age != Age::Ended);
        let departure =
            self.call(tab, |session, now| (session.resume(wait, &outcome, now), Cause::App));
        let report =
            || format!("{departure:?} after {outcome:?} for request {number}, token {age:?}");
        if let (RefreshOutcome::Failed(failure), true, false) = (&outcome, of_now, is_unsure) {
            let as_ruled = match &departure {
                Departure::Send(_) => usable || may_try && sendings == 0,
                Departure::Fail(told) => !usable && told == failure,
                _ => false,
            };
            // With several tabs, this tab may have learned of a new session of the same user.
            let changed =
                is_session_change(&departure) || sendings > 0 && departure == Departure::Deliver;
            let rule = if sendings == 0 { Rule::EarlyRefresh } else { Rule::OutageTold };
            self.hold(rule, as_ruled || changed && self.several, report);
        }
        match &departure {
            Departure::Wait(_) => {
                // The token was refused after the refresh settled.
                self.requests[number].waits += 1;
                let as_ruled = is_refused && self.requests[number].waits <= 3 && of_now;
                self.hold(Rule::Settles, as_ruled || self.several, report);
            }
            // In addition, the back-off forbids another refresh.
            Departure::Fail(told) if is_refused && pauses && told.code.is_retryable() => {}
            Departure::Fail(told) if !matches!(&outcome, RefreshOutcome::Failed(f) if f == told) => {
                let as_ruled = is_session_change(&departure) && (!of_now || self.several);
                self.hold(Rule::Settles, as_ruled && sendings == 0, report);
            }
            _ => {}
        }
        let is_renewed = matches!(outcome, RefreshOutcome::Renewed);
        self.requests[number].renewed_for_it = sendings > 0 && is_renewed;
        self.goes_on(number, departure);
    }
}

fn resource_of(name: u8) -> Resource {
    Resource::new(
        "GET",
        ["https://api.test/a", "https://api.test/b", "https://api.test/c"][usize::from(name)],
    )
}

fn is_session_change(departure: &Departure) -> bool {
    matches!(departure, Departure::Fail(Failure { code: Code::SessionChanged, .. }))
}
