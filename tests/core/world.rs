//! The model world: tabs, their requests, one cookie jar, one server, one lock, messages in transit, and a
//! clock. It carries out the sessions' effects and checks every rule against them. A violation is noted under
//! the name of its rule; the test that drives the world decides which rules to check.

use std::collections::{BTreeMap, HashMap, VecDeque};

use tokenkeep::core::{
    AuthCall, AuthResponse, Code, Kind, Message, Now, Policy, RefreshOutcome, Renewal, Tabs,
    Ticket, Wait,
};

mod auth_calls;
mod calls;
mod judge;
mod mail;
mod requests;

use super::ops::{Answer, Case, Op, Outage, Says};
use super::server::{Server, SessionId, Token, User};
use super::tab::Tab;

/// The rules that a run of the world can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    OneRefresh,
    TwiceAtMost,
    BeforeSending,
    LateRefusal,
    Epoch,
    Settles,
    Backoff,
    NoOverlap,
    RejectedOnce,
    OutageKeeps,
    LogoutHolds,
    EarlyRefresh,
    NoBusyLoop,
    OncePerFact,
    NoReuse,
    OwnToken,
    EndedOnce,
    Adopts,
    AsksWithToken,
    OutageTold,
    Forbidden,
    Elsewhere,
    AskedByName,
    PendingLogout,
    Apart,
    Doubts,
}

/// The state of a request.
#[derive(Clone, Debug)]
enum Place {
    Waits(Wait),
    RefreshSettled(Wait, RefreshOutcome),
    OnTheWire(Ticket, Option<Token>),
    Settled,
}

#[derive(Clone, Debug)]
struct Request {
    tab: usize,
    resource: u8,
    /// It took the fast path: nobody is told of a plain answer.
    is_short: bool,
    /// It was sent with a token that others had refused.
    is_trial: bool,
    /// The token of its second sending, if that token was renewed for it.
    renewed_for_it: bool,
    /// How many extra times it has waited since its last answer.
    waits: u32,
    repeatable: bool,
    place: Place,
    sendings: u32,
    /// The tab's epoch when the request began.
    epoch: u32,
    /// The session and the user that it belongs to, once there is one. Session zero means none.
    owner: Option<(SessionId, User)>,
}

/// The state of an auth call that has the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Listens,
    /// On the wire with this cookie.
    OnTheWire(Option<u32>),
    /// Answered, but the page has not heard it yet.
    Answered,
    Over,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    tab: usize,
    auth_call: AuthCall,
    kind: Kind,
    contended: bool,
}

/// The reason for a call to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// The app's own action, which changes nothing that is known about the session.
    App,
    /// `refresh()`.
    Asked,
    /// A refresh was granted. `wanted`: somebody still waits for it. Or an answer to a request brought a
    /// token; then `wanted` says whether the request had the newest token.
    Granted { token: Token, wanted: bool },
    /// A refresh was refused, or there was no refresh token. `overtaken`: a newer token may have come since
    /// the refresh was wanted.
    Refused { wanted: bool, overtaken: bool },
    /// An answer to the newest token said that the session has ended.
    Ended,
    /// An answer asked for a stronger login. `of_now`: the request belongs to the current session.
    More { of_now: bool },
    /// A refresh did not reach the server.
    Outage,
    /// A session began here.
    Entered(Token),
    /// `logout()`.
    Left,
    /// The app reported a sign-in elsewhere.
    Elsewhere,
    /// Nothing hints at a session.
    NoHint,
    /// A message arrived.
    Heard(News),
}

/// The subject of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Renewal,
    Entry,
    Refusal,
    Other,
}

/// What the page will hear of an auth call.
#[derive(Clone, Debug)]
enum Outcome {
    Refresh { response: Result<AuthResponse, Code>, outage: Option<Outage>, chance: f64 },
    Login { response: Option<AuthResponse> },
    Logout { status: Result<u16, Code> },
}

/// The model world.
#[derive(Debug)]
pub struct World {
    policy: Policy,
    several: bool,
    is_opaque: bool,
    tells_subject: bool,
    now: Now,
    /// One server for each identity, with its own cookie.
    servers: Vec<Server>,
    /// The resources that mean "forbidden" by 401, as bits.
    forbidden: u8,
    tabs: Vec<Tab>,
    requests: Vec<Request>,
    line: VecDeque<Turn>,
    holders: Vec<(Turn, Stage)>,
    unheard: Vec<(Turn, Outcome)>,
    /// When the refresh that brought each token was sent, by the wall clock.
    asked: HashMap<u32, u64>,
    /// When each auth call was sent.
    sent: HashMap<(usize, AuthCall), u64>,
    mail: BTreeMap<(usize, usize), VecDeque<Message>>,
    /// The frozen tab.
    frozen: Option<usize>,
    /// The mark of each identity, which outlives a page.
    owed: Vec<bool>,
    /// Whether somebody has signed in where no script saw it.
    is_elsewhere: bool,
    /// Whether the tabs' clock has been set back. Then news from before and after has no order, and rules
    /// that depend on the order are not checked.
    is_set_back: bool,
    faults: Vec<(Rule, String)>,
}

