//! Refresh, login and logout on the wire: in turns, under the lock, each within its time.

use std::cell::RefCell;
use std::rc::Rc;

use super::task::{Waiting, next_turn, result_of};
use gloo_net::http::Headers;
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Request};

use super::answer::{self, Reading};
use super::call::Outgoing;
use super::dpop::Proven;
use super::error::Fault;
use super::lock::Held;
use super::platform::{self, Texts};
use super::shared_outcome::{Settler, SharedOutcome, shared_outcome};
use super::shell::{Host, Shell};
use crate::core::{
    Arrival, AuthCall, Code, Credentials, Endpoint, Failure, Flaw, Kind, NEWS, Patience, Payload,
    Secret, Stays, Step, proofs,
};

/// How many times to wait for the lock, if it is lost before anything was sent.
const TRIES: u32 = 3;

/// The outcome of a login or a logout. For a login, the rest of the response's JSON.
pub(crate) type Outcome = Result<JsValue, Fault>;

/// A login or a logout with a caller that waits for it.
pub(super) struct Job<C> {
    pub(super) auth_call: AuthCall,
    /// The caller's request, or `None` for the request of the option `logout`.
    pub(super) call: Option<C>,
    /// For a login that carries the session's token: the session at the time of the call.
    pub(super) carries_token_of: Option<u32>,
    /// The token of the ended session, if the logout sends it.
    token: Option<Secret>,
    /// For the caller, as long as it waits.
    answer: RefCell<Option<Settler<Outcome>>>,
}

impl<C> Job<C> {
    /// Answers the caller, if it still waits.
    fn settle(&self, outcome: Outcome) {
        if let Some(answer) = self.answer.take() {
            answer.settle(outcome);
        }
    }

    /// The call is not sent, or its caller no longer waits.
    fn end(&self) {
        drop(self.answer.take());
    }

    /// Whether the caller still waits.
    pub(super) fn is_wanted(&self) -> bool {
        self.answer.borrow().is_some()
    }
}

/// The reason of a signal, if it is aborted.
pub(super) fn aborted(signal: &AbortSignal) -> Option<JsValue> {
    let reason = platform::reason(signal);
    (!reason.is_undefined()).then_some(reason)
}

impl<H: Host> Shell<H> {
    /// `carries_token`: the call needs a session, and sends its token.
    pub(crate) async fn login(self: Rc<Self>, call: H::Call, carries_token: bool) -> Outcome {
        let signal = call.signal();
        self.alive(Step::Login)?;
        self.outside_refresh(Step::Login, signal.clone())?;
        not_aborted(signal.as_ref())?;
        if carries_token {
            self.look_for_hint();
        }
        let auth_call =
            self.tell_only(
                |session, now| {
                    if carries_token { session.exchange(now) } else { session.login() }
                },
            );
        let epoch = carries_token.then(|| self.session.borrow().epoch());
        let (job, answer) = self.job(auth_call, Some(call), epoch, None);
        self.drain();
        self.outcome(&job, answer, signal, Step::Login).await
    }

    /// `call`: `None` for the request of the option `logout`.
    pub(crate) async fn logout(self: Rc<Self>, call: Option<H::Call>) -> Outcome {
        let signal = call.as_ref().and_then(Outgoing::signal);
        self.alive(Step::Logout)?;
        let is_reachable = call.is_some() || self.options.logout.is_some();
        let sends = self.options.logout.as_ref().and_then(|endpoint| endpoint.sends);
        // An earlier logout, which did not reach the server, may have ended the session.
        let token = sends.and_then(|which| self.session.borrow().token(which).cloned());
        let token = token.or_else(|| self.kept.borrow().clone());
        self.kept.replace(token.clone());
        let asked = self.tell_only(|session, now| session.logout(is_reachable, now));
        let Some(auth_call) = asked else {
            self.forget_key();
            self.drain();
            return Ok(JsValue::UNDEFINED);
        };
        let (job, answer) = self.job(auth_call, call, None, token);
        self.drain();
        // The session is over nevertheless, and the server is told at the next start.
        not_aborted(signal.as_ref()).inspect_err(|_| self.withdraw(&job))?;
        self.outcome(&job, answer, signal, Step::Logout).await
    }

