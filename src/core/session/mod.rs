//! The session: its current token, its user, and what may be done with the token.
//!
//! One number serves two purposes. Every token gets the next **generation**; so does every change of the
//! session's owner, and the first generation of a session names its **epoch**. A request that remembers the
//! generation it was sent with therefore knows both whether a newer token has come since, and whether its
//! session is over.
//!
//! - `output.rs`: what the session tells users and the shell;
//! - `request.rs`: an app's request, before it is sent and when it is answered;
//! - `asking.rs`: direct requests of the app, for the token, a refresh, or the state;
//! - `auth_calls.rs`: refresh, login and logout;
//! - `other_tabs.rs`: news from other tabs.

mod asking;
mod auth_calls;
mod other_tabs;
mod output;
mod request;

use std::fmt;
use std::rc::Rc;

pub use auth_calls::Arrival;
pub use output::{Effect, Event, Reason, RefreshOutcome, Snapshot, Status};
pub use request::{Departure, Ticket, Unanswered, Wait};

use super::answer::TokenResponse;
use super::auth_call_queue::{AuthCall, AuthCallQueue, Kind};
use super::backoff::Backoff;
use super::digest::digest;
use super::endpoint::Sends;
use super::failure::{Code, Failure, Step};
use super::forbidden::{Forbidden, Resource};
use super::pending_logout::Owed;
use super::policy::{Policy, Renewal, Restore, Tabs};
use super::secret::Secret;
use super::tabs::{HybridTime, Message};
use super::time::{Expiry, Now, Validity};

/// The number of a token, or of a change of owner. A higher number is newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Generation(pub(super) u32);

/// The current token.
struct CurrentToken {
    token: Secret,
    generation: Generation,
    expiry: Expiry,
    claims: Option<Rc<str>>,
    subject: Option<String>,
    /// When it was issued, in milliseconds since the epoch by the server's clock, if it says so.
    issued: Option<u64>,
    /// The key that it is bound to, if any.
    bound: Option<u64>,
    /// When the refresh that brought it was sent; zero if the token came another way.
    asked: HybridTime,
    /// The resources that have refused it; if there are many, only the first of them.
    refused_by: Vec<Resource>,
    /// The resources that refused the previous token, and have not accepted this one yet.
    renewed_for: Vec<Resource>,
    /// How often the token was given to the app itself.
    handed_out: u32,
    /// Whether a request has been sent with it.
    used: bool,
}

impl fmt::Debug for CurrentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentToken")
            .field("generation", &self.generation)
            .field("expiry", &self.expiry)
            .field("refused", &self.is_refused())
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

impl CurrentToken {
    /// Whether an API has refused the token.
    fn is_refused(&self) -> bool {
        !self.refused_by.is_empty()
    }
}

/// The one pending refresh, and the newest generation at the moment it was requested.
#[derive(Debug)]
struct PendingRefresh {
    auth_call: AuthCall,
    since: Generation,
    /// Whether the other tabs have been listened to.
    listened: bool,
    /// Whether another tab held the lock before.
    contended: bool,
    /// When it was last requested explicitly: then only the answer to a refresh sent later counts.
    explicit: Option<HybridTime>,
    /// When it was sent.
    asked: HybridTime,
}

/// How many replaced tokens are remembered, by their digests. A call may be on its way for this many
/// renewals, such as a long upload with tokens of one minute, and its refusal is still recognised as one of
/// this session.
const FORMER: usize = 64;
/// How many of the resources that refused a token are remembered.
const REFUSED_BY: usize = 64;

