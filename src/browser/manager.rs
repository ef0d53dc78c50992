//! The token manager, for Rust; and the [`Shell`] that all parts of the doing share.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};

use futures::future::LocalBoxFuture;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

use super::answer;
use super::call::{Outgoing, Taken};
use super::channel::Channel;
use super::debt::Debt;
use super::error::{FetchError, TokenError};
use super::exchange::Job;
use super::later::{Giver, Later, later};
use super::platform;
use super::wake::Wake;
use crate::core::{
    Code, Effect, Endpoint, Event, Exchange, Failure, Landing, Life, Now, Options, Policy, Secret,
    Session, Snapshot, Step, Tabs, split_at_any,
};

/// Something that users are told.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The snapshot is another one now.
    Changed(Snapshot),
    /// Something happened.
    Event(Event),
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
        Ok(Self {
            owner: Rc::new(Owner(Shell::new(
                Box::new(options),
                Hooks::default(),
                base.as_deref(),
            )?)),
        })
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
    pub async fn fetch(&self, request: &Request) -> Result<Response, FetchError> {
        // The body is the caller's to use up from here on.
        let call = Taken::new(request).map_err(FetchError::Platform)?;
        let begun = self.shell().begin(&call);
        Rc::clone(self.shell()).fetch(&call, begun).await
    }

    /// Sends credentials, and takes the tokens out of the answer. Resolves to the rest of its JSON.
    ///
    /// # Errors
    /// [`Code::Rejected`] with the `Response` as its cause, for wrong credentials; the outages;
    /// [`Code::SessionChanged`] if the user signed out meanwhile.
    pub async fn login(&self, request: &Request) -> Result<JsValue, TokenError> {
        let request = copy(request, Step::Login)?;
        self.shell().login(Box::new(request)).outcome().await
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
    pub async fn refresh(&self) -> Result<(), TokenError> {
        Rc::clone(self.shell()).refresh().await
    }

    /// Ends the session here and in every tab, at once, then tells the server: with the request
    /// given, else with the option `logout`.
    ///
    /// # Errors
    /// What kept the server from being told. The session is over all the same, and the logout is
    /// finished at the next start.
    pub async fn logout(&self, request: Option<&Request>) -> Result<(), TokenError> {
        let call = match request {
            Some(request) => Some(Box::new(copy(request, Step::Logout)?) as Box<dyn Outgoing>),
            None => None,
        };
        let method = request.map(Request::method);
        self.shell().logout(call, method).outcome().await.map(|_| ())
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
    pub async fn access_token(&self) -> Result<Secret, TokenError> {
        Rc::clone(self.shell()).access_token().await
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

/// A refresh, and those who wait for it: a single flight.
struct Flight {
    exchange: Exchange,
    land: Giver<Landing>,
    landing: Later<Landing>,
}

/// Functions of the app's, or `undefined`.
#[derive(Default)]
pub(crate) struct Hooks {
    /// Refreshes by itself.
    pub(crate) refresh: JsValue,
    /// Gives header fields of the refresh.
    pub(crate) refresh_headers: JsValue,
    /// Gives header fields of the logout.
    pub(crate) logout_headers: JsValue,
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
    pub(super) debt: Debt,
    /// The logout that an earlier page has left to be done.
    pub(super) owed: RefCell<Option<Endpoint>>,
    /// What each exchange but a refresh is to send, and whom it answers.
    pub(super) jobs: RefCell<Vec<Job>>,
    /// The platform's error behind the last failed refresh.
    pub(super) cause: RefCell<Option<JsValue>>,
    flights: RefCell<Vec<Flight>>,
    channel: RefCell<Option<Channel>>,
    wake: RefCell<Option<Wake>>,
    listeners: RefCell<Vec<(u32, Listener)>>,
    last_listener: Cell<u32>,
    /// Told of every change at once, before anybody is notified.
    pub(super) mirror: RefCell<Option<Mirror>>,
    notices: RefCell<Vec<Notice>>,
    is_notifying: Cell<bool>,
    is_disposed: Cell<bool>,
}

impl Shell {
    pub(crate) fn new(
        mut options: Box<Options>,
        hooks: Hooks,
        base: Option<&str>,
    ) -> Result<Rc<Self>, TokenError> {
        let origin = platform::origin();
        // On a server there are no tabs, nothing to come back to, and a program that wants to end.
        let is_page = origin.is_some();
        let page = origin.filter(|origin| origin != "null");
        let policy = Rc::new(options.settle(page.as_deref(), &|url| platform::resolve(url, base))?);
        let name = name(&options);
        let takes_turns = is_page && policy.tabs != Tabs::Off;
        let debt = Debt::new(&name);
        let owed = debt.owed(options.logout.as_ref());
        let session = Session::new(Rc::clone(&policy), owed.is_some(), platform::now());
        let shell = Rc::new(Self {
            session: RefCell::new(session),
            hooks,
            paths: policy.rules.paths(),
            page,
            lock: takes_turns.then(|| name.clone()),
            debt,
            owed: RefCell::new(owed),
            jobs: RefCell::default(),
            cause: RefCell::default(),
            flights: RefCell::default(),
            channel: RefCell::default(),
            wake: RefCell::default(),
            listeners: RefCell::default(),
            last_listener: Cell::default(),
            mirror: RefCell::default(),
            notices: RefCell::default(),
            is_notifying: Cell::default(),
            is_disposed: Cell::default(),
            options,
            policy,
        });
        if takes_turns {
            shell.channel.replace(Channel::open(&name, &shell));
        }
        if is_page {
            shell.wake.replace(Some(Wake::new(&shell)));
        }
        // Not in this turn: whoever makes a manager wants to listen to it first.
        let this = Rc::clone(&shell);
        spawn(Box::pin(async move { this.drain() }));
        Ok(shell)
    }

    /// # Errors
    /// [`Code::Disposed`], once it is.
    pub(super) fn alive(&self, step: Step) -> Result<(), TokenError> {
        if self.is_disposed.get() { Err(TokenError::new(Code::Disposed, step)) } else { Ok(()) }
    }

    pub(crate) fn set_tokens(self: &Rc<Self>, tokens: Tokens) -> Result<(), TokenError> {
        self.alive(Step::Login)?;
        let Tokens { access_token, expires_in, refresh_token } = tokens;
        let (known, now) = (Life { expires_in, ..Life::default() }, platform::now());
        let grant = answer::describe(access_token, refresh_token, known, now);
        self.tell(|session, now| session.enter(grant, now));
        Ok(())
    }

    pub(crate) async fn refresh(self: Rc<Self>) -> Result<(), TokenError> {
        self.alive(Step::Refresh)?;
        let wait = self.tell_only(|session, now| session.refresh(now));
        let wait = wait.map_err(|failure| self.blame(failure))?;
        let landing = self.landing(wait.exchange);
        self.drain();
        match landing.get().await.unwrap_or(Landing::Void) {
            Landing::Renewed => Ok(()),
            Landing::Rejected(failure) | Landing::Failed(failure) => Err(self.blame(failure)),
            Landing::Void => Err(TokenError::new(Code::SessionChanged, Step::Refresh)),
        }
    }

    pub(crate) fn subscribe(self: &Rc<Self>, listener: impl Fn(&Notice) + 'static) -> Subscription {
        let id = self.last_listener.get() + 1;
        self.last_listener.set(id);
        self.listeners.borrow_mut().push((id, Rc::new(listener)));
        Subscription { shell: Rc::downgrade(self), id }
    }

    /// Frees everything. A call on the wire is let finish, for its answer sets the cookie.
    pub(crate) fn dispose(self: &Rc<Self>) {
        if self.is_disposed.replace(true) {
            return;
        }
        self.tell(|session, _| session.dispose());
        self.channel.take();
        self.wake.take();
        self.mirror.take();
        self.listeners.take();
    }

    /// Tells the session something, and does what that brings about.
    pub(super) fn tell<T>(self: &Rc<Self>, what: impl FnOnce(&mut Session, Now) -> T) -> T {
        let outcome = self.tell_only(what);
        self.drain();
        outcome
    }

    /// Tells the session something. Whoever calls this drains later, when it has joined the flight
    /// that it may be told to wait for.
    pub(super) fn tell_only<T>(&self, what: impl FnOnce(&mut Session, Now) -> T) -> T {
        what(&mut self.session.borrow_mut(), platform::now())
    }

    /// The landing of a refresh, shared by all who wait for it.
    pub(super) fn landing(&self, exchange: Exchange) -> Later<Landing> {
        let mut flights = self.flights.borrow_mut();
        if let Some(flight) = flights.iter().find(|flight| flight.exchange == exchange) {
            return flight.landing.clone();
        }
        let (land, landing) = later();
        flights.push(Flight { exchange, land, landing: landing.clone() });
        landing
    }

    /// A failure, with the platform's error behind it if it is the last refresh's.
    pub(super) fn blame(&self, failure: Failure) -> TokenError {
        let cause = (failure.code == Code::Network).then(|| self.cause.borrow().clone()).flatten();
        TokenError::from(failure).with_cause(cause)
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
        if let Some(wake) = &*self.wake.borrow() {
            wake.set(self.session.borrow().wake_in(platform::now()));
        }
        self.notify();
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Start(exchange, kind) => {
                spawn(Box::pin(Rc::clone(self).exchange(exchange, kind)));
            }
            Effect::Land(exchange, landing) => self.land(exchange, landing),
            Effect::Changed => {
                let snapshot = self.session.borrow().snapshot();
                if let Some(mirror) = &*self.mirror.borrow() {
                    mirror(&snapshot);
                }
                self.notices.borrow_mut().push(Notice::Changed(snapshot));
            }
            Effect::Tell(event) => self.notices.borrow_mut().push(Notice::Event(event)),
            Effect::Post(message) => {
                if let Some(channel) = &*self.channel.borrow() {
                    channel.post(&message);
                }
            }
            Effect::Owe(true) => self.mark_debt(),
            Effect::Owe(false) => self.debt.clear(),
        }
    }

    fn land(&self, exchange: Exchange, landing: Landing) {
        let mut flights = self.flights.borrow_mut();
        if let Some(at) = flights.iter().position(|flight| flight.exchange == exchange) {
            // Nobody may be waiting any longer; the token is kept all the same.
            flights.swap_remove(at).land.give(landing);
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

/// What tells managers apart. Where a function refreshes, or nothing does, that is another call's URL.
fn name(options: &Options) -> String {
    let calls = [Some(&options.refresh), options.logout.as_ref()];
    let mut urls = calls.into_iter().flatten().map(|call| call.url.as_str());
    let url = urls.find(|url| !url.is_empty());
    let api = || options.apis.iter().flatten().next().map(String::as_str);
    ["tokenkeep ", split_at_any(url.or_else(api).unwrap_or_default(), b"?").0].concat()
}

/// Takes the first out of a list that never gets long.
fn first<T>(list: &mut Vec<T>) -> Option<T> {
    (!list.is_empty()).then(|| list.remove(0))
}

/// Runs a task. It comes in a box: the compiler makes a copy of what runs it for each kind of task.
fn spawn(task: LocalBoxFuture<'static, ()>) {
    wasm_bindgen_futures::spawn_local(task);
}