    /// Waits for the outcome of a login or a logout. The caller's signal ends the wait at any point.
    async fn outcome(
        self: &Rc<Self>,
        job: &Job<H::Call>,
        answer: SharedOutcome<Outcome>,
        signal: Option<AbortSignal>,
        step: Step,
    ) -> Outcome {
        let waited = answer.wait(signal.as_ref(), None).await;
        let answered = answer.get(waited).map_err(|reason| {
            self.withdraw(job);
            Fault::Platform(reason)
        })?;
        let outcome =
            answered.unwrap_or_else(|| Err(Failure::new(Code::SessionChanged, step).into()));
        if outcome.is_err() {
            not_aborted(signal.as_ref())?;
        }
        outcome
    }

    /// The caller of a login or a logout no longer waits.
    fn withdraw(self: &Rc<Self>, job: &Job<H::Call>) {
        job.end();
        self.tell(|session, _| session.withdraw(job.auth_call));
    }

    /// # Errors
    /// [`Code::InvalidArgument`], if the app's refresh function makes this call: it would wait for itself. This is
    /// detected if the function calls before its first `await`, or with the signal that it got.
    pub(super) fn outside_refresh(
        &self,
        step: Step,
        signal: Option<AbortSignal>,
    ) -> Result<(), Failure> {
        if self.is_in_refresh.get() || signal.is_some_and(|signal| platform::is_of_refresh(&signal))
        {
            let detail = "called by the refresh function, it would wait for itself: use the platform's fetch there";
            return Err(Failure::new(Code::InvalidArgument, step).with_flaw(Flaw::Text(detail)));
        }
        Ok(())
    }

    fn job(
        &self,
        auth_call: AuthCall,
        call: Option<H::Call>,
        carries_token_of: Option<u32>,
        token: Option<Secret>,
    ) -> (Rc<Job<H::Call>>, SharedOutcome<Outcome>) {
        let (answer, answered) = shared_outcome();
        let answer = RefCell::new(Some(answer));
        let job = Rc::new(Job { auth_call, call, carries_token_of, token, answer });
        self.jobs.borrow_mut().push(Rc::clone(&job));
        (job, answered)
    }

    /// The token that a login carries, if it carries one. A login to one of the APIs without a body has no
    /// credentials, so it carries the session's token, too.
    ///
    /// # Errors
    /// Why a login that must carry the token cannot.
    pub(super) fn token_of_login(
        &self,
        call: &H::Call,
        carries_token_of: Option<u32>,
    ) -> Result<Option<Secret>, Failure> {
        let session = self.session.borrow();
        if carries_token_of.is_none() && (call.has_body() || !self.covers(&call.url())) {
            return Ok(None);
        }
        if carries_token_of.is_some_and(|epoch| epoch != session.epoch()) {
            return Err(Failure::new(Code::SessionChanged, Step::Login));
        }
        let token = session.usable_token(platform::now());
        if carries_token_of.is_some() && token.is_none() {
            return Err(Failure::new(Code::SignedOut, Step::Login));
        }
        Ok(token.cloned())
    }