impl World {
    /// A world in which all events of a case have happened, and every answer and message has arrived.
    pub fn after(case: &Case) -> Self {
        let mut world = Self::begun(case);
        for op in &case.ops {
            world.happens(*op);
        }
        world.drains();
        world
    }

    /// A world before the first event.
    pub fn begun(case: &Case) -> Self {
        let mut world = Self {
            policy: Policy {
                refresh_before: case.refresh_before,
                restore: case.restore,
                tabs: case.tabs,
                renewal: case.renewal,
                ..Policy::default()
            },
            several: case.tabs != Tabs::Off,
            is_opaque: case.is_opaque,
            now: Now { wall: 1_000_000_000_000, steady: 0 },
            servers: Vec::new(),
            forbidden: case.forbidden,
            tabs: Vec::new(),
            requests: Vec::new(),
            line: VecDeque::new(),
            holders: Vec::new(),
            unheard: Vec::new(),
            asked: HashMap::new(),
            sent: HashMap::new(),
            mail: BTreeMap::new(),
            frozen: None,
            owed: vec![false; case.identities],
            is_elsewhere: false,
            tells_subject: case.tells_subject,
            is_set_back: false,
            faults: Vec::new(),
        };
        for identity in 0..case.identities {
            let in_answers = case.renewal == Renewal::WithToken;
            let mut server = Server::new(identity, case.tells_subject, case.is_opaque, in_answers);
            // Somebody had signed in before the page started.
            let _ = server.login(1 + identity as User, None);
            world.servers.push(server);
        }
        for _ in 0..case.many {
            world.opens(0);
        }
        world
    }

    /// The violations of a rule.
    pub fn faults(&self, rule: Rule) -> Vec<&str> {
        self.faults.iter().filter(|(of, _)| *of == rule).map(|(_, fault)| fault.as_str()).collect()
    }

    /// The violations of any rule.
    pub fn all_faults(&self) -> &[(Rule, String)] {
        &self.faults
    }

    fn server(&self, tab: usize) -> &Server {
        &self.servers[self.tabs[tab].identity]
    }

    fn server_mut(&mut self, tab: usize) -> &mut Server {
        &mut self.servers[self.tabs[tab].identity]
    }

    fn fault(&mut self, rule: Rule, what: String) {
        self.faults.push((rule, what));
    }

