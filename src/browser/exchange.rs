//! Refresh, login and logout on the wire: in turns, under the lock, each within its time.

use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, select};
use gloo_net::http::{Method, RequestBuilder};
use gloo_timers::future::TimeoutFuture;
use js_sys::{JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Request, RequestCredentials, Response, UrlSearchParams};

use super::answer::{self, Reading};
use super::call::Outgoing;
use super::error::TokenError;
use super::json;
use super::manager::{Shell, settle};
use super::platform;
use crate::core::{
    Arrival, Carrier, Code, Content, Credentials, Endpoint, Exchange, Kind, Secret, Step,
    is_field_value,
};

/// How long a login may take, in milliseconds: it holds the lock.
const LOGIN_MS: u32 = 30_000;
/// How long to wait for the lock, in milliseconds.
const LOCK_MS: u32 = 30_000;
/// How long a tab that had to wait listens for the news of the one before it, in milliseconds.
const NEWS_MS: u32 = 100;

/// What an exchange that is no refresh sends, and whom it answers.
pub(crate) enum Job {
    Login { call: Box<dyn Outgoing>, answer: oneshot::Sender<Result<JsValue, TokenError>> },
    Logout { call: LogoutCall, answer: oneshot::Sender<Result<(), TokenError>> },
}

/// Whose request tells the server of a logout.
pub(crate) enum LogoutCall {
    Caller { call: Box<dyn Outgoing>, method: String },
    Own(Endpoint),
}

/// Ends a turn, whatever came of it, and be it a future that is dropped.
struct Turn<'a> {
    shell: &'a Rc<Shell>,
    exchange: Exchange,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.shell.tell(|session, _| session.finished(self.exchange));
    }
}

impl Shell {
    pub(crate) async fn login(
        self: &Rc<Self>,
        call: Box<dyn Outgoing>,
    ) -> Result<JsValue, TokenError> {
        self.alive(Step::Login)?;
        let (answer, answered) = oneshot::channel();
        let exchange = self.tell_only(|session, _| session.login());
        self.jobs.borrow_mut().push((exchange, Job::Login { call, answer }));
        self.drain();
        answered.await.unwrap_or_else(|_| Err(TokenError::new(Code::SessionChanged, Step::Login)))
    }

    /// `call` and its method, or `None` for what the option `logout` says.
    pub(crate) fn logout(
        self: &Rc<Self>,
        call: Option<Box<dyn Outgoing>>,
        method: Option<String>,
    ) -> impl Future<Output = Result<(), TokenError>> + use<> {
        let begun = self.alive(Step::Logout).map(|()| self.begin_logout(call, method));
        async move {
            match begun? {
                None => Ok(()),
                Some(answered) => answered
                    .await
                    .unwrap_or_else(|_| Err(TokenError::new(Code::SessionChanged, Step::Logout))),
            }
        }
    }

    fn begin_logout(
        self: &Rc<Self>,
        call: Option<Box<dyn Outgoing>>,
        method: Option<String>,
    ) -> Option<oneshot::Receiver<Result<(), TokenError>>> {
        let call = match call {
            Some(call) => {
                Some(LogoutCall::Caller { call, method: method.unwrap_or("POST".into()) })
            }
            None => self.settings.logout.clone().map(LogoutCall::Own),
        };
        let exchange = self.tell_only(|session, now| session.logout(call.is_some(), now));
        let answered = exchange.zip(call).map(|(exchange, call)| {
            let (answer, answered) = oneshot::channel();
            let job = Job::Logout { call, answer };
            self.jobs.borrow_mut().push((exchange, job));
            answered
        });
        self.drain();
        answered
    }

    /// Sets the mark of a logout that is about to be told to the server.
    pub(super) fn mark_debt(&self) {
        let jobs = self.jobs.borrow();
        let call = jobs.iter().rev().find_map(|(_, job)| match job {
            Job::Logout { call, .. } => Some(call),
            Job::Login { .. } => None,
        });
        match call {
            Some(LogoutCall::Caller { call, method }) => self.debt.set(method, &call.url()),
            Some(LogoutCall::Own(endpoint)) => self.debt.set(&endpoint.method, &endpoint.url),
            None => {}
        }
    }