    /// Runs an auth call whose turn has come. Few values live across an await, because they make the compiled code
    /// large.
    pub(super) async fn run_auth_call(self: Rc<Self>, auth_call: AuthCall, kind: Kind) {
        let _ = next_turn().await;
        let job = self.take_job(auth_call);
        let job = job.as_deref();
        let is_brought = job.is_some_and(|job| job.call.is_some());
        let patience = Patience::new(&self.options, kind, is_brought);
        let arrived = self.arrive(auth_call, patience).await;
        match &arrived {
            // The lock was not free in time.
            None => self.conclude(auth_call, job, kind, *Reading::late()),
            Some((held, Arrival::Go)) => {
                if let Some(mut reading) = self.answer(job, kind, patience.answer).await {
                    if kind == Kind::Refresh
                        && let Ok(response) = &reading.response
                        && self.session.borrow().doubts(response)
                    {
                        let _ = self.listen(auth_call).await;
                    }
                    // A page that slept through its time has lost the lock, and must not commit.
                    if !is_true(result_of(held.kept()).await) {
                        reading = Reading::late();
                    }
                    self.conclude(auth_call, job, kind, *reading);
                }
            }
            Some(_) => {}
        }
        // If the call was not sent, this tells the callers that wait for it.
        if let Some(job) = job {
            job.end();
        }
        // Release the lock only after the news has been sent to the other tabs.
        if let Some((held, _)) = arrived {
            let _ = result_of(self.after_news(&JsValue::UNDEFINED)).await;
            held.release();
        }
        self.tell(|session, _| session.finished(auth_call));
    }

    /// Waits for the lock, and asks the session whether to send or to skip the call. `None`: the lock was not free
    /// in time. If the lock is lost before anything was sent, it is waited for again.
    async fn arrive(&self, auth_call: AuthCall, patience: Patience) -> Option<(Held, Arrival)> {
        let Patience { answer, hold, lock } = patience;
        for _ in 0..TRIES {
            let lock = self.lock.acquire(lock, hold);
            let held = result_of(self.after_news(&lock)).await.unwrap_or(JsValue::UNDEFINED);
            let held = (!held.is_undefined()).then(|| held.unchecked_into::<Held>())?;
            let mut arrival =
                self.tell_only(|session, now| session.arrive(auth_call, held.contended(), now));
            if arrival == Arrival::Listen {
                // The arrival shows whether there was news.
                let _ = self.listen(auth_call).await;
                arrival = self.tell_only(|session, now| session.arrive(auth_call, false, now));
            }
            // A busy page has used up the time, so prolong the lock.
            if arrival != Arrival::Go || held.allows(answer) {
                return Some((held, arrival));
            }
            if is_true(result_of(held.prolong(answer)).await) {
                let arrival = self.tell_only(|session, now| session.arrive(auth_call, false, now));
                return Some((held, arrival));
            }
            held.release();
        }
        None
    }

    /// Waits a moment for news from another tab.
    fn listen(&self, auth_call: AuthCall) -> Waiting {
        self.refresh_outcome(auth_call).wait(None, Some(NEWS))
    }

    /// Sends an auth call, and again if the server objects to its proof. `None` if there is nothing to send. All of
    /// this takes at most `ms` milliseconds.
    async fn answer(
        &self,
        job: Option<&Job<H::Call>>,
        kind: Kind,
        ms: u32,
    ) -> Option<Box<Reading>> {
        let begun = platform::now();
        let mut is_again = false;
        loop {
            let mut proven = None;
            if let Some((signed, proving)) = self.prove_auth_call(job, kind) {
                proven = proving.signed(result_of(signed).await.ok());
                if proven.is_none() {
                    break Some(Reading::of(Err(Code::NoKey), JsValue::UNDEFINED));
                }
            }
            let left = u64::from(ms).saturating_sub(platform::now().since(begun)).max(1) as u32;
            let answer = self.ask(job, kind, left, proven.as_ref())?;
            let answer = result_of(answer).await.unwrap_or_default();
            let key = proven.as_ref().map(|proven| proven.key);
            let (options, policy) = (&self.options, &self.policy);
            let mut reading = answer::read(answer, kind, options, policy, key, platform::now());
            if let (Some(prover), Some(proven)) = (&self.prover, &proven) {
                if prover.answered(proven, &reading.proofs)
                    && !std::mem::replace(&mut is_again, true)
                    && job.and_then(|job| job.call.as_ref()).is_none_or(|call| call.is_repeatable())
                {
                    continue;
                }
                if proven.is_new && reading.grants() && !is_true(result_of(prover.keep()).await) {
                    reading = Reading::of(Err(Code::NoKey), JsValue::UNDEFINED);
                }
            }
            break Some(reading);
        }
    }

