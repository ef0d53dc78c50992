//! The session: which token there is, whose it is, and what may be done with it.
//!
//! One number carries two ideas. Every token gets the next **generation**; so does every change of
//! the session's owner, and the first generation of a session names its **epoch**. A request that
//! remembers the generation it was sent with therefore knows both: whether a newer token has come
//! since, and whether the session it belongs to is over.
//!
//! - `request.rs`: an app's request, before it is sent and when it is answered;
//! - `auth_calls.rs`: refresh, login and logout;
//! - `other_tabs.rs`: what other tabs tell.

mod auth_calls;
mod other_tabs;
mod request;

use std::fmt;
use std::rc::Rc;

pub use auth_calls::Arrival;
pub use request::{Departure, Ticket, Wait};

use super::answer::TokenResponse;
use super::auth_call_queue::{AuthCall, AuthCallQueue, Kind};
use super::backoff::Backoff;
use super::challenge::Challenge;
use super::digest::digest;
use super::endpoint::Sends;
use super::failure::Failure;
use super::forbidden::{Forbidden, Resource};
use super::pending_logout::Owed;
use super::policy::{Policy, Renewal, Restore, Tabs};
use super::secret::Secret;
use super::tabs::{HybridTime, Message};
use super::time::{Expiry, Now, Validity};

/// The number of a token, or of a change of owner. The higher, the newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Generation(pub(super) u32);

/// What is known of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing yet: there may be a refresh cookie, or not.
    Unknown,
    /// There is a session.
    SignedIn,
    /// There is none.
    SignedOut,
}

/// What users may see of the session at one moment. Its `Debug` keeps the claims to itself, for they
/// are about a person.
#[derive(Clone, PartialEq)]
pub struct Snapshot {
    /// What is known of the session.
    pub status: Status,
    /// The payload of a JWT, as JSON text. `None` for an opaque token.
    pub claims: Option<Rc<str>>,
    /// When the token ends, in milliseconds since the epoch on the local clock.
    pub expires_at: Option<u64>,
    /// When the session ends unless it is renewed, on the same clock.
    pub session_expires_at: Option<u64>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("status", &self.status)
            .field("expires_at", &self.expires_at)
            .field("session_expires_at", &self.session_expires_at)
            .finish_non_exhaustive()
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user signed out here.
    Logout,
    /// The server refused the refresh.
    Rejected,
    /// An answer said so.
    Ended,
    /// The user signed out in another tab.
    OtherTab,
}

/// Something that happened, to be told once.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The session has a new token.
    Refresh,
    /// The session ended.
    SignOut(Reason),
    /// A refresh did not reach the server. The session stays.
    RefreshError(Failure),
    /// An answer asks for more than the session has: a newer or stronger login (RFC 9470, 3), other
    /// claims. These are all of its challenges.
    StepUp(Vec<Challenge>),
}

/// How a refresh ended for those who waited for it.
#[derive(Clone, Debug, PartialEq)]
pub enum RefreshOutcome {
    /// There is a new token.
    Renewed,
    /// The server refused; the session is over.
    Rejected(Failure),
    /// The server was not reached; the session stays.
    Failed(Failure),
    /// The session it was for is over.
    Void,
}

/// Something for the shell to do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// It is this auth call's turn: get the lock, then ask [`Session::arrive`].
    Start(AuthCall, Kind),
    /// Release those who wait for this refresh.
    SettleRefresh(AuthCall, RefreshOutcome),
    /// The snapshot is another one now.
    Changed,
    /// Tell the app.
    Tell(Event),
    /// Tell the other tabs.
    Post(Message),
    /// Set the mark that a logout is owed to the server, or take it away.
    Owe(bool),
}

/// The token in use.
struct CurrentToken {
    token: Secret,
    generation: Generation,
    expiry: Expiry,
    claims: Option<Rc<str>>,
    subject: Option<String>,
    /// When it was issued, in milliseconds since the epoch by the server's clock, if it says so.
    issued: Option<u64>,
    /// The key that it is bound to, if it is.
    bound: Option<u64>,
    /// When the refresh that brought it was sent; zero if it came another way.
    asked: HybridTime,
    /// The resources that have refused it; the first of them, if there are many.
    refused_by: Vec<Resource>,
    /// The resources that had refused the token before, and have not accepted this one yet.
    renewed_for: Vec<Resource>,
    /// How often the app itself was given it.
    handed_out: u32,
    /// A request has left with it.
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
    /// Whether an API has refused it.
    fn is_refused(&self) -> bool {
        !self.refused_by.is_empty()
    }
}

