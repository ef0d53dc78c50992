//! One tab: a session under test, and what the world knows of it by its own account.

use std::collections::{HashMap, HashSet};

use tokenkeep::core::{
    AuthCall, Now, Owed, Policy, Reason, Secret, Sends, Session, Snapshot, Status, TokenResponse,
};

use super::server::{SessionId, Token, User};

/// What was told in the course of one call.
#[derive(Debug, Default)]
pub struct Told {
    pub changed: usize,
    pub renewals: usize,
    pub errors: usize,
    pub failed_refreshes: usize,
    pub step_ups: usize,
    pub sign_outs: Vec<Reason>,
    /// Auth calls that got their turn.
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
pub struct CurrentToken {
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

impl CurrentToken {
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
    backoff: u64,
    named: u64,
}

/// A resource that answers 401 where it means "forbidden", as far as can be told.
#[derive(Clone, Copy, Debug)]
struct Forbidden {
    token: u32,
    since: Now,
    /// How many minutes its answers to newer tokens are not believed either.
    minutes: u64,
}

/// A tab.
#[derive(Debug)]
pub struct Tab {
    /// Which of the managers that are not the same.
    pub identity: usize,
    pub session: Session,
    before: Option<u64>,
    current: Option<CurrentToken>,
    /// Changes of owner that this tab knows of.
    pub epoch: u32,
    /// The refresh that is wanted.
    pub pending_refresh: Option<AuthCall>,
    /// Whether one may be wanted that does not show: its turn has not come, and nobody waits.
    pub may_be_pending: bool,
    /// Those that are over.
    pub settled: HashSet<AuthCall>,
    /// Callers of `refresh()` who wait.
    pub refreshers: Vec<AuthCall>,
    /// Callers of `login()` who wait, and who they are.
    pub logins: HashMap<AuthCall, User>,
    /// The refresh tokens that logouts in line are to send.
    pub last_words: HashMap<AuthCall, u32>,
    /// Whether a newer token may have come since the refresh was wanted.
    pub may_be_newer: bool,
    /// Logins that the user has signed out of before they were answered.
    pub overtaken: HashSet<AuthCall>,
    /// Tokens that were refused here, and by which resources.
    refused: HashMap<u32, HashSet<u8>>,
    /// The resources that had refused the token before the current one, and have not accepted that.
    renewed_for: HashSet<u8>,
    forbidden: HashMap<u8, Forbidden>,
    /// Which resource's refusal of which token has begun a refresh that reached the server.
    pub cost: HashSet<(u32, u8)>,
    /// How often the app was given each token.
    given: HashMap<u32, u32>,
    /// How many refusals of tokens that were given, and replaced, the app has told of.
    reported: u32,
    /// A token of this session that was replaced.
    pub previous: Option<TokenResponse>,
    /// The current tokens.
    pub granted: Option<TokenResponse>,
    /// Since when a sign-in elsewhere is to be asked for at the server.
    pub elsewhere: Option<u64>,
    /// When `refresh()` was last called for a refresh that is pending.
    pub called: HashMap<AuthCall, u64>,
    /// Sessions that are known to have begun.
    pub entries: u32,
    /// How many there were when a logout was wanted.
    pub entries_at: HashMap<AuthCall, u32>,
    /// Tokens that the session may know to be refused, though by this account a resource forbids them:
    /// of several tabs, one may have learned of a new session, and forgotten that.
    pub unsure: HashSet<u32>,
    /// Auth calls that had to wait for others.
    pub contended: HashSet<AuthCall>,
    /// A message has come from another tab.
    pub has_met: bool,
    /// Sessions that were signed out of, here.
    pub left: HashSet<SessionId>,
    pause: Option<Pause>,
    failures: u32,
    /// Whether a message has ended the pause, and the count, does not show.
    pub may_have_recovered: bool,
}

impl Tab {
    pub fn new(identity: usize, policy: Policy, owed: Owed, now: Now) -> Self {
        Self {
            identity,
            before: policy.refresh_before,
            session: Session::new(policy, owed, now),
            current: None,
            epoch: 0,
            pending_refresh: None,
            may_be_pending: false,
            settled: HashSet::new(),
            refreshers: Vec::new(),
            logins: HashMap::new(),
            last_words: HashMap::new(),
            may_be_newer: false,
            overtaken: HashSet::new(),
            refused: HashMap::new(),
            renewed_for: HashSet::new(),
            forbidden: HashMap::new(),
            cost: HashSet::new(),
            given: HashMap::new(),
            reported: 0,
            previous: None,
            granted: None,
            elsewhere: None,
            called: HashMap::new(),
            entries: 0,
            entries_at: HashMap::new(),
            unsure: HashSet::new(),
            contended: HashSet::new(),
            has_met: false,
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
        let token = self.token().filter(|token| !self.is_refused(token.id))?;
        let current = self.current.unwrap_or_else(|| panic!("{token:?} came from nowhere"));
        Some(current.age(now))
    }

    pub fn is_unsure(&self) -> bool {
        self.token().is_some_and(|token| self.unsure.contains(&token.id))
    }

    /// Whether a token was refused by a resource that is not known to refuse any.
    pub fn is_refused(&self, token: u32) -> bool {
        self.refused.get(&token).is_some_and(|by| !by.is_empty())
    }

    /// Whether a resource may take the token that others have refused.
    pub fn may_try(&self, resource: u8, now: Now) -> bool {
        let by = self.token().and_then(|token| self.refused.get(&token.id));
        let is_over = self.current.is_none_or(|current| current.age(now) == Age::Ended);
        !is_over && by.is_some_and(|by| !by.is_empty() && !by.contains(&resource))
    }

    /// Whether a resource's 401 to a token is the caller's.
    pub fn is_forbidden(&self, resource: u8, token: u32, now: Now) -> bool {
        self.forbidden.get(&resource).is_some_and(|known| {
            let minutes = if known.token == token { 64 } else { known.minutes };
            gone(known.since, now) < minutes * 60_000
        })
    }

    fn forbids(&mut self, resource: u8, token: u32, now: Now) {
        let minutes = match self.forbidden.get(&resource) {
            None => 1,
            Some(known) if known.token == token => known.minutes,
            Some(known) => 64.min(known.minutes * 2),
        };
        self.forbidden.insert(resource, Forbidden { token, since: now, minutes });
    }

    /// The newest token was refused: by a first sending, or by a second one that it was renewed for.
    pub fn refuses(&mut self, resource: u8, token: u32, is_first: bool, now: Now) {
        let current = self.current.expect("it was sent");
        let is_new = current.age(now) != Age::Ended && gone(current.received, now) < 60_000;
        if !is_first || is_new && self.renewed_for.contains(&resource) {
            self.forbids(resource, token, now);
        }
        if is_first && !self.is_forbidden(resource, token, now) {
            self.refused.entry(token).or_default().insert(resource);
        }
    }

    /// The newest token was accepted. `is_trial`: others had refused it before it was sent.
    pub fn accepts(&mut self, resource: u8, token: u32, is_trial: bool, now: Now) {
        self.forbidden.remove(&resource);
        self.renewed_for.remove(&resource);
        if is_trial {
            for other in self.refused.remove(&token).unwrap_or_default() {
                self.forbids(other, token, now);
            }
        }
    }

    /// What is known of resources and tokens of a session ends with it.
    pub fn forgets(&mut self) {
        self.forbidden.clear();
        self.renewed_for.clear();
        self.given.clear();
        self.reported = 0;
        (self.previous, self.granted) = (None, None);
    }

    /// There is another token, in the place of this one.
    pub fn replaces(&mut self, was: Option<Token>) {
        let by = was.and_then(|was| self.refused.remove(&was.id));
        self.renewed_for = by.unwrap_or_default();
    }

    /// The app is given a token.
    pub fn gives(&mut self, token: u32) {
        *self.given.entry(token).or_default() += 1;
    }

    /// How many refusals of tokens that were given and replaced may be told of yet.
    pub fn unreported(&self) -> u32 {
        let current = self.token().map(|token| token.id);
        let late = self.given.iter().filter(|(token, _)| Some(**token) != current);
        late.map(|(_, times)| times).sum::<u32>() - self.reported
    }

    /// The app has told of one, or has asked for a token instead of the one it was given.
    pub fn reports(&mut self, is_late: bool) {
        self.reported += u32::from(is_late);
        if let (false, Some(current)) = (is_late, self.token())
            && let Some(times) = self.given.get_mut(&current.id)
        {
            *times = times.saturating_sub(1);
        }
    }

    /// Whether the token has come within the last ten seconds.
    pub fn is_just_renewed(&self, now: Now) -> bool {
        self.current.is_some_and(|current| gone(current.received, now) < 10_000)
    }

    /// Notes a token that has come.
    pub fn takes(&mut self, tokens: &TokenResponse, now: Now) {
        self.previous = self.granted.replace(tokens.clone());
        self.current = Some(CurrentToken::new(now, tokens.life, self.before));
    }

    /// Whether nobody, or nobody but one who asks explicitly, may ask for a refresh.
    pub fn pauses(&self, explicit: bool, now: Now) -> bool {
        self.pause.is_some_and(|pause| {
            let length = if explicit { pause.named } else { pause.named.max(pause.backoff) };
            gone(pause.since, now) < length
        })
    }

    /// Notes an outage.
    pub fn fails(&mut self, named: Option<u64>, chance: f64, now: Now) {
        let mut ceiling = 1_000;
        for _ in 0..self.failures {
            ceiling = 60_000.min(ceiling * 2);
        }
        let backoff = ((f64::from(ceiling) * chance) as u64).max(100);
        self.pause = Some(Pause { since: now, backoff, named: named.unwrap_or(0) });
        self.failures += 1;
    }

    /// Notes that there is nothing to pause for any more.
    pub fn recovers(&mut self) {
        self.pause = None;
        self.failures = 0;
        self.may_have_recovered = false;
    }
}

/// The access token of a token response.
pub fn token_in(tokens: &TokenResponse) -> Token {
    Token::read(tokens.access_token.reveal())
}
