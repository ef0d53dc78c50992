//! One tab: the session under test, and the world's own account of it.

use std::collections::{HashMap, HashSet};

use tokenkeep::core::{
    AuthCall, Now, Owed, Policy, Reason, Secret, Sends, Session, Snapshot, Status, TokenResponse,
};

use super::server::{SessionId, Token, User};

/// The effects of one call.
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

/// The visible state of a session: what users may see, and the token.
#[derive(Clone, PartialEq)]
pub struct Seen {
    pub snapshot: Snapshot,
    pub token: Option<Token>,
}

/// A token that the tab should have, by the world's account.
#[derive(Clone, Copy, Debug)]
pub struct CurrentToken {
    received: Now,
    life: Option<u64>,
    margin: u64,
}

/// How near a token is to its end, by the world's account.
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

/// A resource that answers 401 where it means "forbidden", as far as can be known.
#[derive(Clone, Copy, Debug)]
struct Forbidden {
    token: u32,
    since: Now,
    /// For how many minutes its refusals of newer tokens are not believed either.
    minutes: u64,
}

/// A tab.
#[derive(Debug)]
pub struct Tab {
    /// Which of the different managers it is.
    pub identity: usize,
    pub session: Session,
    before: Option<u64>,
    current: Option<CurrentToken>,
    /// Changes of owner that this tab knows of.
    pub epoch: u32,
    /// The wanted refresh.
    pub pending_refresh: Option<AuthCall>,
    /// Whether a hidden refresh may be wanted: its turn has not come, and nobody waits for it.
    pub may_be_pending: bool,
    /// Settled refreshes.
    pub settled: HashSet<AuthCall>,
    /// Waiting callers of `refresh()`.
    pub refreshers: Vec<AuthCall>,
    /// Waiting callers of `login()`, and their users.
    pub logins: HashMap<AuthCall, User>,
    /// The refresh tokens for queued logouts to send.
    pub last_words: HashMap<AuthCall, u32>,
    /// Whether a newer token may have come since the refresh was wanted.
    pub may_be_newer: bool,
    /// Logins that the user signed out of before their answer.
    pub overtaken: HashSet<AuthCall>,
    /// Tokens that were refused here, and the resources that refused them.
    refused: HashMap<u32, HashSet<u8>>,
    /// The resources that refused the token before the current one, and have not accepted the current one.
    renewed_for: HashSet<u8>,
    forbidden: HashMap<u8, Forbidden>,
    /// The refusals, by token and resource, that began a refresh that reached the server.
    pub cost: HashSet<(u32, u8)>,
    /// How often the app was given each token.
    given: HashMap<u32, u32>,
    /// How many refusals of given and replaced tokens the app has reported.
    reported: u32,
    /// A replaced token of this session.
    pub previous: Option<TokenResponse>,
    /// The current tokens.
    pub granted: Option<TokenResponse>,
    /// When a sign-in elsewhere happened for which the server must still be asked.
    pub elsewhere: Option<u64>,
    /// When `refresh()` was last called for a pending refresh.
    pub called: HashMap<AuthCall, u64>,
    /// How many sessions are known to have begun.
    pub entries: u32,
    /// How many there were when a logout was requested.
    pub entries_at: HashMap<AuthCall, u32>,
    /// Tokens that the session may consider refused, although by this account a resource forbids them: with
    /// several tabs, this tab may have learned of a new session and forgotten which are forbidden.
    pub unsure: HashSet<u32>,
    /// Auth calls that had to wait for others.
    pub contended: HashSet<AuthCall>,
    /// Whether a message has come from another tab.
    pub has_met: bool,
    /// Sessions that were signed out of here.
    pub left: HashSet<SessionId>,
    pause: Option<Pause>,
    failures: u32,
    /// A message may have ended the pause and reset its count, which does not show.
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

    /// The session's token.
    pub fn token(&self) -> Option<Token> {
        self.session.token(Sends::Access).map(|token| Token::read(token.reveal()))
    }

    /// The session's refresh token.
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

    /// How near the token is to its end, if there is one and it has not been refused.
    pub fn age(&self, now: Now) -> Option<Age> {
        let token = self.token().filter(|token| !self.is_refused(token.id))?;
        let current = self.current.unwrap_or_else(|| panic!("{token:?} came from nowhere"));
        Some(current.age(now))
    }

    pub fn is_unsure(&self) -> bool {
        self.token().is_some_and(|token| self.unsure.contains(&token.id))
    }

    /// Whether the token was refused by a resource that is not known to be forbidden.
    pub fn is_refused(&self, token: u32) -> bool {
        self.refused.get(&token).is_some_and(|by| !by.is_empty())
    }

    /// Whether a resource may accept a token that others have refused.
    pub fn may_try(&self, resource: u8, now: Now) -> bool {
        let by = self.token().and_then(|token| self.refused.get(&token.id));
        let is_over = self.current.is_none_or(|current| current.age(now) == Age::Ended);
        !is_over && by.is_some_and(|by| !by.is_empty() && !by.contains(&resource))
    }

    /// Whether a resource's 401 to a token goes to the caller.
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

    /// The newest token was refused, for a first sending, or for a second one after its renewal.
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

    /// Forgets what belongs to a session's resources and tokens.
    pub fn forgets(&mut self) {
        self.forbidden.clear();
        self.renewed_for.clear();
        self.given.clear();
        self.reported = 0;
        (self.previous, self.granted) = (None, None);
    }

    /// A new token replaces this one.
    pub fn replaces(&mut self, was: Option<Token>) {
        let by = was.and_then(|was| self.refused.remove(&was.id));
        self.renewed_for = by.unwrap_or_default();
    }

    /// The app is given a token.
    pub fn gives(&mut self, token: u32) {
        *self.given.entry(token).or_default() += 1;
    }

    /// How many refusals of given and replaced tokens the app may still report.
    pub fn unreported(&self) -> u32 {
        let current = self.token().map(|token| token.id);
        let late = self.given.iter().filter(|(token, _)| Some(**token) != current);
        late.map(|(_, times)| times).sum::<u32>() - self.reported
    }

    /// The app reported a refusal, or asked for a token to replace the one it was given.
    pub fn reports(&mut self, is_late: bool) {
        self.reported += u32::from(is_late);
        if let (false, Some(current)) = (is_late, self.token())
            && let Some(times) = self.given.get_mut(&current.id)
        {
            *times = times.saturating_sub(1);
        }
    }

    /// Whether the token arrived within the last ten seconds.
    pub fn is_just_renewed(&self, now: Now) -> bool {
        self.current.is_some_and(|current| gone(current.received, now) < 10_000)
    }

    /// Notes a new token.
    pub fn takes(&mut self, tokens: &TokenResponse, now: Now) {
        self.previous = self.granted.replace(tokens.clone());
        self.current = Some(CurrentToken::new(now, tokens.life, self.before));
    }

    /// Whether a refresh is forbidden by the pause; `explicit`: whether even an explicit one is.
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

    /// Notes that there is no reason to pause any more.
    pub fn recovers(&mut self) {
        self.pause = None;
        self.failures = 0;
        self.may_have_recovered = false;
    }
}

/// The access token in a token response.
pub fn token_in(tokens: &TokenResponse) -> Token {
    Token::read(tokens.access_token.reveal())
}
