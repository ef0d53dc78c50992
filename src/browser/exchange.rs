//! Refresh, login and logout on the wire: in turns, under the lock, each within its time.

use std::rc::Rc;

use gloo_net::http::Headers;
use js_sys::{Array, JsString, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Request};

use super::answer::{self, Reading};
use super::call::Outgoing;
use super::error::{FetchError, TokenError};
use super::later::{Giver, Later, later};
use super::lock::{self, Held};
use super::manager::Shell;
use super::platform::{self, List};
use crate::core::{
    Arrival, Attach, Code, Credentials, Endpoint, Exchange, Failure, Kind, NEWS, OWN_CALL,
    Patience, Payload, Secret, Step, proofs,
};

/// How often a lock that was lost before anything was sent is waited for again.
const TRIES: u32 = 3;

/// What becomes of a login or a logout: for a login, the rest of the answer's JSON.
pub(crate) type Outcome = Result<JsValue, TokenError>;

/// A login or a logout that somebody waits for.
pub(super) struct Job {
    exchange: Exchange,
    kind: Kind,
    /// The caller's request, or `None` for what the option `logout` says.
    call: Option<Box<dyn Outgoing>>,
    method: String,
    /// The token of the session that has ended, if the logout is to send it.
    token: Option<Secret>,
    answer: Giver<Outcome>,
}

/// A login or a logout that has been asked for.
pub(crate) struct Asked {
    shell: Rc<Shell>,
    step: Step,
    /// `None`: there is nothing to wait for.
    line: Result<Option<InLine>, FetchError>,
}

/// One that stands in line, or is on the wire.
struct InLine {
    exchange: Exchange,
    answer: Later<Outcome>,
    /// The caller's.
    signal: Option<AbortSignal>,
}

impl Asked {
    /// What came of it. The caller's signal ends the wait, wherever it waits.
    pub(crate) async fn outcome(self) -> Result<JsValue, FetchError> {
        let Some(InLine { exchange, answer, signal }) = self.line? else {
            return Ok(JsValue::UNDEFINED);
        };
        let answered = match &signal {
            None => answer.get().await,
            Some(signal) => {
                let answered = answer.get_before(platform::alarm(Some(signal), None)).await;
                answered.map_err(|reason| {
                    self.shell.withdraw(exchange);
                    FetchError::Platform(reason)
                })?
            }
        };
        let changed = || Err(TokenError::new(Code::SessionChanged, self.step));
        match (answered.unwrap_or_else(changed), signal.as_ref().and_then(aborted)) {
            (Err(_), Some(reason)) => Err(FetchError::Platform(reason)),
            (outcome, _) => Ok(outcome?),
        }
    }
}

/// The reason of a signal, if it is aborted.
fn aborted(signal: &AbortSignal) -> Option<JsValue> {
    signal.aborted().then(|| platform::reason(signal))
}

impl Shell {
    pub(crate) fn login(self: &Rc<Self>, call: Box<dyn Outgoing>) -> Asked {
        let signal = call.signal();
        let line = self
            .alive(Step::Login)
            .and_then(|()| self.outside_refresh(Step::Login, signal.clone()))
            .map_err(FetchError::from)
            .and_then(|()| signal.as_ref().and_then(aborted).map_or(Ok(()), refuse))
            .map(|()| {
                let exchange = self.tell_only(|session, _| session.login());
                let answer = self.job(exchange, Kind::Login, Some(call), String::new(), None);
                Some(InLine { exchange, answer, signal })
            });
        self.drain();
        Asked { shell: Rc::clone(self), step: Step::Login, line }
    }