    /// An exchange whose turn has come.
    pub(super) async fn exchange(self: Rc<Self>, exchange: Exchange, kind: Kind) {
        let turn = Turn { shell: &self, exchange };
        let job = {
            let mut jobs = self.jobs.borrow_mut();
            let at = jobs.iter().position(|(of, _)| *of == exchange);
            at.map(|at| jobs.swap_remove(at).1)
        };
        let lock = match &self.lock {
            None => None,
            Some(lock) => match lock.acquire(LOCK_MS).await {
                Some(held) => Some(held),
                None => return self.no_turn(exchange, kind, job),
            },
        };
        let contended = lock.as_ref().is_some_and(|held| held.contended);
        let mut arrival = self.tell_only(|session, _| session.arrive(exchange, contended));
        if arrival == Arrival::Listen {
            let landing = self.landing(exchange);
            // Whether there was news shows in the arrival.
            let _ = platform::within(NEWS_MS, landing).await;
            arrival = self.tell_only(|session, _| session.arrive(exchange, false));
        }
        if arrival == Arrival::Go {
            match job {
                None if kind == Kind::Refresh => self.ask_for_token(exchange).await,
                None => self.pay_debt().await,
                Some(Job::Login { call, answer }) => self.send_login(exchange, call, answer).await,
                Some(Job::Logout { call, answer }) => {
                    // Whoever asked may be gone.
                    let _ = answer.send(self.send_logout(call).await);
                }
            }
        }
        // The news is out, and only then may the next tab go.
        drop(lock);
        drop(turn);
    }

    /// The lock was not to be had in time.
    fn no_turn(self: &Rc<Self>, exchange: Exchange, kind: Kind, job: Option<Job>) {
        match job {
            Some(Job::Login { answer, .. }) => {
                // Whoever asked may be gone.
                let _ = answer.send(Err(TokenError::new(Code::Timeout, Step::Login)));
            }
            Some(Job::Logout { answer, .. }) => {
                let _ = answer.send(Err(TokenError::new(Code::Timeout, Step::Logout)));
            }
            None if kind == Kind::Refresh => self.refresh_failed(exchange, Code::Timeout, None),
            None => {}
        }
    }

    async fn ask_for_token(self: &Rc<Self>, exchange: Exchange) {
        let refresh_token = self.session.borrow().refresh_token().cloned();
        let call = Call::prepare(self, &self.settings.refresh, refresh_token.as_ref());
        match self.exchange_within(call, self.settings.refresh.timeout as u32).await {
            Ok((reading, _)) => {
                let chance = platform::chance();
                self.tell(|session, now| {
                    session.refresh_answered(exchange, reading.heard, chance, now);
                });
            }
            Err((code, cause)) => self.refresh_failed(exchange, code, cause),
        }
    }

    fn refresh_failed(self: &Rc<Self>, exchange: Exchange, code: Code, cause: Option<JsValue>) {
        self.cause.replace(cause);
        let chance = platform::chance();
        self.tell(|session, now| session.refresh_failed(exchange, code, chance, now));
    }

    async fn send_login(
        self: &Rc<Self>,
        exchange: Exchange,
        call: Box<dyn Outgoing>,
        answer: oneshot::Sender<Result<JsValue, TokenError>>,
    ) {
        let outcome = self.exchange_within(Call::of(call), LOGIN_MS).await;
        let outcome = outcome
            .map_err(|(code, cause)| TokenError::new(code, Step::Login).with_cause(cause))
            .and_then(|(Reading { heard, json }, response)| {
                let accepted =
                    self.tell_only(|session, now| session.login_answered(exchange, heard, now));
                accepted.map_err(|failure| {
                    let cause = (failure.code == Code::Rejected).then(|| response.into());
                    TokenError::from(failure).with_cause(cause)
                })?;
                json::remove(&json, &self.settings.access_token);
                json::remove(&json, &self.settings.refresh_token);
                Ok(json)
            });
        self.drain();
        let _ = answer.send(outcome);
    }

    /// Finishes the logout that an earlier page has left to be done. Nobody waits for it; if it
    /// fails again, the mark stays.
    async fn pay_debt(self: &Rc<Self>) {
        let owed = self.owed.take();
        if let Some(endpoint) = owed {
            let _ = self.send_logout(LogoutCall::Own(endpoint)).await;
        }
    }

    async fn send_logout(self: &Rc<Self>, call: LogoutCall) -> Result<(), TokenError> {
        let (call, ms) = match call {
            LogoutCall::Caller { call, .. } => (Call::of(call), LOGIN_MS),
            LogoutCall::Own(endpoint) => {
                (Call::prepare(self, &endpoint, None), endpoint.timeout as u32)
            }
        };
        let outcome = self.exchange_within(call, ms).await;
        let (status, cause) = match outcome {
            Ok((reading, response)) => (Ok(reading.heard.status), Some(response.into())),
            Err((code, cause)) => (Err(code), cause),
        };
        let told = self.tell(|session, _| session.logout_answered(status));
        told.map_err(|failure| TokenError::from(failure).with_cause(cause))
    }

