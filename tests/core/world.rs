//! The model world: tabs, their requests, one cookie jar, one server, one lock, messages under way,
//! a clock. It does what the sessions ask for and holds every rule against what they do. Whatever
//! breaks a rule is noted under the rule's name; who drives the world decides which rule to hold.

use std::collections::{BTreeMap, VecDeque};

use tokenkeep::core::{
    Arrival, Body, Code, Departure, Effect, Event, Exchange, Failure, Grant, Heard, Kind, Landing,
    Message, Now, Policy, Reason, Restore, RetryAfter, Snapshot, Status, Tabs, Ticket, Wait,
};

use super::ops::{Answer, Life, Op, Outage};
use super::server::{Server, SessionId, Token, User};
use super::tab::{Age, Tab, Told, token_in, token_of};

/// The rules, as far as a run of the world shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    OneRefresh,
    TwiceAtMost,
    BeforeSending,
    LateRefusal,
    Epoch,
    Settles,
    Cooldown,
    NoOverlap,
    RejectedOnce,
    OutageKeeps,
    LogoutHolds,
    EarlyRefresh,
    NoBusyLoop,
    OncePerFact,
    NoReuse,
    OwnToken,
}

/// Where a request is.
#[derive(Clone, Debug)]
enum Place {
    Waits(Wait),
    Landed(Wait, Landing),
    OnTheWire(Ticket, Option<Token>),
    Settled,
}

#[derive(Clone, Debug)]
struct Request {
    tab: usize,
    repeatable: bool,
    place: Place,
    sendings: u32,
    /// The tab's epoch when it began.
    epoch: u32,
    /// The session and the user that it belongs to, as soon as there is one. Session zero is none.
    owner: Option<(SessionId, User)>,
}

/// What an exchange does that has the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Listens,
    /// On the wire, with this cookie.
    OnTheWire(Option<u32>),
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    tab: usize,
    exchange: Exchange,
    kind: Kind,
    contended: bool,
}

/// What a call to a session was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Nothing that changes what is known of the session.
    App,
    /// `refresh()`.
    Asked,
    /// A refresh that is waited for, or no longer is, was granted.
    Granted { token: Token, wanted: bool },
    /// A refresh was refused.
    Refused { wanted: bool },
    /// A refresh did not reach the server.
    Outage,
    /// A session began here.
    Entered(Token),
    /// `logout()`.
    Left,
    /// A message came; whether it told of a renewal.
    Heard { renewal: bool },
}

/// The world.
#[derive(Debug)]
pub struct World {
    policy: Policy,
    several: bool,
    now: Now,
    server: Server,
    tabs: Vec<Tab>,
    requests: Vec<Request>,
    line: VecDeque<Turn>,
    holders: Vec<(Turn, Stage)>,
    mail: BTreeMap<(usize, usize), VecDeque<Message>>,
    /// The mark that outlives a page.
    owed: bool,
    /// Whether the tabs' clock has been set back. Then news of before and after has no order, and
    /// what hangs on it is not held.
    is_set_back: bool,
    faults: Vec<(Rule, String)>,
}

impl World {
    /// A world in which everything of a life has happened, and every answer and message has arrived.
    pub fn lived(life: &Life) -> Self {
        let mut world = Self::begun(life);
        for op in &life.ops {
            world.happens(*op);
        }
        world.drains();
        world
    }

    /// A world in which nothing has happened yet.
    pub fn begun(life: &Life) -> Self {
        let mut world = Self {
            policy: Policy {
                refresh_before: life.refresh_before,
                restore: life.restore,
                tabs: life.tabs,
                ..Policy::default()
            },
            several: life.tabs != Tabs::Off,
            now: Now { wall: 1_000_000_000_000, steady: 0 },
            server: Server::new(life.tells_subject),
            tabs: Vec::new(),
            requests: Vec::new(),
            line: VecDeque::new(),
            holders: Vec::new(),
            mail: BTreeMap::new(),
            owed: false,
            is_set_back: false,
            faults: Vec::new(),
        };
        // Somebody had signed in before the page began.
        let _ = world.server.login(1, None);
        for _ in 0..life.many {
            world.opens();
        }
        world
    }