    /// `call` and its method, or `None` for what the option `logout` says.
    pub(crate) fn logout(
        self: &Rc<Self>,
        call: Option<Box<dyn Outgoing>>,
        method: Option<String>,
    ) -> Asked {
        let signal = call.as_ref().and_then(|call| call.signal());
        let mut line = self.alive(Step::Logout).map_err(FetchError::from).map(|()| {
            let is_reachable = call.is_some() || self.options.logout.is_some();
            let sends = self.options.logout.as_ref().and_then(|endpoint| endpoint.sends);
            let token = sends.and_then(|which| self.session.borrow().token(which).cloned());
            let exchange = self.tell_only(|session, now| session.logout(is_reachable, now))?;
            let method = method.unwrap_or_else(|| "POST".to_owned());
            let answer = self.job(exchange, Kind::Logout, call, method, token);
            Some(InLine { exchange, answer, signal: signal.clone() })
        });
        self.drain();
        // The session is over all the same, and the server is told at the next start.
        if let Ok(Some(InLine { exchange, .. })) = &line
            && let Some(reason) = signal.as_ref().and_then(aborted)
        {
            self.withdraw(*exchange);
            line = refuse(reason);
        }
        Asked { shell: Rc::clone(self), step: Step::Logout, line }
    }

    /// Nobody waits any longer for a login or a logout.
    fn withdraw(self: &Rc<Self>, exchange: Exchange) {
        drop(self.take_job(exchange));
        self.tell(|session, _| session.withdraw(exchange));
    }

    /// # Errors
    /// [`Code::InvalidArgument`], if the app's refresh function makes this call: it would wait for itself. A call
    /// of its own first turn is known, and one that has the signal it was given.
    pub(super) fn outside_refresh(
        &self,
        step: Step,
        signal: Option<AbortSignal>,
    ) -> Result<(), TokenError> {
        if self.is_in_refresh.get() || signal.is_some_and(|signal| platform::is_of_refresh(&signal))
        {
            let detail = "called by the refresh function, it would wait for itself: use the platform's fetch there";
            return Err(Failure::new(Code::InvalidArgument, step).with_detail(detail).into());
        }
        Ok(())
    }

    fn job(
        &self,
        exchange: Exchange,
        kind: Kind,
        call: Option<Box<dyn Outgoing>>,
        method: String,
        token: Option<Secret>,
    ) -> Later<Outcome> {
        let (answer, answered) = later();
        self.jobs.borrow_mut().push(Job { exchange, kind, call, method, token, answer });
        answered
    }

    /// Sets the mark of a logout that is about to be told to the server.
    pub(super) fn mark_debt(&self) {
        let jobs = self.jobs.borrow();
        let job = jobs.iter().rev().find(|job| job.kind == Kind::Logout);
        if let Some((job, call)) = job.and_then(|job| Some((job, job.call.as_ref()?))) {
            self.debt.set(&job.method, &call.url());
        } else if let Some(endpoint) = &self.options.logout
            // A page that comes later has not the token to send.
            && endpoint.sends.is_none()
        {
            self.debt.set(&endpoint.method, &endpoint.url);
        }
    }

    /// An exchange whose turn has come. Nothing of it outlives an await but what it needs to end
    /// its turn: what the compiler makes of that is large.
    pub(super) async fn exchange(self: Rc<Self>, exchange: Exchange, kind: Kind) {
        let patience = Patience::new(&self.options, self.bound(exchange, kind));
        let arrived = self.arrive(exchange, patience).await;
        match &arrived {
            // The lock was not to be had in time.
            None => self.conclude(exchange, kind, Reading::late()),
            Some((held, Arrival::Go)) => {
                if let Some(answer) = self.ask(exchange, kind, patience.answer) {
                    let answer = JsFuture::from(answer).await.unwrap_or_default();
                    let mut reading =
                        answer::read(answer, &self.options, &self.policy, platform::now());
                    if kind == Kind::Refresh
                        && let Ok(heard) = &reading.told
                        && self.session.borrow().doubts(heard)
                    {
                        self.listen(exchange).await;
                    }
                    // Who has slept through its time has lost the lock, and commits nothing.
                    if !is_true(held.kept()).await {
                        reading = Reading::late();
                    }
                    self.conclude(exchange, kind, reading);
                }
            }
            Some(_) => {}
        }
        // Whoever waits for what was not sent is told so by this.
        drop(self.take_job(exchange));
        // The news is out, and only then may the next tab go.
        if let Some((held, _)) = arrived {
            held.release();
        }
        self.tell(|session, _| session.finished(exchange));
    }

