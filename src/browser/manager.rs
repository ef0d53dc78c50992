//! The token manager, for Rust; and the [`Shell`] that all parts of the doing share.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use futures::future::LocalBoxFuture;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

use super::answer;
use super::auth_call::Job;
use super::call::{Outgoing, Taken};
use super::channel::Channel;
use super::dpop::Prover;
use super::error::{FetchError, TokenError};
use super::fetch::Pending;
use super::options::{self, Hooks};
use super::pending_logout::PendingLogout;
use super::platform;
use super::renewal_timer::RenewalTimer;
use super::shared_outcome::{Settler, SharedOutcome, shared_outcome};
use super::task::{handed, spawn};
use super::written::written;
use crate::core::{
    AuthCall, Code, Departure, Effect, Event, Failure, Identity, Life, Mark, Now, Options, Owed,
    Policy, Reason, RefreshOutcome, Resource, Restore, Secret, Session, Snapshot, Step, Tabs, owed,
};

/// Something that users are told.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The snapshot is another one now.
    Changed(Snapshot),
    /// Something happened.
    Event(Event, Detail),
}

/// What stands behind an event.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// Of [`Event::Refresh`]: the answer's JSON without the tokens, where this tab has asked.
    pub answer: JsValue,
    /// Of [`Event::RefreshError`], and of [`Event::SignOut`] after a refusal: the error, and the
    /// platform's error or the `Response` as its cause.
    pub error: Option<TokenError>,
}

/// Tokens that an app got by a login of its own.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The length of its life in seconds (RFC 6749, 5.1), if known.
    pub expires_in: Option<f64>,
    /// The refresh token, where no cookie holds it.
    pub refresh_token: Option<Secret>,
}

/// Keeps the access token of a single-page app, and puts it on its requests.
///
/// Clones are the same manager. Dropping the last one disposes of it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tokenkeep::{Options, TokenManager};
///
/// let auth = TokenManager::new(Options::new("/auth/refresh"))?;
/// let request = web_sys::Request::new_with_str("/api/me").map_err(|_| "no such URL")?;
/// let response = auth.fetch(&request).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TokenManager {
    owner: Rc<Owner>,
}

/// Two are equal that are clones of each other: what a framework asks to know whether to render.
impl PartialEq for TokenManager {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.owner, &other.owner)
    }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager").finish_non_exhaustive()
    }
}

/// Disposes of the shell when the last clone of the manager goes.
struct Owner(Rc<Shell>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.dispose();
    }
}

/// A listener's registration. It ends when this is dropped.
#[must_use = "dropping it ends the subscription"]
pub struct Subscription {
    shell: Weak<Shell>,
    id: u32,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(shell) = self.shell.upgrade() {
            shell.listeners.borrow_mut().retain(|(id, _)| *id != self.id);
        }
    }
}

impl TokenManager {
    /// Makes a manager for the page, or the worker, that this runs in.
    ///
    /// # Errors
    /// [`Code::InvalidOption`], naming the option and what it takes.
    pub fn new(options: Options) -> Result<Self, TokenError> {
        let base = platform::base();
        Ok(Self { owner: Rc::new(Owner(Shell::new(&written(&options), base.as_deref())?)) })
    }

    fn shell(&self) -> &Rc<Shell> {
        &self.owner.0
    }

    /// Sends a request: with the token, if its URL lies under one of the APIs, and once more after
    /// a refresh, if that is what the answer calls for. A clone of the request is sent, so that its
    /// body can be sent again; where that comes from a stream, the request itself, once.
    ///
    /// A redirect that would take the token to where it must not go is an error of the platform's.
    ///
    /// # Errors
    /// [`FetchError::Platform`] with whatever the platform's `fetch` rejects with, untouched;
    /// [`FetchError::Token`] if the session's part failed.
    ///
    /// What the call belongs to is settled at once, before the future is polled. So it is with all
    /// methods.
    pub fn fetch(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<Response, FetchError>> + 'static {
        // The body is the caller's to use up from here on.
        let begun = Taken::new(request).map(|call| {
            let begun = self.shell().begin(&call);
            (call, begun)
        });
        let shell = Rc::clone(self.shell());
        handed(async move {
            let (call, begun) = begun.map_err(FetchError::Platform)?;
            shell.fetch(&call, begun).await
        })
    }

    /// Sends credentials, and takes the tokens out of the answer. Resolves to the rest of its JSON.
    ///
    /// # Errors
    /// [`FetchError::Platform`] with the reason of the request's signal, if that is aborted. Else a [`TokenError`]:
    /// [`Code::Rejected`] with the `Response` as its cause, for wrong credentials; the outages;
    /// [`Code::SessionChanged`] if the user signed out meanwhile.
    pub fn login(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        self.login_call(request, false)
    }