    /// What broke a rule.
    pub fn faults(&self, rule: Rule) -> Vec<&str> {
        self.faults.iter().filter(|(of, _)| *of == rule).map(|(_, fault)| fault.as_str()).collect()
    }

    /// What broke any rule.
    pub fn all_faults(&self) -> &[(Rule, String)] {
        &self.faults
    }

    fn fault(&mut self, rule: Rule, what: String) {
        self.faults.push((rule, what));
    }

    fn hold(&mut self, rule: Rule, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(rule, what());
        }
    }

    /// One thing happens. Where there is nothing that it could happen to, nothing does.
    pub fn happens(&mut self, op: Op) {
        let tab = |number: u8| usize::from(number) % self.tabs.len();
        match op {
            Op::Request { tab: t, repeatable } => self.requests_leave(tab(t), repeatable),
            Op::Api { request, refuses } => {
                let on_the_wire = |request: &Request| matches!(request.place, Place::OnTheWire(..));
                if let Some(request) = self.pick(request, on_the_wire) {
                    self.api_answers(request, refuses);
                }
            }
            Op::Resume { request } => {
                let landed = |request: &Request| matches!(request.place, Place::Landed(..));
                if let Some(request) = self.pick(request, landed) {
                    self.resumes(request);
                }
            }
            Op::Abort { request } => {
                let open = |request: &Request| !matches!(request.place, Place::Settled);
                if let Some(request) = self.pick(request, open) {
                    self.requests[request].place = Place::Settled;
                }
            }
            Op::Refresh { tab: t } => self.refreshes(tab(t)),
            Op::Login { tab: t, user } => self.logs_in(tab(t), user),
            Op::SetTokens { tab: t, user } => self.sets_tokens(tab(t), user),
            Op::Logout { tab: t, reachable } => self.logs_out(tab(t), reachable),
            Op::Lock => self.locks(),
            Op::Listened => self.listened(),
            Op::Answer { answer, chance } => self.answers(answer, chance),
            Op::Unlock => self.unlocks(),
            Op::Round { answer, chance } => {
                self.locks();
                self.listened();
                self.answers(answer, chance);
                self.unlocks();
            }
            Op::Deliver { mail } => self.delivers(usize::from(mail)),
            Op::Tick { ms } => self.ticks(ms),
            Op::Jump { ms } => self.sets_clock(ms),
            Op::Wake { tab: t } => self.wakes(tab(t)),
            Op::Open if self.tabs.len() < 4 => self.opens(),
            Op::Open => {}
            Op::End => self.server.end(),
        }
    }

    fn pick(&self, number: u8, which: impl Fn(&Request) -> bool) -> Option<usize> {
        let all: Vec<_> =
            (0..self.requests.len()).filter(|request| which(&self.requests[*request])).collect();
        all.get(usize::from(number) % all.len().max(1)).copied()
    }

    fn ticks(&mut self, ms: u64) {
        self.now.wall += ms;
        self.now.steady += ms;
    }

    fn sets_clock(&mut self, ms: i64) {
        if self.several && ms < 0 {
            // What is under way when the clock is set back cannot be put in order any more.
            if !self.line.is_empty() || !self.holders.is_empty() {
                return;
            }
            self.is_set_back = true;
            self.delivers_all();
        }
        self.now.wall = self.now.wall.saturating_add_signed(ms);
    }

    // ---- what the sessions ask for ------------------------------------------------------------

    /// Calls a session, does what it asks for, and holds against it what it told.
    fn call<R>(
        &mut self,
        tab: usize,
        act: impl FnOnce(&mut tokenkeep::core::Session, Now) -> (R, Cause),
    ) -> R {
        let before = self.tabs[tab].session.snapshot();
        let (result, cause) = act(&mut self.tabs[tab].session, self.now);
        let after = self.tabs[tab].session.snapshot();
        self.changes(tab, cause, &before, &after);
        let told = self.obeys(tab, cause == Cause::Asked);
        self.judges(tab, cause, &before, &after, &told);
        result
    }

    fn obeys(&mut self, tab: usize, explicit: bool) -> Told {
        let mut told = Told::default();
        while let Some(effect) = self.tabs[tab].session.poll_effect() {
            match effect {
                Effect::Start(exchange, kind) => {
                    told.started += 1;
                    if kind == Kind::Refresh && !self.tabs[tab].landed.contains(&exchange) {
                        self.wants(tab, exchange, explicit);
                    }
                    let contended = self.holders.iter().any(|(turn, _)| turn.tab != tab);
                    self.line.push_back(Turn { tab, exchange, kind, contended });
                }
                Effect::Land(exchange, landing) => {
                    told.failed_landings += usize::from(matches!(landing, Landing::Failed(_)));
                    self.lands(tab, exchange, &landing);
                }
                Effect::Changed => told.changed += 1,
                Effect::Tell(Event::Refresh) => told.renewals += 1,
                Effect::Tell(Event::RefreshError(_)) => told.errors += 1,
                Effect::Tell(Event::SignOut(reason)) => told.sign_outs.push(reason),
                Effect::Post(message) => {
                    for other in (0..self.tabs.len()).filter(|other| *other != tab) {
                        self.mail.entry((tab, other)).or_default().push_back(message.clone());
                    }
                }
                Effect::Owe(owed) => self.owed = owed,
            }
        }
        told
    }

    /// Somebody waits for a refresh: the one that there is, or a new one.
    fn wants(&mut self, tab: usize, exchange: Exchange, explicit: bool) {
        let now = self.now;
        let known = &self.tabs[tab];
        if known.flight == Some(exchange) {
            return;
        }
        let (flight, pauses) = (known.flight, known.pauses(explicit, now));
        let pauses = pauses && !known.may_have_recovered && !known.may_fly;
        let over = known.landed.contains(&exchange);
        self.hold(Rule::OneRefresh, flight.is_none(), || {
            format!("{exchange:?} is wanted beside {flight:?}")
        });
        self.hold(Rule::Cooldown, !pauses, || format!("{exchange:?} is wanted in the pause"));
        self.hold(Rule::Settles, !over, || {
            format!("somebody waits for {exchange:?}, which is over")
        });
        self.tabs[tab].flight = Some(exchange);
        self.tabs[tab].may_fly = false;
    }

    fn lands(&mut self, tab: usize, exchange: Exchange, landing: &Landing) {
        let known = &mut self.tabs[tab];
        let first = known.landed.insert(exchange);
        known.flight = known.flight.filter(|flight| *flight != exchange);
        known.may_fly = false;
        known.refreshers.retain(|refresher| *refresher != exchange);
        for request in self.requests.iter_mut().filter(|request| request.tab == tab) {
            if let Place::Waits(wait) = request.place
                && wait.exchange == exchange
            {
                request.place = Place::Landed(wait, landing.clone());
            }
        }
        self.hold(Rule::Settles, first, || format!("{exchange:?} landed twice"));
    }

    /// Keeps the world's own account.
    fn changes(&mut self, tab: usize, cause: Cause, before: &Snapshot, after: &Snapshot) {
        let (was, is) = (token_of(before), token_of(after));
        let known = &mut self.tabs[tab];
        let other_user = was.zip(is).is_some_and(|(was, is)| was.user != is.user);
        let other_owner = match cause {
            Cause::Left | Cause::Entered(_) => true,
            // That a token of the same user is another session's, no tab can know without news.
            Cause::Granted { .. } | Cause::Heard { renewal: true } => {
                other_user || (before.status == Status::SignedOut && is.is_some())
            }
            Cause::Heard { renewal: false } => before != after,
            Cause::App | Cause::Asked | Cause::Refused { .. } | Cause::Outage => false,
        };
        if other_owner {
            known.epoch += 1;
        }
        if other_owner || token_of(before) != token_of(after) || before.status != after.status {
            known.recovers();
        } else if cause == (Cause::Heard { renewal: false }) {
            known.may_have_recovered = true;
        }
        match cause {
            Cause::Left => known.left.extend(was.map(|token| token.session)),
            Cause::Granted { wanted: true, token } if before.status == Status::SignedOut => {
                // Who asks, by name, for a refresh after a logout goes back on it, for all tabs.
                for tab in &mut self.tabs {
                    tab.left.remove(&token.session);
                }
            }
            _ => {}
        }
    }

    /// Holds what a session told, and what it has become, against what it was about.
    fn judges(
        &mut self,
        tab: usize,
        cause: Cause,
        before: &Snapshot,
        after: &Snapshot,
        told: &Told,
    ) {
        let (was, is) = (token_of(before), token_of(after));
        let signed_out = before.status == Status::SignedIn && after.status == Status::SignedOut;
        let reason = match cause {
            Cause::Left => Reason::Logout,
            Cause::Refused { .. } => Reason::Rejected,
            _ => Reason::OtherTab,
        };
        let expected: &[Reason] = if signed_out { &[reason] } else { &[] };
        let renewed = match cause {
            Cause::Granted { wanted, .. } => wanted,
            Cause::Heard { renewal } => renewal && is != was,
            _ => false,
        };
        let (old, new) = (before.status, after.status);
        let report =
            || format!("tab {tab}, {cause:?}: {old:?} {was:?} -> {new:?} {is:?}, told {told:?}");
        self.hold(Rule::OncePerFact, told.sign_outs == expected, report);
        self.hold(Rule::OncePerFact, told.renewals == usize::from(renewed), report);
        self.hold(Rule::OncePerFact, told.errors == told.failed_landings, report);
        self.hold(Rule::OncePerFact, told.changed == usize::from(before != after), report);
        match cause {
            Cause::App | Cause::Asked => self.hold(Rule::Epoch, before == after, report),
            Cause::Outage => self.hold(Rule::OutageKeeps, before == after, report),
            Cause::Granted { token, wanted: true } => {
                self.hold(Rule::Epoch, is == Some(token), report);
            }
            Cause::Granted { wanted: false, .. } => self.hold(Rule::Epoch, before == after, report),
            Cause::Refused { wanted: true } => {
                // Another tab may have brought a newer token while the refresh was on the wire.
                let is_over = after.status == Status::SignedOut || self.several && before == after;
                self.hold(Rule::RejectedOnce, is_over, report);
                self.hold(Rule::RejectedOnce, told.sign_outs == expected, report);
            }
            Cause::Refused { wanted: false } => self.hold(Rule::Epoch, before == after, report),
            Cause::Entered(token) => self.hold(Rule::Epoch, is == Some(token), report),
            Cause::Left => {
                self.hold(Rule::LogoutHolds, after.status == Status::SignedOut, report);
                self.hold(Rule::LogoutHolds, is.is_none(), report);
            }
            Cause::Heard { .. } => {}
        }
        let undone = is.is_some_and(|token| self.tabs[tab].left.contains(&token.session));
        self.hold(Rule::LogoutHolds, !undone || self.is_set_back, report);
        let consistent = is.is_some() == (after.status == Status::SignedIn);
        self.hold(Rule::OncePerFact, consistent, report);
    }

    // ---- requests -----------------------------------------------------------------------------

    fn requests_leave(&mut self, tab: usize, repeatable: bool) {
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
        let departure = self.call(tab, |session, now| (session.depart(now), Cause::App));
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

    fn goes_on(&mut self, request: usize, departure: Departure) {
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

    fn sends(&mut self, number: usize, ticket: Ticket) {
        let tab = self.requests[number].tab;
        let known = &self.tabs[tab];
        let token =
            known.session.credential(ticket).map(|credential| Token::read(credential.reveal()));
        let (epoch, current, status) = (known.epoch, known.token(), known.status());
        let request = &mut self.requests[number];
        request.sendings += 1;
        let of_now = request.epoch == epoch;
        let owner = request.owner;
        let report = format!("request {number} of {owner:?} in tab {tab} with {token:?}");
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
        self.hold(Rule::TwiceAtMost, sendings <= 2, || format!("{report}: sent {sendings} times"));
        self.hold(Rule::TwiceAtMost, !again, || format!("{report}: a stream, sent again"));
        self.hold(Rule::Epoch, of_now, || format!("{report}: sent in a later epoch"));
        self.hold(Rule::Epoch, token == current, || format!("{report}: not the token of now"));
        if let (Some(token), Some((session, user))) = (token, owner) {
            let same = token.session == session || self.several;
            self.hold(Rule::Epoch, same, || report.clone());
            self.hold(Rule::OwnToken, user == 0 || token.user == user, || report.clone());
        }
    }

    fn api_answers(&mut self, number: usize, refuses: bool) {
        let request = &self.requests[number];
        let Place::OnTheWire(ticket, sent) = request.place else { return };
        if !refuses {
            self.requests[number].place = Place::Settled;
            return;
        }
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
        let departure =
            self.call(tab, |session, now| (session.answered(ticket, repeatable, now), Cause::App));
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
    fn is_in_line(&self, tab: usize) -> bool {
        self.line
            .iter()
            .chain(self.holders.iter().map(|(turn, _)| turn))
            .any(|turn| turn.tab == tab)
    }

    /// A refresh may have been wanted behind another exchange: that does not show yet.
    fn notes_hidden(&mut self, tab: usize) {
        let known = &self.tabs[tab];
        let may_fly = known.flight.is_none() && !known.pauses(false, self.now);
        self.tabs[tab].may_fly |= may_fly && self.is_in_line(tab);
    }

    fn resumes(&mut self, number: usize) {
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
        if let (Landing::Failed(failure), 0, true) = (&landing, sendings, of_now) {
            let as_ruled = match &departure {
                Departure::Send(_) => usable,
                Departure::Fail(told) => !usable && told == failure,
                _ => false,
            };
            let changed = is_session_change(&departure) && self.several;
            self.hold(Rule::EarlyRefresh, as_ruled || changed, report);
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

    /// A tab is disposed of, and what was on the wire is answered after that.
    pub fn disposes(&mut self, tab: usize) {
        self.tabs[tab].session.dispose();
        self.tabs[tab].epoch += 1;
        let told = self.obeys(tab, false);
        let silent = told.sign_outs.is_empty() && told.renewals == 0;
        self.hold(Rule::OncePerFact, silent, || format!("disposing of a tab told {told:?}"));
        let waits =
            |request: &Request| request.tab == tab && matches!(request.place, Place::Waits(_));
        let waiting = self.requests.iter().filter(|request| waits(request)).count();
        self.hold(Rule::Settles, waiting == 0, || format!("{waiting} requests wait for ever"));
        let flight = self.tabs[tab].flight;
        self.hold(Rule::Settles, flight.is_none(), || format!("{flight:?} never lands"));
    }

    // ---- what the app calls -------------------------------------------------------------------

    fn refreshes(&mut self, tab: usize) {
        if self.policy.tabs == Tabs::Lock && self.tabs[tab].status() == Status::SignedOut {
            // Who asks, by name, for a session that another tab is about to end gets it, and tabs
            // that share nothing do not hear of it.
            return;
        }
        let (flight, pauses) = (self.tabs[tab].flight, self.tabs[tab].pauses(true, self.now));
        match self.call(tab, |session, now| (session.refresh(now), Cause::Asked)) {
            Ok(wait) => {
                self.wants(tab, wait.exchange, true);
                if self.tabs[tab].flight == Some(wait.exchange) {
                    self.tabs[tab].refreshers.push(wait.exchange);
                }
            }
            Err(failure) => {
                let as_ruled = failure.code == Code::SignedOut || (pauses && flight.is_none());
                self.hold(Rule::Cooldown, as_ruled, || format!("refresh() failed: {failure}"));
            }
        }
    }

    fn logs_in(&mut self, tab: usize, user: User) {
        let before = self.line.len();
        let exchange = self.call(tab, |session, _| (session.login(), Cause::App));
        debug_assert!(self.line.len() <= before + 1);
        self.tabs[tab].logins.insert(exchange, user);
    }

    fn sets_tokens(&mut self, tab: usize, user: User) {
        if self.holders.iter().any(|(_, stage)| matches!(stage, Stage::OnTheWire(_))) {
            return;
        }
        let grant = self.server.login(user, Some(60_000));
        let (token, now) = (token_in(&grant), self.now);
        self.tabs[tab].takes(grant.life, now);
        self.call(tab, |session, now| (session.enter(grant, now), Cause::Entered(token)));
    }

    fn logs_out(&mut self, tab: usize, reachable: bool) {
        let logins: Vec<_> = self.tabs[tab].logins.keys().copied().collect();
        self.tabs[tab].overtaken.extend(logins);
        self.call(tab, |session, now| (session.logout(reachable, now), Cause::Left));
    }

    fn opens(&mut self) {
        // No page opens faster than a message travels.
        self.delivers_all();
        let tab = self.tabs.len();
        self.tabs.push(Tab::new(self.policy.clone(), self.owed, self.now));
        self.obeys(tab, false);
    }

    fn wakes(&mut self, tab: usize) {
        let named = self.tabs[tab].session.wake_in(self.now);
        if let Some(ms) = named {
            self.ticks(ms);
        }
        let flight = self.tabs[tab].flight;
        self.call(tab, |session, now| (session.woke(now), Cause::App));
        let next = self.tabs[tab].session.wake_in(self.now);
        let quiet = next.is_none_or(|ms| ms > 0);
        self.notes_hidden(tab);
        let begun = self.tabs[tab].flight != flight || self.is_in_line(tab);
        self.hold(Rule::NoBusyLoop, quiet, || format!("after {named:?}, wakes again in {next:?}"));
        self.hold(Rule::NoBusyLoop, named != Some(0) || begun, || "woken for nothing".to_owned());
    }

    // ---- exchanges ----------------------------------------------------------------------------

    fn locks(&mut self) {
        // Where tabs do nothing for each other there is no lock: the session's own line must do.
        if self.several && !self.holders.is_empty() {
            return;
        }
        let Some(turn) = self.line.pop_front() else { return };
        for waiting in self.line.iter_mut().filter(|waiting| waiting.tab != turn.tab) {
            waiting.contended = true;
        }
        self.arrives(turn, turn.contended);
    }

    fn arrives(&mut self, turn: Turn, contended: bool) {
        let Turn { tab, exchange, kind, .. } = turn;
        let arrival =
            self.call(tab, |session, _| (session.arrive(exchange, contended), Cause::App));
        let stage = match arrival {
            Arrival::Go => {
                let wanted = kind != Kind::Refresh || self.tabs[tab].flight == Some(exchange);
                self.hold(Rule::Epoch, wanted, || format!("{exchange:?} goes, unwanted"));
                let on_the_wire = |(_, stage): &(Turn, Stage)| matches!(stage, Stage::OnTheWire(_));
                let alone = !self.holders.iter().any(on_the_wire);
                self.hold(Rule::NoOverlap, alone, || format!("{turn:?} overlaps another call"));
                Stage::OnTheWire(self.server.cookie())
            }
            Arrival::Skip => {
                self.tabs[tab].logins.remove(&exchange);
                Stage::Over
            }
            Arrival::Listen => Stage::Listens,
        };
        self.holders.push((turn, stage));
    }

    fn listened(&mut self) {
        let listening = self.holders.iter().position(|(_, stage)| *stage == Stage::Listens);
        if let Some((turn, _)) = listening.map(|at| self.holders.remove(at)) {
            self.arrives(turn, false);
        }
    }

    fn unlocks(&mut self) {
        let over = self.holders.iter().position(|(_, stage)| *stage == Stage::Over);
        if let Some((turn, _)) = over.map(|at| self.holders.remove(at)) {
            if turn.kind == Kind::Logout {
                // By now, news from before the call has come.
                self.delivers_all_to(turn.tab);
            }
            self.call(turn.tab, |session, _| (session.finished(turn.exchange), Cause::App));
        }
    }

    fn answers(&mut self, answer: Answer, chance: f64) {
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

    fn refresh_is_answered(
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
            _ => Cause::Refused { wanted },
        };
        self.call(tab, |session, now| {
            (session.refresh_answered(exchange, heard, chance, now), cause)
        });
    }

    fn login_is_answered(&mut self, Turn { tab, exchange, .. }: Turn, answer: Answer) {
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

    fn logout_is_answered(&mut self, Turn { tab, .. }: Turn, cookie: Option<u32>, answer: Answer) {
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

    // ---- messages -----------------------------------------------------------------------------

    fn delivers(&mut self, number: usize) {
        let routes: Vec<_> = self.mail.iter().filter(|(_, post)| !post.is_empty()).collect();
        if let Some((route, _)) = routes.get(number % routes.len().max(1)) {
            self.delivers_on(**route);
        }
    }

    fn delivers_all(&mut self) {
        while self.mail.values().any(|post| !post.is_empty()) {
            self.delivers(0);
        }
    }

    fn delivers_all_to(&mut self, tab: usize) {
        for from in 0..self.tabs.len() {
            while self.mail.get(&(from, tab)).is_some_and(|post| !post.is_empty()) {
                self.delivers_on((from, tab));
            }
        }
    }

    fn delivers_on(&mut self, route: (usize, usize)) {
        let Some(message) = self.mail.get_mut(&route).and_then(VecDeque::pop_front) else { return };
        let (_, tab) = route;
        let life = match &message {
            Message::Renewed { grant, .. } | Message::Entered { grant: Some(grant), .. } => {
                Some((token_in(grant), grant.life))
            }
            _ => None,
        };
        let renewal = matches!(message, Message::Renewed { .. });
        let before = self.tabs[tab].token();
        let now = self.now;
        // Should the token be taken, it is as old as the sender says.
        self.call(tab, |session, now| (session.heard(message, now), Cause::Heard { renewal }));
        let after = self.tabs[tab].token();
        if let Some((token, life)) = life
            && after == Some(token)
            && before != after
        {
            self.tabs[tab].takes(life, now);
        }
    }

    // ---- the end ------------------------------------------------------------------------------

    /// Every message and every answer arrives, and everybody goes on.
    pub fn drains(&mut self) {
        let well = Answer::Well(Some(60_000));
        for _ in 0..10_000 {
            self.delivers_all();
            self.listened();
            self.answers(well, 0.5);
            self.unlocks();
            self.locks();
            for request in 0..self.requests.len() {
                self.resumes(request);
                self.api_answers(request, false);
            }
            if self.is_quiet() {
                return self.judges_the_end();
            }
        }
        self.fault(Rule::Settles, "the world does not come to rest".to_owned());
    }

    fn is_quiet(&self) -> bool {
        self.line.is_empty()
            && self.holders.is_empty()
            && self.mail.values().all(VecDeque::is_empty)
            && !self
                .requests
                .iter()
                .any(|r| matches!(r.place, Place::Landed(..) | Place::OnTheWire(..)))
    }

    fn judges_the_end(&mut self) {
        let waiting = self.requests.iter().filter(|r| !matches!(r.place, Place::Settled)).count();
        self.hold(Rule::Settles, waiting == 0, || format!("{waiting} requests wait for ever"));
        for tab in 0..self.tabs.len() {
            let known = &self.tabs[tab];
            let idle =
                known.flight.is_none() && known.refreshers.is_empty() && known.logins.is_empty();
            let report = format!("tab {tab} at the end: {:?}, {:?}", known.status(), known.token());
            let signed_out =
                known.token().is_some_and(|token| self.server.signed_out.contains(&token.session));
            self.hold(Rule::Settles, idle, || report.clone());
            self.hold(Rule::LogoutHolds, !signed_out || self.is_set_back, || report.clone());
        }
        let mut sessions: Vec<_> =
            self.tabs.iter().filter_map(|tab| tab.token()).map(|token| token.session).collect();
        sessions.dedup();
        let same = sessions.len() <= 1 || self.is_set_back;
        self.hold(Rule::OwnToken, same, || format!("tabs differ: {sessions:?}"));
        let reuses = self.server.reuses;
        self.hold(Rule::NoReuse, reuses == 0, || format!("{reuses} cookies came back"));
    }
}

fn is_session_change(departure: &Departure) -> bool {
    matches!(departure, Departure::Fail(Failure { code: Code::SessionChanged, .. }))
}

fn granted(grant: Grant) -> Heard {
    plain(200, Body::Json { error: None, grant: Ok(grant) })
}

fn plain(status: u16, body: Body) -> Heard {
    Heard { status, body, retry_after: None }
}

/// What is heard in an outage: a code, or an answer that says nothing about the session.
fn outage_of(outage: Outage) -> (Code, Option<Heard>) {
    match outage {
        Outage::Network => (Code::Network, None),
        Outage::Timeout => (Code::Timeout, None),
        Outage::Busy(named) => {
            let retry_after = named.map(RetryAfter);
            (Code::BadStatus, Some(Heard { status: 503, body: Body::Empty, retry_after }))
        }
        Outage::Page => (Code::BadStatus, Some(plain(403, Body::Other))),
    }
}