    /// Sends an auth call with the header fields of its proof. `None` if there is nothing to send.
    fn ask(
        &self,
        job: Option<&Job<H::Call>>,
        kind: Kind,
        ms: u32,
        proven: Option<&Proven>,
    ) -> Option<Promise> {
        let options = &*self.options;
        // The call may have been withdrawn while its proof was made.
        let job = job.filter(|job| job.is_wanted());
        if job.is_none() && kind == Kind::Login {
            return None;
        }
        // The refresh token for the app's refresh function.
        let mut given = None;
        let call = if let Some(job) = job
            && let Some(call) = &job.call
        {
            let (csrf, page) = (options.csrf.as_ref(), self.page.as_deref());
            let mut fields = Texts::new();
            let mut is_parameter = false;
            proofs(&call.url(), csrf, page, &platform::cookie, &mut |name, value| {
                fields.pair(name, value);
            });
            if kind == Kind::Login {
                match self.token_of_login(call, job.carries_token_of) {
                    Ok(token) => {
                        // A bound token is sent beside its proof.
                        let has_token = proven.is_some_and(Proven::has_token);
                        let token = token.as_ref().filter(|_| !has_token);
                        let field = options.attach.field(&call.method(), token, &platform::cookie);
                        if let Some((name, value)) = field {
                            // A URL parameter is sent in another way, without header fields.
                            is_parameter = name.starts_with('?');
                            if is_parameter {
                                fields = Texts::new();
                            }
                            fields.pair(&name, &value);
                        }
                    }
                    Err(failure) => {
                        job.settle(Err(failure.into()));
                        return None;
                    }
                }
            }
            if let Some(proven) = proven {
                proven.set(&mut |name, value| fields.pair(name, value));
            }
            let request = if is_parameter { None } else { call.request(&fields) };
            request.map_or_else(|| call.send(&fields).into(), JsValue::from)
        } else if kind == Kind::Refresh && self.hooks.refresh.is_function() {
            given = self.session.borrow().refresh_token().cloned();
            self.hooks.refresh.clone()
        } else {
            let hooks = &self.hooks;
            let (endpoint, headers, token) = match kind {
                Kind::Refresh => {
                    let token = self.session.borrow().refresh_token().cloned();
                    (&options.refresh, &hooks.refresh_headers, token)
                }
                _ => {
                    let token = job.and_then(|job| job.token.clone());
                    (options.logout.as_ref()?, &hooks.logout_headers, token)
                }
            };
            let request = self.prepare(endpoint, headers, token.as_ref(), proven);
            request.map_or_else(|error| Promise::reject(&error).into(), JsValue::from)
        };
        let keepalive = kind.longest_kept_alive();
        let given = given.as_ref().map(Secret::reveal);
        self.is_in_refresh.set(call.is_function());
        let answer = answer::hear(&call, given, ms, keepalive, &self.hooks.places, &self.paths);
        self.is_in_refresh.set(false);
        Some(answer)
    }