    /// Sends a call that sets the refresh cookie and brings a new token for whom the session is:
    /// another organisation, another user that one acts as, and back. It is a login that carries the
    /// present token, renewed first if it must be; its answer begins a new session in all tabs.
    ///
    /// # Errors
    /// As [`TokenManager::login`]; [`Code::SignedOut`] without a session.
    pub fn exchange(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        self.login_call(request, true)
    }

    fn login_call(
        &self,
        request: &Request,
        carries_token: bool,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        let asked = copy(request, Step::Login)
            .map(|request| self.shell().login(Rc::new(request), carries_token));
        handed(async move { asked?.outcome().await })
    }

    /// Says that the user has signed in where no script of this crate could see it, as by a redirect.
    /// A new session begins in all tabs, and a logout that is owed is taken back. The next call that
    /// needs a token asks the server for one.
    ///
    /// # Errors
    /// [`Code::Disposed`].
    pub fn signed_in(&self) -> Result<(), TokenError> {
        self.shell().signed_in()
    }

    /// Begins a session with tokens that the app got by itself.
    ///
    /// # Errors
    /// [`Code::Disposed`].
    pub fn set_tokens(&self, tokens: Tokens) -> Result<(), TokenError> {
        self.shell().set_tokens(tokens)
    }

    /// Asks for a new token now, or joins a refresh in flight.
    ///
    /// # Errors
    /// [`Code::Rejected`] if the session is over; the outages; [`Code::SessionChanged`] if the
    /// session was ended meanwhile.
    pub fn refresh(&self) -> impl Future<Output = Result<(), TokenError>> + 'static {
        handed(self.shell().refresh(false))
    }

    /// Ends the session here and in every tab, at once, then tells the server: with the request
    /// given, else with the option `logout`.
    ///
    /// # Errors
    /// What kept the server from being told: [`FetchError::Platform`] with the reason of the request's signal, if
    /// that is aborted, else a [`TokenError`]. The session is over all the same, and the logout is
    /// finished at the next start.
    pub fn logout(
        &self,
        request: Option<&Request>,
    ) -> impl Future<Output = Result<(), FetchError>> + 'static {
        let call = request.map(|request| copy(request, Step::Logout)).transpose();
        let asked = call
            .map(|call| self.shell().logout(call.map(|call| Rc::new(call) as Rc<dyn Outgoing>)));
        handed(async move { asked?.outcome().await.map(|_| ()) })
    }

    /// What is known of the session.
    pub fn state(&self) -> Snapshot {
        self.shell().session.borrow().snapshot()
    }

    /// The access token, for what cannot go through [`TokenManager::fetch`], such as a `WebSocket`.
    /// Renews it first where that is due.
    ///
    /// # Errors
    /// [`Code::NotExposed`] unless the option `expose_token` is set; [`Code::SignedOut`] without a
    /// session; the outages.
    pub fn access_token(&self) -> impl Future<Output = Result<Secret, TokenError>> + 'static {
        handed(self.shell().access_token(None))
    }

    /// The access token after `refused`, which the resource at the URL `by` has refused: that one is
    /// not given again to who says so. All who say so of one token bring about one refresh.
    ///
    /// # Errors
    /// As [`TokenManager::access_token`]; [`Code::Forbidden`] where the resource has refused a newer
    /// token, too.
    pub fn access_token_after(
        &self,
        refused: &Secret,
        by: &str,
    ) -> impl Future<Output = Result<Secret, TokenError>> + 'static {
        handed(self.shell().access_token(Some((refused.clone(), Resource::reported(by)))))
    }

    /// The access token, if one is there and has not ended: for what cannot wait. Nobody is asked for a
    /// newer one.
    ///
    /// # Errors
    /// [`Code::NotExposed`] unless the option `expose_token` is set.
    pub fn peek_access_token(&self) -> Result<Option<Secret>, TokenError> {
        self.shell().peek()
    }

    /// The state, as soon as it is known whether somebody is signed in: where nobody has asked the server
    /// yet, this does. With [`Restore::Manual`] it says at once that nothing is known.
    ///
    /// # Errors
    /// The outages: then nothing is known still.
    pub fn known(&self) -> impl Future<Output = Result<Snapshot, TokenError>> + 'static {
        let (known, shell) = (self.shell().refresh(true), Rc::clone(self.shell()));
        handed(async move {
            known.await?;
            Ok(shell.session.borrow().snapshot())
        })
    }

    /// Calls the listener with each [`Notice`], until the subscription is dropped.
    pub fn subscribe(&self, listener: impl Fn(&Notice) + 'static) -> Subscription {
        self.shell().subscribe(listener)
    }
}