/// The one refresh that is wanted, and the newest generation there was when it became so.
#[derive(Debug)]
struct PendingRefresh {
    auth_call: AuthCall,
    since: Generation,
    /// The other tabs have been listened to.
    listened: bool,
    /// Another tab held the lock before.
    contended: bool,
    /// When it was last asked for explicitly: then only an answer to what was sent later will do.
    explicit: Option<HybridTime>,
    /// When it was sent.
    asked: HybridTime,
}

/// How many tokens that were replaced are remembered, by their digests: for as many renewals a call may be
/// on its way, such as a long upload with tokens of a minute, before its refusal is not known for one of this
/// session's.
const FORMER: usize = 64;
/// How many of the resources that have refused a token are remembered.
const REFUSED_BY: usize = 64;
/// For how long after a renewal a call of `refresh()` may be about the token before, in milliseconds.
const LATE_REPORTS: u64 = 10_000;

/// The state machine.
#[derive(Debug)]
pub struct Session {
    policy: Rc<Policy>,
    status: Status,
    /// The newest number given out.
    newest: Generation,
    /// The first number of this session.
    epoch: Generation,
    current: Option<CurrentToken>,
    /// The refresh token, where no cookie holds it.
    refresh_token: Option<Secret>,
    /// When the server ends the session unless it is renewed, if it says so.
    session_expiry: Option<Expiry>,
    pending_refresh: Option<PendingRefresh>,
    queue: AuthCallQueue,
    backoff: Backoff,
    /// A logout has not reached the server yet, here or on an earlier page. Nothing is restored until that
    /// is settled.
    owed: Owed,
    /// The next refresh is answered by the server, whatever other tabs have: a sign-in was made elsewhere.
    asks_server: bool,
    /// Another tab has been heard.
    has_other_tabs: bool,
    /// Resources whose 401 means "forbidden".
    forbidden: Forbidden,
    /// Digests of tokens of this session that were replaced.
    former: Vec<u64>,
    /// How many tokens of older generations the app was given, and has not reported as refused.
    unreported: u32,
    /// The newest outcome of an auth call that is known, in any tab.
    stamp: HybridTime,
    /// When this session began, or zero if it was found.
    entered: HybridTime,
    /// When the last login was. Who goes on after a logout with a cookie that is good still has begun a
    /// session without one.
    login: HybridTime,
    /// When the last session was ended by its user.
    left: HybridTime,
    effects: Vec<Effect>,
}

impl Session {
    /// A page begins. `owed`: what became of a logout that never reached the server; until that is
    /// settled nothing is restored.
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
                session.effects.push(Effect::Post(Message::Ask));
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

    /// The token that a logout is to send, before it ends the session.
    pub fn token(&self, which: Sends) -> Option<&Secret> {
        match which {
            Sends::Access => self.current.as_ref().map(|current| &current.token),
            Sends::Refresh | Sends::Token => self.refresh_token(),
        }
    }

    /// The key that the access token is bound to (RFC 9449), if it is: a call with that token carries a proof
    /// by that key.
    pub fn bound(&self) -> Option<u64> {
        self.current.as_ref()?.bound
    }

