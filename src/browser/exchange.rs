//! Refresh, login and logout on the wire: in turns, under the lock, each within its time.

use std::rc::Rc;

use gloo_net::http::{Method, RequestBuilder};
use js_sys::{Array, JsString, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, RequestCredentials, RequestMode, RequestRedirect};

use super::answer::{self, Reading};
use super::call::Outgoing;
use super::error::TokenError;
use super::later::{Giver, Later, later};
use super::lock::{self, Held};
use super::manager::Shell;
use super::platform::{self, List};
use crate::core::{
    Arrival, Attach, Code, Credentials, Endpoint, Exchange, Failure, Kind, Payload, Redirects,
    Secret, Step, proofs,
};

/// How long a login may take, in milliseconds: it holds the lock.
const LOGIN_MS: u32 = 30_000;
/// How long to wait for the lock, in milliseconds.
const LOCK_MS: u32 = 30_000;
/// How long a tab that had to wait listens for the news of the one before it, in milliseconds.
const NEWS_MS: u32 = 250;

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

/// A login or a logout that has been asked for. `None`: there is nothing to wait for.
pub(crate) struct Asked(Result<Option<Later<Outcome>>, TokenError>, Step);

impl Asked {
    pub(crate) async fn outcome(self) -> Outcome {
        match self.0? {
            None => Ok(JsValue::UNDEFINED),
            Some(answer) => answer
                .get()
                .await
                .unwrap_or_else(|| Err(TokenError::new(Code::SessionChanged, self.1))),
        }
    }
}

impl Shell {
    pub(crate) fn login(self: &Rc<Self>, call: Box<dyn Outgoing>) -> Asked {
        let asked = self.alive(Step::Login).map(|()| {
            let exchange = self.tell_only(|session, _| session.login());
            self.job(exchange, Kind::Login, Some(call), String::new(), None)
        });
        self.drain();
        Asked(asked.map(Some), Step::Login)
    }

    /// `call` and its method, or `None` for what the option `logout` says.
    pub(crate) fn logout(
        self: &Rc<Self>,
        call: Option<Box<dyn Outgoing>>,
        method: Option<String>,
    ) -> Asked {
        let asked = self.alive(Step::Logout).map(|()| {
            let is_reachable = call.is_some() || self.options.logout.is_some();
            let sends = self.options.logout.as_ref().and_then(|endpoint| endpoint.sends);
            let token = sends.and_then(|which| self.session.borrow().token(which).cloned());
            let exchange = self.tell_only(|session, now| session.logout(is_reachable, now))?;
            let method = method.unwrap_or_else(|| "POST".to_owned());
            Some(self.job(exchange, Kind::Logout, call, method, token))
        });
        self.drain();
        Asked(asked, Step::Logout)
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
        let ms = self.bound(exchange, kind);
        let lock = lock::acquire(self.lock.as_deref(), LOCK_MS, NEWS_MS + ms);
        let held = JsFuture::from(lock).await.unwrap_or(JsValue::UNDEFINED);
        let held = (!held.is_undefined()).then(|| held.unchecked_into::<Held>());
        match &held {
            // The lock was not to be had in time.
            None => self.conclude(exchange, kind, Reading::late()),
            Some(held) => {
                let mut arrival =
                    self.tell_only(|session, _| session.arrive(exchange, held.contended()));
                if arrival == Arrival::Listen {
                    // Whether there was news shows in the arrival.
                    self.listen(exchange).await;
                    arrival = self.tell_only(|session, _| session.arrive(exchange, false));
                }
                if arrival == Arrival::Go && !held.allows(ms) {
                    self.conclude(exchange, kind, Reading::late());
                } else if arrival == Arrival::Go
                    && let Some(answer) = self.ask(exchange, kind, ms)
                {
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
                    if !JsFuture::from(held.kept()).await.is_ok_and(|kept| kept.is_truthy()) {
                        reading = Reading::late();
                    }
                    self.conclude(exchange, kind, reading);
                }
            }
        }
        // Whoever waits for what was not sent is told so by this.
        drop(self.take_job(exchange));
        // The news is out, and only then may the next tab go.
        if let Some(held) = held {
            held.release();
        }
        self.tell(|session, _| session.finished(exchange));
    }

    /// Waits for news of another tab, for a moment.
    async fn listen(&self, exchange: Exchange) {
        let alarm = platform::alarm(None, Some(NEWS_MS));
        let _ = self.landing(exchange).get_before(alarm).await;
    }

    /// How long an exchange may take, in milliseconds.
    fn bound(&self, exchange: Exchange, kind: Kind) -> u32 {
        let is_brought =
            self.jobs.borrow().iter().any(|job| job.exchange == exchange && job.call.is_some());
        let endpoint = match kind {
            Kind::Refresh => Some(&self.options.refresh),
            Kind::Login | Kind::Logout => self.options.logout.as_ref().filter(|_| !is_brought),
        };
        endpoint.map_or(LOGIN_MS, |endpoint| endpoint.timeout as u32)
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
        Some(answer::hear(&call, ms, keepalive, places, &self.paths))
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
        let mut builder = RequestBuilder::new(&endpoint.url)
            .method(match endpoint.method.as_str() {
                "GET" => Method::GET,
                "PUT" => Method::PUT,
                "PATCH" => Method::PATCH,
                "DELETE" => Method::DELETE,
                _ => Method::POST,
            })
            .credentials(match endpoint.credentials {
                Credentials::Include => RequestCredentials::Include,
                Credentials::SameOrigin => RequestCredentials::SameOrigin,
                Credentials::Omit => RequestCredentials::Omit,
            });
        let page = self.page.as_deref();
        // A redirect is not to take the token to another origin.
        if token.is_some() {
            builder = match Redirects::of_own(page, &endpoint.url) {
                Redirects::SameOrigin => builder.mode(RequestMode::SameOrigin),
                _ => builder.redirect(RequestRedirect::Error),
            };
        }
        let made = endpoint.compose(&self.options, token, page, &platform::cookie);
        for (name, value) in &made.headers {
            builder = builder.header(name, value);
        }
        let more = &mut List::new(platform::more(headers)?);
        while let (Some(name), Some(value)) = (more.text(), more.text()) {
            builder = builder.header(&name, &value);
        }
        let request = match made.body {
            Payload::Empty => builder.build(),
            Payload::Text(text) => builder.body(text),
            Payload::Fields(is_form, fields) => {
                builder.body(platform::encode(is_form, flat(&fields)))
            }
        };
        request.map(Request::from).map_err(|error| match error {
            gloo_net::Error::JsError(error) => js_sys::Error::new(&error.message).into(),
            _ => js_sys::Error::new("the request could not be built").into(),
        })
    }
}

/// Pairs as JavaScript has them: value after name.
pub(crate) fn flat(pairs: &[(&str, &str)]) -> Vec<JsString> {
    pairs.iter().flat_map(|(name, value)| [JsString::from(*name), JsString::from(*value)]).collect()
}