/// A copy of a request whose body the caller may use up.
fn copy(request: &Request, step: Step) -> Result<Request, TokenError> {
    request
        .clone()
        .map_err(|error| TokenError::new(Code::InvalidArgument, step).with_cause(Some(error)))
}

/// A refresh that somebody waits for.
struct Waiting {
    auth_call: AuthCall,
    settler: Settler<RefreshOutcome>,
    outcome: SharedOutcome<RefreshOutcome>,
}

type Listener = Rc<dyn Fn(&Notice)>;
pub(super) type Mirror = Box<dyn Fn(&Snapshot)>;

/// What all parts of the doing share. Behind [`TokenManager`], and behind the JavaScript bindings.
pub(crate) struct Shell {
    pub(super) session: RefCell<Session>,
    pub(super) hooks: Hooks,
    /// What rules look at in JSON bodies.
    pub(super) paths: String,
    pub(super) options: Box<Options>,
    pub(super) policy: Rc<Policy>,
    /// The origin of the page, if there is one.
    pub(super) page: Option<String>,
    /// The name of the lock, if tabs take turns.
    pub(super) lock: Option<String>,
    pending_logout: PendingLogout,
    /// What makes proofs, with the option `dpop`.
    pub(super) prover: Option<Prover>,
    /// The token that a logout which has failed is to send, until the server is told.
    pub(super) kept: RefCell<Option<Secret>>,
    /// What each auth call but a refresh is to send, and whom it answers.
    pub(super) jobs: RefCell<Vec<Job>>,
    /// What stands behind the outcome of the last refresh: the platform's error, or the answer.
    pub(super) cause: RefCell<Option<JsValue>>,
    /// The JSON of the answer to it, without the tokens, for the event.
    pub(super) answer: RefCell<JsValue>,
    /// The last refusal, for the event.
    refusal: RefCell<Option<Failure>>,
    waiting_for_refresh: RefCell<Vec<Waiting>>,
    channel: RefCell<Option<Channel>>,
    renewal_timer: RefCell<Option<RenewalTimer>>,
    listeners: RefCell<Vec<(u32, Listener)>>,
    last_listener: Cell<u32>,
    /// The app's refresh function is running. A call that it makes would wait for itself.
    pub(super) is_in_refresh: Cell<bool>,
    /// Told of every change at once, before anybody is notified.
    pub(super) mirror: RefCell<Option<Mirror>>,
    notices: RefCell<Vec<Notice>>,
    is_notifying: Cell<bool>,
}

impl Shell {
    /// `given`: the options as an app in JavaScript writes them.
    pub(crate) fn new(given: &JsValue, base: Option<&str>) -> Result<Rc<Self>, TokenError> {
        let (mut options, hooks, Identity { turn, share, key }) = options::read(given, base)?;
        let origin = platform::origin();
        // On a server there are no tabs, nothing to come back to, and a program that wants to end.
        let is_page = origin.is_some();
        let page = origin.filter(|origin| origin != "null");
        let mut policy = options.policy();
        if share.is_none() && policy.tabs == Tabs::Share {
            platform::notice(NAMELESS);
            policy.tabs = Tabs::Lock;
        }
        let policy = Rc::new(policy);
        let takes_turns = is_page && policy.tabs != Tabs::Off;
        let now = platform::now();
        let pending_logout = PendingLogout::new(share.as_deref());
        let mark = pending_logout.mark(now);
        let owed =
            owed(mark, options.logout.is_some(), mark.is_some() && platform::may_be_sign_in(), now);
        match owed {
            // It is too old to be of any session that there is.
            Owed::Nothing if mark.is_some() => pending_logout.set(None),
            Owed::Untold => platform::notice(UNTOLD),
            _ => {}
        }
        let session = Session::new(Rc::clone(&policy), owed, now);
        let shell = Rc::new(Self {
            session: RefCell::new(session),
            hooks,
            paths: policy.rules.paths(),
            page,
            lock: takes_turns.then_some(turn),
            pending_logout,
            prover: options.dpop.map(|keys| Prover::new(keys, &key)),
            kept: RefCell::default(),
            jobs: RefCell::default(),
            cause: RefCell::default(),
            answer: RefCell::default(),
            refusal: RefCell::default(),
            waiting_for_refresh: RefCell::default(),
            channel: RefCell::default(),
            renewal_timer: RefCell::default(),
            listeners: RefCell::default(),
            last_listener: Cell::default(),
            is_in_refresh: Cell::default(),
            mirror: RefCell::default(),
            notices: RefCell::default(),
            is_notifying: Cell::default(),
            options,
            policy,
        });
        if let Some(share) = share.filter(|_| takes_turns) {
            shell.channel.replace(Channel::open(&share, &shell));
        }
        if shell.policy.restore == Restore::Eager {
            shell.look_for_hint();
        }
        if is_page {
            shell.renewal_timer.replace(Some(RenewalTimer::new(&shell)));
        }
        // Not in this turn: whoever makes a manager wants to listen to it first.
        let this = Rc::clone(&shell);
        spawn(Box::pin(async move { this.drain() }));
        Ok(shell)
    }