/// The state machine.
#[derive(Debug)]
pub struct Session {
    policy: Rc<Policy>,
    status: Status,
    /// The newest number assigned.
    newest: Generation,
    /// The first number of the current session.
    epoch: Generation,
    current: Option<CurrentToken>,
    /// The refresh token, if no cookie holds it.
    refresh_token: Option<Secret>,
    /// When the server ends the session unless it is renewed, if it says so.
    session_expiry: Option<Expiry>,
    pending_refresh: Option<PendingRefresh>,
    queue: AuthCallQueue,
    backoff: Backoff,
    /// The state of a pending logout, from here or from an earlier page. Nothing is restored until it is
    /// settled.
    owed: Owed,
    /// Whether the next refresh must ask the server, even if other tabs have a token: the user signed in
    /// elsewhere.
    asks_server: bool,
    /// Whether another tab has been heard.
    has_other_tabs: bool,
    /// Resources whose 401 means "forbidden".
    forbidden: Forbidden,
    /// Digests of this session's replaced tokens.
    former: Vec<u64>,
    /// How many tokens of older generations the app was given and has not reported as refused.
    unreported: u32,
    /// The newest known outcome of an auth call, in any tab.
    stamp: HybridTime,
    /// When this session began, or zero if it was found.
    entered: HybridTime,
    /// When the last login happened. It differs from `entered` when a tab continued after a logout with a
    /// cookie that was still good: that begins a session without a login.
    login: HybridTime,
    /// When a user last ended a session.
    left: HybridTime,
    is_disposed: bool,
    effects: Vec<Effect>,
}

impl Session {
    /// The state when a page starts. `owed`: what to do about a pending logout; nothing is restored until it
    /// is settled.
    pub fn new(policy: impl Into<Rc<Policy>>, owed: Owed, now: Now) -> Self {
        let is_owed = owed != Owed::Nothing;
        let mut session = Self {
            policy: policy.into(),
            status: if is_owed { Status::SignedOut } else { Status::Unknown },
            newest: Generation(0),
            epoch: Generation(0),
            current: None,
            refresh_token: None,
            session_expiry: None,
            pending_refresh: None,
            queue: AuthCallQueue::default(),
            backoff: Backoff::default(),
            owed,
            asks_server: false,
            has_other_tabs: false,
            forbidden: Forbidden::default(),
            former: Vec::new(),
            unreported: 0,
            stamp: HybridTime(0),
            entered: HybridTime(0),
            login: HybridTime(0),
            left: HybridTime(0),
            is_disposed: false,
            effects: Vec::new(),
        };
        if is_owed {
            session.stamp = session.stamp.after(now);
            session.left = session.stamp;
            session.effects.push(Effect::Changed);
            if owed == Owed::Finish {
                session.stand_in_line(Kind::Logout);
            }
        } else if session.policy.restore != Restore::Manual {
            if session.policy.tabs == Tabs::Share {
                session.effects.push(Effect::Post(Box::new(Message::Ask)));
            }
            if session.policy.restore == Restore::Eager {
                session.want_refresh();
            }
        }
        session
    }