    /// Sends a call and reads its answer, in at most `ms` milliseconds.
    async fn exchange_within(
        &self,
        call: Result<Call, JsValue>,
        ms: u32,
    ) -> Result<(Reading, Response), (Code, Option<JsValue>)> {
        let call = call.map_err(|error| (Code::Network, Some(error)))?;
        let sent = call.send(self);
        let answered = async {
            let response = settle(sent).await?;
            // A refusal may be its caller's to read: what is read here is a copy.
            let copy = response.clone()?;
            let reading = answer::read(&copy, &self.settings, platform::now()).await?;
            Ok((reading, response))
        };
        match select(Box::pin(answered), TimeoutFuture::new(ms)).await {
            Either::Left((outcome, _)) => outcome.map_err(|error| (Code::Network, Some(error))),
            Either::Right(((), _)) => {
                call.abort();
                Err((Code::Timeout, None))
            }
        }
    }
}

/// A call of the session's own that is about to be sent.
enum Call {
    /// A caller's login or logout.
    Outgoing(Box<dyn Outgoing>),
    /// What the options say.
    Own(Request, AbortController),
}

impl Call {
    fn of(call: Box<dyn Outgoing>) -> Result<Self, JsValue> {
        Ok(Self::Outgoing(call))
    }

    /// Builds a call of the options'. Cookies for CSRF are read here, at the last moment.
    fn prepare(
        shell: &Shell,
        endpoint: &Endpoint,
        refresh_token: Option<&Secret>,
    ) -> Result<Self, JsValue> {
        let abort = AbortController::new()?;
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
            })
            .abort_signal(Some(&abort.signal()));
        for (name, value) in shell.proofs(&endpoint.url) {
            builder = builder.header(&name, &value);
        }
        if let (Carrier::Header(name, scheme), Some(token)) =
            (&shell.settings.carrier, refresh_token)
        {
            let scheme = scheme.as_deref().map(|scheme| format!("{scheme} ")).unwrap_or_default();
            builder = builder.header(name, &[&scheme, token.reveal()].concat());
        }
        let body = body(endpoint, &shell.settings.carrier, refresh_token);
        if let Some((_, Some(media_type))) = &body {
            builder = builder.header("Content-Type", media_type);
        }
        for (name, value) in &endpoint.headers {
            builder = builder.header(name, value);
        }
        let request = match body {
            Some((text, _)) => builder.body(text),
            None => builder.build(),
        };
        let request = request.map_err(|error| js_sys::Error::new(&error.to_string()))?;
        Ok(Self::Own(request.into(), abort))
    }

    fn send(&self, shell: &Shell) -> js_sys::Promise {
        match self {
            Self::Own(request, _) => platform::fetch(request),
            Self::Outgoing(call) => {
                let proofs = shell.proofs(&call.url());
                let proofs: Vec<(&str, &str)> =
                    proofs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                call.send(&proofs)
            }
        }
    }

    /// Tears the call off, so that it holds neither connection nor lock.
    fn abort(&self) {
        if let Self::Own(_, abort) = self {
            abort.abort();
        }
    }
}

impl Shell {
    /// The header fields that prove to the server that no foreign page made the call: a field that
    /// forms cannot send, to one's own origin; and the double-submit cookie.
    fn proofs(&self, url: &str) -> Vec<(String, String)> {
        let mut proofs = Vec::new();
        let is_own = self.page.as_deref().is_some_and(|origin| {
            url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
        });
        if is_own {
            proofs.push(("X-Requested-With".to_owned(), "tokenkeep".to_owned()));
        }
        if let Some((cookie, header)) = &self.settings.csrf
            && let Some(value) = platform::cookie(cookie).filter(|value| is_field_value(value))
        {
            proofs.push((header.clone(), value));
        }
        proofs
    }
}

/// The body of a call and its media type, if it has one of its own.
fn body(
    endpoint: &Endpoint,
    carrier: &Carrier,
    refresh_token: Option<&Secret>,
) -> Option<(String, Option<&'static str>)> {
    let mut fields = match &endpoint.content {
        Content::Text(text) => return Some((text.clone(), None)),
        Content::Empty => Vec::new(),
        Content::Fields(fields) => fields.clone(),
    };
    if let (Carrier::Json(name) | Carrier::Form(name), Some(token)) = (carrier, refresh_token) {
        fields.push((name.clone(), token.reveal().to_owned()));
    }
    if fields.is_empty() && endpoint.content == Content::Empty {
        return None;
    }
    if matches!(carrier, Carrier::Form(_)) {
        let form = UrlSearchParams::new().ok()?;
        fields.iter().for_each(|(name, value)| form.append(name, value));
        return Some((form.to_string().into(), Some("application/x-www-form-urlencoded")));
    }
    let object = Object::new();
    for (name, value) in &fields {
        // A plain object takes every member.
        let _ = Reflect::set(&object, &name.into(), &value.into());
    }
    let text = JSON::stringify(object.unchecked_ref::<JsValue>()).ok()?;
    Some((text.into(), Some("application/json")))
}