    /// # Errors
    /// [`Code::Disposed`], once it is.
    pub(super) fn alive(&self, step: Step) -> Result<(), TokenError> {
        Ok(self.session.borrow().alive(step)?)
    }

    pub(crate) fn set_tokens(self: &Rc<Self>, tokens: Tokens) -> Result<(), TokenError> {
        self.alive(Step::Login)?;
        let Tokens { access_token, expires_in, refresh_token } = tokens;
        let (known, now) = (Life { expires_in, ..Life::default() }, platform::now());
        let tokens = answer::describe(access_token, refresh_token, known, &self.options, now);
        self.tell(|session, now| session.set_tokens(tokens, now));
        Ok(())
    }

    pub(crate) fn signed_in(self: &Rc<Self>) -> Result<(), TokenError> {
        self.alive(Step::Login)?;
        self.tell(|session, now| session.signed_in(now));
        Ok(())
    }

    /// Asks at once, and waits for what comes of it. `to_know`: nothing is wanted but that it is known whether
    /// somebody is signed in.
    pub(crate) fn refresh(
        self: &Rc<Self>,
        to_know: bool,
    ) -> LocalBoxFuture<'static, Result<(), TokenError>> {
        let asked = self.ask_for_refresh(to_know);
        let this = Rc::clone(self);
        Box::pin(async move {
            match this.wait(asked?, None).await {
                Ok(Departure::Fail(failure)) => Err(this.blame(failure)),
                _ => Ok(()),
            }
        })
    }

    fn ask_for_refresh(self: &Rc<Self>, to_know: bool) -> Result<Pending, TokenError> {
        let step = if to_know { Step::Request } else { Step::Refresh };
        self.alive(step)?;
        self.outside_refresh(step, None)?;
        if to_know {
            self.look_for_hint();
        }
        let asked = self.tell_only(|session, now| match to_know {
            true => session.known(now),
            false => session.refresh(now),
        });
        Ok(self.pending(match asked {
            Ok(wait) => wait.map_or(Departure::Deliver, Departure::Wait),
            Err(failure) => Departure::Fail(failure),
        }))
    }

    pub(crate) fn subscribe(self: &Rc<Self>, listener: impl Fn(&Notice) + 'static) -> Subscription {
        let id = self.last_listener.get() + 1;
        self.last_listener.set(id);
        self.listeners.borrow_mut().push((id, Rc::new(listener)));
        Subscription { shell: Rc::downgrade(self), id }
    }

    /// Frees everything. A call on the wire is let finish, for its answer sets the cookie.
    pub(crate) fn dispose(self: &Rc<Self>) {
        if self.alive(Step::Request).is_err() {
            return;
        }
        self.tell(|session, _| session.dispose());
        self.channel.take();
        self.renewal_timer.take();
        self.mirror.take();
        self.listeners.take();
    }

    /// Tells the session something, and does what that brings about.
    pub(super) fn tell<T>(self: &Rc<Self>, what: impl FnOnce(&mut Session, Now) -> T) -> T {
        let outcome = self.tell_only(what);
        self.drain();
        outcome
    }

    /// Tells the session something. Whoever calls this drains later, when it has joined those who
    /// wait for the refresh that it may be told to wait for.
    pub(super) fn tell_only<T>(&self, what: impl FnOnce(&mut Session, Now) -> T) -> T {
        what(&mut self.session.borrow_mut(), platform::now())
    }

    /// The outcome of a refresh, shared by all who wait for it.
    pub(super) fn refresh_outcome(&self, auth_call: AuthCall) -> SharedOutcome<RefreshOutcome> {
        let mut waiting = self.waiting_for_refresh.borrow_mut();
        if let Some(refresh) = waiting.iter().find(|refresh| refresh.auth_call == auth_call) {
            return refresh.outcome.clone();
        }
        let (settler, outcome) = shared_outcome();
        waiting.push(Waiting { auth_call, settler, outcome: outcome.clone() });
        outcome
    }

    /// A failure of the refresh, with what stands behind it: the platform's error, or the answer.
    pub(super) fn blame(&self, failure: Failure) -> TokenError {
        let is_told = failure.step == Step::Refresh
            && !matches!(failure.code, Code::SignedOut | Code::SessionChanged);
        if !is_told {
            return failure.into();
        }
        let failure = failure.at(self.options.refresh.address());
        TokenError::from(failure).with_cause(self.cause.borrow().clone())
    }

    /// What stands behind an event.
    fn detail(&self, event: &Event) -> Detail {
        match event {
            Event::Refresh => Detail { answer: self.answer.take(), error: None },
            Event::RefreshError(failure) => {
                Detail { error: Some(self.blame(failure.clone())), ..Detail::default() }
            }
            Event::SignOut(Reason::Rejected) => {
                let refusal = self.refusal.take();
                Detail { error: refusal.map(|failure| self.blame(failure)), ..Detail::default() }
            }
            Event::SignOut(_) | Event::StepUp(_) => Detail::default(),
        }
    }

    /// Does all that the session wants done.
    pub(super) fn drain(self: &Rc<Self>) {
        loop {
            let effect = self.session.borrow_mut().poll_effect();
            match effect {
                None => break,
                Some(effect) => self.perform(effect),
            }
        }
        if let Some(timer) = &*self.renewal_timer.borrow() {
            timer.set(&self.session);
        }
        self.notify();
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Start(auth_call, kind) => {
                spawn(Box::pin(Rc::clone(self).run_auth_call(auth_call, kind)));
            }
            Effect::SettleRefresh(auth_call, outcome) => {
                if let RefreshOutcome::Rejected(failure) = &outcome {
                    self.refusal.replace(Some(failure.clone()));
                }
                self.settle_refresh(auth_call, outcome);
            }
            Effect::Changed => {
                let snapshot = self.session.borrow().snapshot();
                if let Some(mirror) = &*self.mirror.borrow() {
                    mirror(&snapshot);
                }
                self.notices.borrow_mut().push(Notice::Changed(snapshot));
            }
            Effect::Tell(event) => {
                let detail = self.detail(&event);
                self.notices.borrow_mut().push(Notice::Event(event, detail));
            }
            Effect::Post(message) => {
                if let Some(channel) = &*self.channel.borrow() {
                    channel.post(&message);
                }
            }
            Effect::Owe(true) => {
                let can_be_finished =
                    self.options.logout.as_ref().is_some_and(|endpoint| endpoint.sends.is_none());
                let at = platform::now().wall;
                self.pending_logout.set(Some(Mark { at, can_be_finished }));
            }
            Effect::Owe(false) => {
                self.kept.take();
                self.pending_logout.set(None);
            }
        }
    }

    /// Fulfils with what `value` is or fulfils with, when no news is being sealed or opened: whoever has
    /// the lock has to know what happened before.
    pub(super) fn after_news(&self, value: &JsValue) -> Promise {
        match &*self.channel.borrow() {
            Some(channel) => channel.settled(value),
            None => Promise::resolve(value),
        }
    }

    fn settle_refresh(&self, auth_call: AuthCall, outcome: RefreshOutcome) {
        let mut waiting = self.waiting_for_refresh.borrow_mut();
        if let Some(at) = waiting.iter().position(|refresh| refresh.auth_call == auth_call) {
            // Nobody may be waiting any longer; the token is kept all the same.
            waiting.swap_remove(at).settler.settle(outcome);
        }
    }

    /// Tells the listeners, one notice after the other, even if one of them brings about the next.
    fn notify(&self) {
        if self.is_notifying.replace(true) {
            return;
        }
        loop {
            let notice = first(&mut self.notices.borrow_mut());
            let Some(notice) = notice else { break };
            let listeners: Vec<Listener> =
                self.listeners.borrow().iter().map(|(_, listener)| Rc::clone(listener)).collect();
            for listener in listeners {
                listener(&notice);
            }
        }
        self.is_notifying.set(false);
    }
}

const NAMELESS: &str = "a function in the options cannot be compared with another tab's, so tabs do not share tokens or logouts; give the managers that belong together the same `name` to have them share.";
const UNTOLD: &str = "the server was not told of the last logout, and a page that comes later cannot tell it (the option `logout` is missing, or sends a token); the session may still be alive there.";

/// Takes the first out of a list that never gets long.
fn first<T>(list: &mut Vec<T>) -> Option<T> {
    (!list.is_empty()).then(|| list.remove(0))
}
