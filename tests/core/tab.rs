//! One tab: a session under test, and what the world knows of it by its own account.

use std::collections::{HashMap, HashSet};

use tokenkeep::core::{
    Exchange, Grant, Now, Owed, Policy, Reason, Secret, Sends, Session, Snapshot, Status,
};

use super::server::{SessionId, Token, User};

/// What was told in the course of one call.
#[derive(Debug, Default)]
pub struct Told {
    pub changed: usize,
    pub renewals: usize,
    pub errors: usize,
    pub failed_landings: usize,
    pub step_ups: usize,
    pub sign_outs: Vec<Reason>,
    /// Exchanges that got their turn.
    pub started: usize,
}

/// What can be seen of a session: what users may see, and the token besides.
#[derive(Clone, PartialEq)]
pub struct Seen {
    pub snapshot: Snapshot,
    pub token: Option<Token>,
}

/// A token as the world believes the tab to have it.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    received: Now,
    life: Option<u64>,
    margin: u64,
}

/// How near to its end a token is, by the world's own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Good,
    Ending,
    Ended,
}

impl Held {
    fn new(received: Now, life: Option<u64>, before: Option<u64>) -> Self {
        let whole = life.unwrap_or(0);
        let margin = match before {
            Some(before) => before.min(whole / 2),
            None => 30_000.min(whole / 10),
        };
        Self { received, life, margin }
    }

    fn age(self, now: Now) -> Age {
        let gone = gone(self.received, now);
        match self.life {
            Some(life) if gone >= life => Age::Ended,
            Some(life) if gone + self.margin >= life => Age::Ending,
            _ => Age::Good,
        }
    }
}

fn gone(from: Now, to: Now) -> u64 {
    to.wall.saturating_sub(from.wall).max(to.steady.saturating_sub(from.steady))
}

/// The pause after an outage.
#[derive(Clone, Copy, Debug)]
struct Pause {
    since: Now,
    back_off: u64,
    named: u64,
}

/// A tab.
#[derive(Debug)]
pub struct Tab {
    pub session: Session,
    before: Option<u64>,
    held: Option<Held>,
    /// Changes of owner that this tab knows of.
    pub epoch: u32,
    /// The refresh that is wanted.
    pub flight: Option<Exchange>,
    /// Whether one may be wanted that does not show: its turn has not come, and nobody waits.
    pub may_fly: bool,
    /// Those that are over.
    pub landed: HashSet<Exchange>,
    /// Callers of `refresh()` who wait.
    pub refreshers: Vec<Exchange>,
    /// Callers of `login()` who wait, and who they are.
    pub logins: HashMap<Exchange, User>,
    /// The refresh tokens that logouts in line are to send.
    pub last_words: HashMap<Exchange, u32>,
    /// Whether a newer token may have come since the refresh was wanted.
    pub may_be_newer: bool,
    /// Logins that the user has signed out of before they were answered.
    pub overtaken: HashSet<Exchange>,
    /// Tokens that an API has refused here.
    pub refused: HashSet<u32>,
    /// Sessions that were signed out of, here.
    pub left: HashSet<SessionId>,
    pause: Option<Pause>,
    failures: u32,
    /// Whether a message has ended the pause, and the count, does not show.
    pub may_have_recovered: bool,
}

impl Tab {
    pub fn new(policy: Policy, owed: bool, now: Now) -> Self {
        Self {
            before: policy.refresh_before,
            session: Session::new(policy, if owed { Owed::Finish } else { Owed::Nothing }, now),
            held: None,
            epoch: 0,
            flight: None,
            may_fly: false,
            landed: HashSet::new(),
            refreshers: Vec::new(),
            logins: HashMap::new(),
            last_words: HashMap::new(),
            may_be_newer: false,
            overtaken: HashSet::new(),
            refused: HashSet::new(),
            left: HashSet::new(),
            pause: None,
            failures: 0,
            may_have_recovered: false,
        }
    }

    /// The token that the session holds.
    pub fn token(&self) -> Option<Token> {
        self.session.token(Sends::Access).map(|token| Token::read(token.reveal()))
    }

    /// The refresh token that it holds.
    pub fn refresh_token(&self) -> Option<u32> {
        let number = |token: &Secret| token.reveal().parse().expect("a number");
        self.session.token(Sends::Refresh).map(number)
    }

    pub fn seen(&self) -> Seen {
        Seen { snapshot: self.session.snapshot(), token: self.token() }
    }

    pub fn status(&self) -> Status {
        self.session.snapshot().status
    }

    /// How near to its end the token is, if there is one that has not been refused.
    pub fn age(&self, now: Now) -> Option<Age> {
        let token = self.token().filter(|token| !self.refused.contains(&token.id))?;
        let held = self.held.unwrap_or_else(|| panic!("{token:?} came from nowhere"));
        Some(held.age(now))
    }

    /// Notes a token that has come.
    pub fn takes(&mut self, life: Option<u64>, now: Now) {
        self.held = Some(Held::new(now, life, self.before));
    }

    /// Whether nobody, or nobody but one who asks explicitly, may ask for a refresh.
    pub fn pauses(&self, explicit: bool, now: Now) -> bool {
        self.pause.is_some_and(|pause| {
            let length = if explicit { pause.named } else { pause.named.max(pause.back_off) };
            gone(pause.since, now) < length
        })
    }

    /// Notes an outage.
    pub fn fails(&mut self, named: Option<u64>, chance: f64, now: Now) {
        let mut ceiling = 1_000;
        for _ in 0..self.failures {
            ceiling = 60_000.min(ceiling * 2);
        }
        let back_off = ((f64::from(ceiling) * chance) as u64).max(100);
        self.pause = Some(Pause { since: now, back_off, named: named.unwrap_or(0) });
        self.failures += 1;
    }

    /// Notes that there is nothing to pause for any more.
    pub fn recovers(&mut self) {
        self.pause = None;
        self.failures = 0;
        self.may_have_recovered = false;
    }
}

/// The token of a grant.
pub fn token_in(grant: &Grant) -> Token {
    Token::read(grant.access_token.reveal())
}