    /// Waits for the lock, and asks what is to be done with it: to go, or to skip. `None`: it was not to be had
    /// in time. One that was lost again before anything was sent is waited for again.
    async fn arrive(&self, exchange: Exchange, patience: Patience) -> Option<(Held, Arrival)> {
        let Patience { answer, hold, longest_hold, lock } = patience;
        for _ in 0..TRIES {
            let lock = lock::acquire(self.lock.as_deref(), lock, hold, longest_hold);
            let held = JsFuture::from(lock).await.unwrap_or(JsValue::UNDEFINED);
            let held = (!held.is_undefined()).then(|| held.unchecked_into::<Held>())?;
            let mut arrival =
                self.tell_only(|session, _| session.arrive(exchange, held.contended()));
            if arrival == Arrival::Listen {
                // Whether there was news shows in the arrival.
                self.listen(exchange).await;
                arrival = self.tell_only(|session, _| session.arrive(exchange, false));
            }
            // A busy page has used up the time: it takes more.
            if arrival != Arrival::Go || held.allows(answer) {
                return Some((held, arrival));
            }
            if is_true(held.prolong(answer)).await {
                let arrival = self.tell_only(|session, _| session.arrive(exchange, false));
                return Some((held, arrival));
            }
            held.release();
        }
        None
    }

    /// Waits for news of another tab, for a moment.
    async fn listen(&self, exchange: Exchange) {
        let alarm = platform::alarm(None, Some(NEWS));
        let _ = self.landing(exchange).get_before(alarm).await;
    }

    /// How long an exchange may take, in milliseconds.
    fn bound(&self, exchange: Exchange, kind: Kind) -> u32 {
        let is_brought =
            self.jobs.borrow().iter().any(|job| job.exchange == exchange && job.call.is_some());
        let of_options = self.options.logout.as_ref().filter(|_| !is_brought);
        match kind {
            Kind::Refresh => self.options.refresh.timeout as u32,
            Kind::Login => self.options.login_timeout as u32,
            Kind::Logout => of_options.map_or(OWN_CALL, |endpoint| endpoint.timeout as u32),
        }
    }

    /// Sends the call of an exchange. `None` if there is nothing to send.
    fn ask(&self, exchange: Exchange, kind: Kind, ms: u32) -> Option<Promise> {
        let options = &*self.options;
        let mut jobs = self.jobs.borrow_mut();
        let job = jobs.iter_mut().find(|job| job.exchange == exchange);
        let is_asked_for = job.is_some();
        let (call, token) = job.map_or((None, None), |job| (job.call.take(), job.token.take()));
        // A patched `fetch` may call back in.
        drop(jobs);
        let owed = if kind == Kind::Logout && !is_asked_for { self.owed.take() } else { None };
        let call = if let Some(call) = call {
            let (csrf, page) = (options.csrf.as_ref(), self.page.as_deref());
            let proofs = proofs(&call.url(), csrf, page, &platform::cookie);
            let proofs: Vec<(&str, &str)> =
                proofs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            match call.request(&proofs) {
                Some(request) => request.into(),
                None => call.send(&proofs).into(),
            }
        } else if kind == Kind::Refresh && self.hooks.refresh.is_function() {
            let token = self.session.borrow().refresh_token().map(|token| token.reveal().into());
            Array::of2(&self.hooks.refresh, &token.unwrap_or_default()).into()
        } else {
            let hooks = &self.hooks;
            let (endpoint, headers, token) = match kind {
                Kind::Refresh => {
                    let token = self.session.borrow().refresh_token().cloned();
                    (&options.refresh, &hooks.refresh_headers, token)
                }
                _ if is_asked_for => (options.logout.as_ref()?, &hooks.logout_headers, token),
                _ => (owed.as_ref()?, &hooks.logout_headers, None),
            };
            let request = self.prepare(endpoint, headers, token.as_ref());
            request.map_or_else(|error| Promise::reject(&error).into(), JsValue::from)
        };
        // The page may be gone before the answer is there, and with it the cookie that it sets.
        let keepalive = kind != Kind::Login;
        let is_cookie = matches!(options.attach, Attach::Cookie(_));
        let places = vec![
            JsString::from(if is_cookie { "" } else { &options.access_token_at }),
            JsString::from(options.refresh_token_at.as_str()),
            JsString::from(options.expires_in_at.as_str()),
            JsString::from(options.expires_at_at.as_str()),
        ];
        self.is_in_refresh.set(call.is_array());
        let answer = answer::hear(&call, ms, keepalive, places, &self.paths);
        self.is_in_refresh.set(false);
        Some(answer)
    }