    /// Reports the outcome of an auth call to the session.
    fn conclude(
        self: &Rc<Self>,
        auth_call: AuthCall,
        job: Option<&Job<H::Call>>,
        kind: Kind,
        reading: Reading,
    ) {
        let Reading { response, by, json, .. } = reading;
        let outcome = match kind {
            Kind::Refresh => {
                let chance = platform::chance();
                self.cause.replace(by);
                // The result of the app's refresh function contains the tokens.
                let is_answer = response.as_ref().is_ok_and(|response| response.status != 0);
                self.answer.replace(if is_answer { json } else { JsValue::UNDEFINED });
                return self.tell(|session, now| match response {
                    Ok(response) => session.refresh_answered(auth_call, response, chance, now),
                    Err(code) => session.refresh_failed(auth_call, code, chance, now),
                });
            }
            Kind::Login => response
                .map_err(|code| Failure::new(code, Step::Login))
                .and_then(|response| {
                    self.tell_only(|session, now| session.login_answered(auth_call, response, now))
                })
                .map(|()| json),
            Kind::Logout => self
                .tell_only(|session, _| {
                    session.logout_answered(response.map(|response| response.status))
                })
                .map(|()| JsValue::UNDEFINED),
        };
        self.drain();
        if kind == Kind::Logout {
            self.forget_key();
        }
        // The logout of an earlier page has no caller. If it fails again, the mark stays.
        if let Some(job) = job {
            job.settle(outcome.map_err(|failure| {
                let is_told_by = kind == Kind::Logout
                    || matches!(failure.code, Code::Rejected | Code::Network | Code::NoToken);
                Fault::Failed(failure, if is_told_by { by } else { JsValue::UNDEFINED })
            }));
        }
    }

    /// Forgets the key of the ended session.
    fn forget_key(&self) {
        if let Some(prover) = &self.prover {
            prover.forget();
        }
    }

    /// Takes the job of a login or a logout whose turn has come.
    fn take_job(&self, auth_call: AuthCall) -> Option<Rc<Job<H::Call>>> {
        let mut jobs = self.jobs.borrow_mut();
        let at = jobs.iter().position(|job| job.auth_call == auth_call)?;
        Some(jobs.remove(at))
    }

    /// Builds a call from the options. CSRF cookies are read here, at the last moment.
    fn prepare(
        &self,
        endpoint: &Endpoint,
        headers: &JsValue,
        token: Option<&Secret>,
        proven: Option<&Proven>,
    ) -> Result<Request, JsValue> {
        let page = self.page.as_deref();
        let fields = Headers::new();
        let set = &mut |name: &str, value: &str| fields.set(name, value);
        let mut made = self.options.compose(endpoint, token, page, &platform::cookie, set);
        if let Some(proven) = proven {
            // A proof is valid for one URL (RFC 9449, 4.2).
            made.stays = Stays::Put;
            proven.set(set);
        }
        for (name, value) in platform::pairs(&platform::more(headers)?) {
            fields.set(&name, &value);
        }
        let encoded;
        let body = match made.body {
            Payload::Empty => None,
            Payload::Text(text) => Some(text),
            Payload::Fields(is_form, fields) => {
                encoded = platform::encode(is_form, &flat(&fields));
                Some(&*encoded)
            }
        };
        let credentials = match endpoint.credentials {
            Credentials::Include => "include",
            Credentials::SameOrigin => "same-origin",
            Credentials::Omit => "omit",
        };
        let (mode, redirect) = match made.stays {
            Stays::Free => (None, None),
            Stays::InOrigin => (Some("same-origin"), None),
            Stays::Put => (None, Some("manual")),
        };
        let (url, method) = (&endpoint.url, &endpoint.method);
        platform::request(url, method, credentials, &fields.into_raw(), body, mode, redirect)
    }
}

/// # Errors
/// The reason of the signal, if it is aborted.
fn not_aborted(signal: Option<&AbortSignal>) -> Result<(), Fault> {
    signal.and_then(aborted).map_or(Ok(()), |reason| Err(Fault::Platform(reason)))
}

/// Whether a promise has resolved to `true`.
fn is_true(outcome: Result<JsValue, JsValue>) -> bool {
    outcome.is_ok_and(|value| value.is_truthy())
}

/// Pairs for JavaScript, as alternating names and values.
fn flat(pairs: &[(&str, &str)]) -> Texts {
    let texts = Texts::new();
    for (name, value) in pairs {
        texts.pair(name, value);
    }
    texts
}