    fn hold(&mut self, rule: Rule, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fault(rule, what());
        }
    }

    /// One event happens. Without a suitable target, nothing happens.
    pub fn happens(&mut self, op: Op) {
        let tab = |number: u8| usize::from(number) % self.tabs.len();
        let is_away = |number: u8| self.frozen == Some(tab(number));
        match op {
            Op::Request { tab, .. }
            | Op::Refresh { tab }
            | Op::Login { tab, .. }
            | Op::SetTokens { tab, .. }
            | Op::Logout { tab, .. }
            | Op::HandOut { tab }
            | Op::Exchange { tab, .. }
            | Op::Elsewhere { tab, .. }
            | Op::SignedIn { tab }
            | Op::NoHint { tab }
            | Op::RenewalTimer { tab }
                if is_away(tab) => {}
            Op::Request { tab: t, repeatable, resource } => {
                self.requests_leave(tab(t), repeatable, resource);
            }
            Op::Api { request, says } => {
                let on_the_wire = |request: &Request| matches!(request.place, Place::OnTheWire(..));
                if let Some(request) = self.pick(request, on_the_wire) {
                    self.api_answers(request, says);
                }
            }
            Op::Resume { request } => {
                let settled =
                    |request: &Request| matches!(request.place, Place::RefreshSettled(..));
                if let Some(request) = self.pick(request, settled) {
                    self.resumes(request);
                }
            }
            Op::Abort { request } => {
                let open = |request: &Request| !matches!(request.place, Place::Settled);
                if let Some(request) = self.pick(request, open) {
                    self.requests[request].place = Place::Settled;
                }
            }
            Op::Forbid { resource } => self.forbidden ^= 1 << resource,
            Op::HandOut { tab: t } => self.hands_out(tab(t)),
            Op::Exchange { tab: t, user } => self.exchanges(tab(t), user),
            Op::Elsewhere { tab: t, user, is_told } => {
                self.signs_in_elsewhere(tab(t), user, is_told);
            }
            Op::SignedIn { tab: t } => self.is_signed_in(tab(t)),
            Op::NoHint { tab: t } => self.has_no_hint(tab(t)),
            Op::Refresh { tab: t } => self.refreshes(tab(t)),
            Op::Login { tab: t, user } => self.logs_in(tab(t), user),
            Op::SetTokens { tab: t, user } => self.sets_tokens(tab(t), user),
            Op::Logout { tab: t, reachable } => self.logs_out(tab(t), reachable),
            Op::Lock => self.locks(),
            Op::Listened => self.listened(),
            Op::Answer { answer, chance, is_heard } => {
                self.answers(answer, chance);
                if is_heard {
                    self.hears();
                }
            }
            Op::Hear => self.hears(),
            Op::Unlock => self.unlocks(),
            Op::Round { answer, chance } => {
                self.locks();
                self.listened();
                self.answers(answer, chance);
                self.hears();
                self.unlocks();
            }
            Op::Deliver { mail } => self.delivers(usize::from(mail)),
            Op::Tick { ms } => self.ticks(ms),
            Op::Jump { ms } => self.sets_clock(ms),
            Op::RenewalTimer { tab: t } => self.fires_renewal_timer(tab(t)),
            Op::Open { owed } if self.tabs.len() < 4 => self.opens(owed),
            Op::Open { .. } => {}
            Op::Freeze { tab: t } => self.freezes(tab(t)),
            Op::Thaw => self.thaws(),
            Op::End { identity } => {
                let identity = usize::from(identity) % self.servers.len();
                self.servers[identity].end();
            }
        }
    }

    fn pick(&self, number: u8, which: impl Fn(&Request) -> bool) -> Option<usize> {
        let is_there = |request: &Request| self.frozen != Some(request.tab) && which(request);
        let all: Vec<_> =
            (0..self.requests.len()).filter(|request| is_there(&self.requests[*request])).collect();
        all.get(usize::from(number) % all.len().max(1)).copied()
    }

    fn ticks(&mut self, ms: u64) {
        self.now.wall += ms;
        self.now.steady += ms;
    }

    fn sets_clock(&mut self, ms: i64) {
        if self.several && ms < 0 {
            // Calls on the wire when the clock is set back can no longer be put in order.
            if !self.line.is_empty() || !self.holders.is_empty() {
                return;
            }
            self.is_set_back = true;
            self.delivers_all();
        }
        self.now.wall = self.now.wall.saturating_add_signed(ms);
    }

    /// Delivers every message and every answer, and lets everything finish.
    pub fn drains(&mut self) {
        self.thaws();
        let well = Answer::Well(Some(60_000));
        for _ in 0..10_000 {
            self.delivers_all();
            self.listened();
            self.answers(well, 0.5);
            self.hears();
            self.unlocks();
            self.locks();
            for request in 0..self.requests.len() {
                self.resumes(request);
                self.api_answers(request, Says::Fine);
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
                .any(|r| matches!(r.place, Place::RefreshSettled(..) | Place::OnTheWire(..)))
    }

    fn judges_the_end(&mut self) {
        let waiting = self.requests.iter().filter(|r| !matches!(r.place, Place::Settled)).count();
        self.hold(Rule::Settles, waiting == 0, || format!("{waiting} requests wait for ever"));
        for tab in 0..self.tabs.len() {
            let known = &self.tabs[tab];
            let idle = known.pending_refresh.is_none()
                && known.refreshers.is_empty()
                && known.logins.is_empty();
            let (status, token) = (known.status(), known.token());
            let report = || format!("tab {tab} at the end: {status:?}, {token:?}");
            let signed_out =
                token.is_some_and(|token| self.server(tab).signed_out.contains(&token.session));
            self.hold(Rule::Settles, idle, report);
            // The token may belong to the same user's next sign-in: tabs that only take turns keep their own
            // tokens.
            let is_next = self.policy.tabs == Tabs::Lock
                && token.map(|token| token.user) == self.server(tab).newest_user();
            let holds = !signed_out || is_next || self.is_set_back;
            self.hold(Rule::LogoutHolds, holds, report);
        }
        for identity in 0..self.servers.len() {
            let of_it = self.tabs.iter().filter(|tab| tab.identity == identity);
            let tokens = of_it.filter_map(|tab| tab.token());
            // A tab with its own token of the same user keeps that token.
            let is_lock = self.policy.tabs == Tabs::Lock;
            let mut of: Vec<_> = tokens
                .map(|token| if is_lock { u32::from(token.user) } else { token.session })
                .collect();
            of.dedup();
            // A sign-in that no script sees has no place in the order of the calls: tabs learn of it when
            // they ask.
            let same = of.len() <= 1 || self.is_set_back || self.is_elsewhere;
            self.hold(Rule::OwnToken, same, || format!("tabs differ: {of:?}"));
        }
        let reuses: u32 = self.servers.iter().map(|server| server.reuses).sum();
        self.hold(Rule::NoReuse, reuses == 0, || format!("{reuses} cookies came back"));
    }
}