    /// What users may see now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            status: self.status,
            claims: self.current.as_ref().and_then(|current| current.claims.clone()),
            expires_at: self.current.as_ref().and_then(|current| current.expiry.at()),
            session_expires_at: self.session_expiry.as_ref().and_then(Expiry::at),
        }
    }

    /// The token for a logout to send. Read it before the logout ends the session.
    pub fn token(&self, which: Sends) -> Option<&Secret> {
        match which {
            Sends::Access => self.current.as_ref().map(|current| &current.token),
            Sends::Refresh | Sends::Token => self.refresh_token(),
        }
    }

    /// The key that the access token is bound to (RFC 9449), if any: a call with the token then carries a
    /// proof by that key.
    pub fn bound(&self) -> Option<u64> {
        self.current.as_ref()?.bound
    }

    /// The refresh token, if it is held in memory. It goes to the refresh endpoint only.
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// The next task. Drain it after every call of any other method.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        (!self.effects.is_empty()).then(|| self.effects.remove(0))
    }

    /// In how many milliseconds to call [`Session::renewal_timer_fired`], or `None` for never. It is only a
    /// hint: each request decides anew. `chance` is uniform in `0.0..1.0`, and the same for every call.
    pub fn renewal_due_in(&self, chance: f64, now: Now) -> Option<u64> {
        if self.pending_refresh.is_some() || !self.can_renew() {
            return None;
        }
        let current = self.current.as_ref()?;
        let due = current.expiry.until_renewal(chance, now)?;
        // An unused token near its end is not renewed.
        let is_good = current.expiry.validity(now) == Validity::Good;
        (current.used || is_good).then(|| due.max(self.backoff.remaining(now)))
    }

    /// Time has passed, or the page is visible or online again. Renews a token that is near its end and has
    /// been used: a page that nobody uses does not keep its session alive.
    pub fn renewal_timer_fired(&mut self, now: Now) {
        let is_due = self
            .current
            .as_ref()
            .is_some_and(|current| current.used && current.expiry.validity(now) != Validity::Good);
        if is_due && self.can_renew() && self.backoff.holds(false, now).is_none() {
            self.want_refresh();
        }
    }

    /// Whether a refresh is possible. Without a refresh token, no refresh is attempted.
    fn can_renew(&self) -> bool {
        match self.policy.renewal {
            Renewal::Always => true,
            Renewal::WithToken => self.refresh_token.is_some(),
            Renewal::Never => false,
        }
    }

    /// What is known about the session.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The number of the session, which changes with each sign-in and sign-out.
    pub fn epoch(&self) -> u32 {
        self.epoch.0
    }

    /// The readable cookie that accompanies a session is missing: no refresh is sent unless it is explicitly
    /// requested.
    pub fn no_session_hint(&mut self) {
        let is_wanted = |pending: &PendingRefresh| {
            pending.explicit.is_some() || self.queue.is_on_the_wire(pending.auth_call)
        };
        let is_wanted = self.asks_server || self.pending_refresh.as_ref().is_some_and(is_wanted);
        if self.status == Status::Unknown && !is_wanted {
            self.queue.void_unsent(Kind::Refresh);
            self.settle_refresh(RefreshOutcome::Void);
            self.status = Status::SignedOut;
            self.changed();
        }
    }

    /// Whether a resource is known to answer 401 where it means "forbidden", or may turn out to do so. Then
    /// every answer must be reported, because one may show that the resource is open again.
    pub fn watches_resources(&self) -> bool {
        let is_watched =
            |current: &CurrentToken| current.renewed_for.iter().any(Resource::is_watched);
        self.forbidden.is_watched() || self.current.as_ref().is_some_and(is_watched)
    }

    /// The caller of a login or logout has lost interest: it is not sent any more. A call on the wire is left
    /// to finish.
    pub fn withdraw(&mut self, auth_call: AuthCall) {
        if !self.queue.is_on_the_wire(auth_call) {
            self.queue.void(auth_call);
        }
    }

    /// Forgets everything, so that nobody waits any longer. A call on the wire is left to finish.
    pub fn dispose(&mut self) {
        self.raise_epoch();
        self.queue.void_all(Kind::Login);
        self.status = Status::Unknown;
        self.is_disposed = true;
    }

    /// # Errors
    /// [`Code::Disposed`], once it is.
    pub fn alive(&self, step: Step) -> Result<(), Failure> {
        if self.is_disposed { Err(Failure::new(Code::Disposed, step)) } else { Ok(()) }
    }

    /// Begins a new epoch: calls of the old one commit nothing and are not sent again.
    fn raise_epoch(&mut self) {
        self.epoch = self.number();
        self.drop_tokens();
        self.queue.void_all(Kind::Refresh);
        self.settle_refresh(RefreshOutcome::Void);
        self.forbidden.clear_all();
        self.former.clear();
        self.unreported = 0;
    }

    /// Drops the session's tokens and the back-off that belongs to them.
    fn drop_tokens(&mut self) {
        self.current = None;
        self.refresh_token = None;
        self.session_expiry = None;
        self.asks_server = false;
        self.backoff.reset();
    }

    /// Ends the session because the user signed out, here or in another tab.
    fn leave(&mut self, stamp: HybridTime, reason: Reason) {
        let was = self.status;
        self.raise_epoch();
        if reason == Reason::Logout {
            // Only a logout in this tab voids logins: a login that follows another tab's logout brings a new
            // cookie, and cannot be undone.
            self.queue.void_all(Kind::Login);
        }
        self.status = Status::SignedOut;
        self.stamp = self.stamp.max(stamp);
        self.left = self.left.max(stamp);
        if was != Status::SignedOut {
            self.changed();
        }
        if was == Status::SignedIn {
            self.tell(Event::SignOut(reason));
        }
    }

    /// Makes a token the current one.
    fn commit(&mut self, tokens: TokenResponse, asked: HybridTime, now: Now) {
        let generation = self.number();
        let mut renewed_for = Vec::new();
        if let Some(current) = &mut self.current {
            renewed_for = std::mem::take(&mut current.refused_by);
            if self.former.len() == FORMER {
                self.former.remove(0);
            }
            self.former.push(digest(&[current.token.reveal()]));
            self.unreported = self.unreported.saturating_add(current.handed_out);
        }
        if tokens.refresh_token.is_some() {
            self.refresh_token = tokens.refresh_token;
        }
        if tokens.session_life.is_some() {
            self.session_expiry = Some(Expiry::new(now, tokens.session_life, None));
        }
        self.current = Some(CurrentToken {
            token: tokens.access_token,
            generation,
            expiry: Expiry::new(now, tokens.life, self.policy.refresh_before),
            claims: tokens.claims,
            subject: tokens.subject,
            issued: tokens.issued,
            bound: tokens.bound,
            asked,
            refused_by: Vec::new(),
            renewed_for,
            handed_out: 0,
            used: false,
        });
        self.status = Status::SignedIn;
        self.asks_server = false;
        self.backoff.reset();
        self.changed();
    }

    /// Whether the tokens belong to a different user than the current token.
    fn is_of_another(&self, tokens: &TokenResponse) -> bool {
        let mine = self.current.as_ref().and_then(|current| current.subject.as_ref());
        mine.zip(tokens.subject.as_ref()).is_some_and(|(mine, theirs)| mine != theirs)
    }

    /// Whether the subject is certainly the user of the current token.
    fn is_of_same(&self, subject: Option<u64>) -> bool {
        let mine = self.current.as_ref().and_then(|current| current.subject.as_deref());
        mine.zip(subject).is_some_and(|(mine, theirs)| digest(&[mine]) == theirs)
    }

    /// Whether the tokens are older than the current one, by the times of issue in both, or were replaced by
    /// it.
    fn is_older(&self, tokens: &TokenResponse) -> bool {
        let current = self.current.as_ref().and_then(|current| current.issued);
        current.zip(tokens.issued).is_some_and(|(current, issued)| issued < current)
            || self.is_former(&tokens.access_token)
    }

    /// Whether a token is one of this session's replaced tokens.
    fn is_former(&self, token: &Secret) -> bool {
        let digest = digest(&[token.reveal()]);
        // `contains` is fast, and large.
        self.former.iter().copied().any(|former| former == digest)
    }

    fn number(&mut self) -> Generation {
        self.newest.0 += 1;
        self.newest
    }

    fn changed(&mut self) {
        self.effects.push(Effect::Changed);
    }

    fn tell(&mut self, event: Event) {
        self.effects.push(Effect::Tell(event));
    }

    fn post(&mut self, message: Message) {
        if self.policy.tabs != Tabs::Off {
            self.effects.push(Effect::Post(Box::new(message)));
        }
    }

    /// Joins the pending refresh, or requests one.
    fn want_refresh(&mut self) -> AuthCall {
        if let Some(pending) = &self.pending_refresh {
            return pending.auth_call;
        }
        let auth_call = self.stand_in_line(Kind::Refresh);
        self.pending_refresh = Some(PendingRefresh {
            auth_call,
            since: self.newest,
            listened: false,
            contended: false,
            explicit: None,
            asked: HybridTime(0),
        });
        auth_call
    }

    fn settle_refresh(&mut self, outcome: RefreshOutcome) {
        if let Some(pending) = self.pending_refresh.take() {
            self.effects.push(Effect::SettleRefresh(pending.auth_call, outcome));
        }
    }

    fn stand_in_line(&mut self, kind: Kind) -> AuthCall {
        let auth_call = self.queue.join(kind);
        self.give_turn();
        auth_call
    }

    fn give_turn(&mut self) {
        if let Some((auth_call, kind)) = self.queue.next() {
            self.effects.push(Effect::Start(auth_call, kind));
        }
    }
}