    /// Tells what came of an exchange.
    fn conclude(self: &Rc<Self>, exchange: Exchange, kind: Kind, reading: Reading) {
        let Reading { told, by, json } = reading;
        let answer = self.take_job(exchange).map(|job| job.answer);
        let outcome = match kind {
            Kind::Refresh => {
                let chance = platform::chance();
                self.cause.replace(told.is_err().then_some(by));
                return self.tell(|session, now| match told {
                    Ok(heard) => session.refresh_answered(exchange, heard, chance, now),
                    Err(code) => session.refresh_failed(exchange, code, chance, now),
                });
            }
            Kind::Login => told
                .map_err(|code| Failure::new(code, Step::Login))
                .and_then(|heard| {
                    self.tell_only(|session, now| session.login_answered(exchange, heard, now))
                })
                .map(|()| json),
            Kind::Logout => self
                .tell_only(|session, _| session.logout_answered(told.map(|heard| heard.status)))
                .map(|()| JsValue::UNDEFINED),
        };
        self.drain();
        // Nobody waits for the logout of an earlier page; if it has failed again, the mark stays.
        if let Some(answer) = answer {
            answer.give(outcome.map_err(|failure| {
                let is_told_by =
                    kind == Kind::Logout || matches!(failure.code, Code::Rejected | Code::Network);
                TokenError::from(failure).with_cause(is_told_by.then_some(by))
            }));
        }
    }

    fn take_job(&self, exchange: Exchange) -> Option<Job> {
        let mut jobs = self.jobs.borrow_mut();
        let at = jobs.iter().position(|job| job.exchange == exchange)?;
        Some(jobs.remove(at))
    }

    /// Builds a call of the options'. Cookies for CSRF are read here, at the last moment.
    fn prepare(
        &self,
        endpoint: &Endpoint,
        headers: &JsValue,
        token: Option<&Secret>,
    ) -> Result<Request, JsValue> {
        let page = self.page.as_deref();
        let made = endpoint.compose(&self.options, token, page, &platform::cookie);
        let fields = Headers::new();
        for (name, value) in &made.headers {
            fields.set(name, value);
        }
        let more = &mut List::new(platform::more(headers)?);
        while let (Some(name), Some(value)) = (more.text(), more.text()) {
            fields.set(&name, &value);
        }
        let encoded;
        let body = match made.body {
            Payload::Empty => None,
            Payload::Text(text) => Some(text),
            Payload::Fields(is_form, fields) => {
                encoded = platform::encode(is_form, flat(&fields));
                Some(&*encoded)
            }
        };
        let credentials = match endpoint.credentials {
            Credentials::Include => "include",
            Credentials::SameOrigin => "same-origin",
            Credentials::Omit => "omit",
        };
        platform::request(&endpoint.url, &endpoint.method, credentials, &fields.into_raw(), body)
    }
}

/// A refusal with a reason of the platform's.
fn refuse<T>(reason: JsValue) -> Result<T, FetchError> {
    Err(FetchError::Platform(reason))
}

/// What a promise says that is fulfilled with yes or no.
async fn is_true(promise: Promise) -> bool {
    JsFuture::from(promise).await.is_ok_and(|value| value.is_truthy())
}

/// Pairs as JavaScript has them: value after name.
pub(crate) fn flat(pairs: &[(&str, &str)]) -> Vec<JsString> {
    pairs.iter().flat_map(|(name, value)| [JsString::from(*name), JsString::from(*value)]).collect()
}