    /// The refresh token, where it is held in memory. To be sent to the refresh endpoint alone.
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// The next thing to do. Drain it after every call of every other method.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        (!self.effects.is_empty()).then(|| self.effects.remove(0))
    }

    /// In how many milliseconds to call [`Session::renewal_timer_fired`], or `None` for never. A hint:
    /// all is asked again at each call. `chance` is uniform in `0.0..1.0`, and the same at each call.
    pub fn renewal_due_in(&self, chance: f64, now: Now) -> Option<u64> {
        if self.pending_refresh.is_some() || !self.can_renew() {
            return None;
        }
        let current = self.current.as_ref()?;
        let due = current.expiry.until_renewal(chance, now)?;
        // Near its end, a token that nobody uses is left to end.
        let is_good = current.expiry.validity(now) == Validity::Good;
        (current.used || is_good).then(|| due.max(self.backoff.remaining(now)))
    }

    /// Time went by, or the page came back into view or on line. Renews a token that is near its
    /// end and has been in use: a page that nobody uses does not keep its session alive.
    pub fn renewal_timer_fired(&mut self, now: Now) {
        let is_due = self
            .current
            .as_ref()
            .is_some_and(|current| current.used && current.expiry.validity(now) != Validity::Good);
        if is_due && self.can_renew() && self.backoff.holds(false, now).is_none() {
            self.want_refresh();
        }
    }

    /// Whether there is something to renew a token with. Without it nobody is asked.
    fn can_renew(&self) -> bool {
        match self.policy.renewal {
            Renewal::Always => true,
            Renewal::WithToken => self.refresh_token.is_some(),
            Renewal::Never => false,
        }
    }

    /// What is known of the session.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The number of the session: another one for each sign-in and sign-out.
    pub fn epoch(&self) -> u32 {
        self.epoch.0
    }

    /// A readable cookie that is there as long as there is a session is not there: nobody is asked, save
    /// by those who want that explicitly.
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

    /// Whether some resource is known to answer 401 where it means "forbidden", or may turn out to.
    /// Then each answer is to be told, for it may show that it does not.
    pub fn watches_resources(&self) -> bool {
        let is_watched =
            |current: &CurrentToken| current.renewed_for.iter().any(Resource::is_watched);
        self.forbidden.is_watched() || self.current.as_ref().is_some_and(is_watched)
    }

    /// Whoever waited for a login or logout has lost interest: it is not sent any more. One that is on the
    /// wire is let finish.
    pub fn withdraw(&mut self, auth_call: AuthCall) {
        if !self.queue.is_on_the_wire(auth_call) {
            self.queue.void(auth_call);
        }
    }

    /// Forgets everything, so that nobody waits any longer. A call on the wire is let finish.
    pub fn dispose(&mut self) {
        self.raise_epoch();
        self.queue.void_all(Kind::Login);
        self.status = Status::Unknown;
    }

    /// Begins a new epoch: what belongs to the old one commits nothing and is not sent again.
    fn raise_epoch(&mut self) {
        self.epoch = self.number();
        self.drop_tokens();
        self.queue.void_all(Kind::Refresh);
        self.settle_refresh(RefreshOutcome::Void);
        self.forbidden.clear_all();
        self.former.clear();
        self.unreported = 0;
    }

    /// Lets go of the session's tokens, and of what was to be waited for with them.
    fn drop_tokens(&mut self) {
        self.current = None;
        self.refresh_token = None;
        self.session_expiry = None;
        self.asks_server = false;
        self.backoff.reset();
    }

    /// Ends the session that the user wants ended, here or in another tab.
    fn leave(&mut self, stamp: HybridTime, reason: Reason) {
        let was = self.status;
        self.raise_epoch();
        if reason == Reason::Logout {
            // One that went after another tab's logout has a new cookie, and there is no way back.
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

    /// Takes a token into use.
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

    /// Whether tokens are another user's than the current token.
    fn is_of_another(&self, tokens: &TokenResponse) -> bool {
        let mine = self.current.as_ref().and_then(|current| current.subject.as_ref());
        mine.zip(tokens.subject.as_ref()).is_some_and(|(mine, theirs)| mine != theirs)
    }

    /// Whether a subject is certainly the user of the current token.
    fn is_of_same(&self, subject: Option<u64>) -> bool {
        let mine = self.current.as_ref().and_then(|current| current.subject.as_deref());
        mine.zip(subject).is_some_and(|(mine, theirs)| digest(&[mine]) == theirs)
    }

    /// Whether tokens are older than the current one, by what both say of themselves, or were replaced by it.
    fn is_older(&self, tokens: &TokenResponse) -> bool {
        let current = self.current.as_ref().and_then(|current| current.issued);
        current.zip(tokens.issued).is_some_and(|(current, issued)| issued < current)
            || self.former.contains(&digest(&[tokens.access_token.reveal()]))
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
            self.effects.push(Effect::Post(message));
        }
    }

    /// The one refresh: joins the one there is, or asks for one.
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
