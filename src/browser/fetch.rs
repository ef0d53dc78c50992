//! An app's fetch: the request is sent, refused, refreshed for, and sent again (rules 2 to 8).

use std::rc::Rc;

use super::task::result_of;
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

use super::answer;
use super::auth_call::aborted;
use super::call::Outgoing;
use super::error::Fault;
use super::platform::{self, Texts};
use super::shell::{Host, Shell};
use crate::core::{
    Classification, Code, Departure, Failure, Life, Media, Reach, Redirects, RefreshOutcome,
    Resource, ResponseFacts, Secret, Status, Step, Ticket, Unanswered, is_same_origin,
};

impl<H: Host> Shell<H> {
    /// Handles a request completely. `answered`: the bindings have sent it, with this ticket, and got this response.
    pub(crate) async fn fetch(
        self: Rc<Self>,
        call: &H::Call,
        answered: Option<(Ticket, Response)>,
    ) -> Result<Response, Fault> {
        // What the caller gets if the request is not sent again: a refusal, or an error that may stand for one.
        let mut kept: Option<Result<Response, Fault>> = None;
        let mut departure = if let Some((ticket, response)) = answered {
            let departure = self.answered(call, ticket, &response).await;
            kept = Some(Ok(response));
            departure
        } else {
            self.alive(Step::Request)?;
            if call.is_exempt() || !self.covers(&call.url()) {
                return as_response(result_of(call.send(&Texts::new())).await);
            }
            self.outside_refresh(Step::Request, call.signal())?;
            self.look_for_hint();
            let resource = Resource::new(&call.method(), &call.url());
            self.tell_only(|session, now| session.depart(resource, now))
        };
        loop {
            if let Err(reason) = self.wait(&mut departure, Some(call)).await {
                discard(kept);
                return Err(Fault::Platform(reason));
            }
            match departure {
                Departure::Send(ticket) => {
                    discard(kept.take());
                    let sent = match &self.prover {
                        Some(prover) => self.send_proven(prover, call, ticket).await,
                        None => as_response(result_of(self.send(call, ticket)).await),
                    };
                    departure = match &sent {
                        Ok(response) => self.answered(call, ticket, response).await,
                        Err(error) => match self.unanswered(call, ticket, error) {
                            Some(departure) => departure,
                            None => return sent,
                        },
                    };
                    kept = Some(sent);
                }
                Departure::Fail(failure) => {
                    return match kept {
                        None if self.goes_bare(call, failure) => {
                            self.send_bare(call, failure).await
                        }
                        Some(Err(silence)) => Err(silence),
                        kept => {
                            discard(kept);
                            Err(self.blame(failure))
                        }
                    };
                }
                // `wait` is over.
                Departure::Deliver | Departure::Wait(_) => {
                    let none = || Err(Failure::new(Code::SessionChanged, Step::Request).into());
                    return kept.unwrap_or_else(none);
                }
            }
        }
    }

    /// Takes in a response. Returns the session's decision.
    async fn answered(
        self: &Rc<Self>,
        call: &H::Call,
        ticket: Ticket,
        response: &Response,
    ) -> Departure {
        let classification = self.look(ticket, response).await;
        let (status, is_repeatable) = (answer::status(response), call.is_repeatable());
        let departure = self.tell_only(|session, now| {
            session.classified(ticket, status, classification, is_repeatable, now)
        });
        if matches!(departure, Departure::Wait(_)) {
            answer::keep(response);
        }
        departure
    }

    /// How redirects of a request with the token are handled.
    pub(crate) fn redirects(&self, url: &str, method: &str) -> Redirects {
        let (attach, apis) = (&self.options.attach, &self.policy.apis);
        let is_bound = self.session.borrow().bound().is_some();
        Redirects::of(attach, apis, self.page.as_deref(), url, method, is_bound)
    }

    /// Sends a call with the token of its ticket.
    pub(super) fn send(&self, call: &H::Call, ticket: Ticket) -> Promise {
        let token = self.session.borrow().credential(ticket).cloned();
        let field = self.options.attach.field(&call.method(), token.as_ref(), &platform::cookie);
        let fields = Texts::new();
        if let Some((name, value)) = &field {
            fields.pair(name, value);
        }
        call.send(&fields)
    }

    /// The session's decision for a request without a response. `None` means that the caller gets the error.
    fn unanswered(&self, call: &H::Call, ticket: Ticket, error: &Fault) -> Option<Departure> {
        let method = &call.method();
        let why = match error {
            Fault::Failed(failure, _) if failure.code == Code::NoKey => Unanswered::NoKey,
            _ => Unanswered::Silence {
                method,
                is_aborted: call.signal().as_ref().and_then(aborted).is_some(),
                is_repeatable: call.is_repeatable(),
            },
        };
        self.tell_only(|session, now| session.unanswered(ticket, why, now))
    }

    /// Whether a call for which there is no token is sent without one, because a service worker may answer it.
    fn goes_bare(&self, call: &H::Call, failure: Failure) -> bool {
        let url = call.url();
        let reach = Reach {
            is_controlled: platform::is_controlled(),
            is_offline: platform::is_offline(),
            is_same_origin: is_same_origin(&self.options.refresh.url, &url),
        };
        self.policy.goes_bare(failure, &call.method(), reach)
    }

    /// Sends a call without a token. If it is refused, the caller gets the failure, not the refusal.
    async fn send_bare(
        self: &Rc<Self>,
        call: &H::Call,
        failure: Failure,
    ) -> Result<Response, Fault> {
        if let Ok(response) = as_response(result_of(call.send(&Texts::new())).await) {
            if self.classify(&response).await == Classification::Plain {
                return Ok(response);
            }
            answer::discard(&response);
        }
        Err(self.blame(failure))
    }

    /// The access token for the app's own use, unless it is the one that a resource has refused.
    pub(crate) async fn access_token(
        self: Rc<Self>,
        refused: Option<(Secret, Resource)>,
    ) -> Result<Secret, Failure> {
        self.alive(Step::Request)?;
        self.outside_refresh(Step::Request, None)?;
        self.exposed()?;
        self.look_for_hint();
        let report = refused.as_ref().map(|(token, by)| (token, *by));
        let mut departure = self.tell_only(|session, now| session.access_token(report, now));
        // Without a signal, the wait cannot fail.
        let _ = self.wait(&mut departure, None).await;
        let refused = refused.as_ref().map(|(token, _)| token);
        let token = self.session.borrow_mut().hand_over(departure, refused);
        // This may show for the first time that nobody is signed in.
        self.drain();
        token
    }

    /// The access token, if there is one that has not expired.
    pub(crate) fn peek(self: &Rc<Self>) -> Result<Option<Secret>, Failure> {
        self.alive(Step::Request)?;
        self.exposed()?;
        // The token is in use now, so it may need the renewal timer.
        Ok(self.tell(|session, now| session.peek(now)))
    }

    fn exposed(&self) -> Result<(), Failure> {
        match self.options.expose_token {
            true => Ok(()),
            false => Err(Failure::new(Code::NotExposed, Step::Request)),
        }
    }

    /// If the page can tell that there is no session, the server is not asked.
    pub(super) fn look_for_hint(&self) {
        if let Some(cookie) = &self.policy.hint
            && self.session.borrow().status() == Status::Unknown
            && platform::lacks_cookie(cookie)
        {
            self.tell_only(|session, _| session.no_session_hint());
        }
    }

    /// Whether the URL may receive the token (rule 1).
    pub(crate) fn covers(&self, url: &str) -> bool {
        self.policy.apis.cover(url)
    }

    /// Classifies a response. If it contains a new token, that is adopted first.
    async fn look(self: &Rc<Self>, ticket: Ticket, response: &Response) -> Classification {
        if let Some(name) = &self.options.adopt
            && let Some(text) = answer::header(response, name)
            && let Ok(token) = Secret::new(text)
        {
            let now = platform::now();
            let tokens = answer::describe(token, None, Life::default(), &self.options, now);
            self.tell(|session, now| session.adopt(ticket, tokens, now));
        }
        self.classify(response).await
    }

    /// Classifies a response by the rules.
    async fn classify(&self, response: &Response) -> Classification {
        let rules = &self.policy.rules;
        let status = answer::status(response);
        if rules.settles(status) {
            return Classification::Plain;
        }
        let header = |name: &str| answer::header(response, name);
        let mut body = Vec::new();
        if !self.paths.is_empty() {
            let media = Media::of(&header("Content-Type").unwrap_or_default());
            if media != Media::Other {
                let members = answer::members(response, &self.paths, media == Media::Text);
                if let Ok(members) = result_of(members).await {
                    body = answer::lists(members.unchecked_ref());
                }
            }
        }
        let challenge = header("WWW-Authenticate");
        rules.classify(&ResponseFacts {
            status,
            challenge: challenge.as_deref(),
            redirected: answer::is_redirected(response),
            network_error: false,
            body: &body,
            header: &header,
        })
    }

    /// Waits for refreshes until the session needs no other, or until the caller aborts the request. `departure`: the
    /// session's decision, before and afterwards.
    ///
    /// # Errors
    /// The reason of the caller's signal.
    pub(super) async fn wait(
        self: &Rc<Self>,
        departure: &mut Departure,
        call: Option<&H::Call>,
    ) -> Result<(), JsValue> {
        while let Departure::Wait(wait) = *departure {
            // Join the refresh before the drain, which may settle it.
            let outcome = self.refresh_outcome(wait.auth_call);
            self.drain();
            let signal = call.and_then(|call| call.signal());
            let waited = outcome.wait(signal.as_ref(), None).await;
            let outcome = outcome.get(waited)?.unwrap_or(RefreshOutcome::Void);
            self.look_for_hint();
            *departure = self.tell_only(|session, now| session.resume(wait, &outcome, now));
        }
        if !matches!(departure, Departure::Send(_)) {
            self.drain();
        }
        Ok(())
    }
}

/// Releases a response that the caller does not get.
fn discard(kept: Option<Result<Response, Fault>>) {
    if let Some(Ok(response)) = kept {
        answer::discard(&response);
    }
}

/// A promise's outcome as a `Response`, or the error that the platform rejected with. The response may come from
/// another realm, or from a wrapper of `fetch`, so its class is not checked.
pub(super) fn as_response(outcome: Result<JsValue, JsValue>) -> Result<Response, Fault> {
    let answer = outcome.map_err(Fault::Platform)?;
    if answer.is_object() || answer.is_function() {
        Ok(answer.unchecked_into())
    } else {
        Err(Failure::new(Code::BadFetch, Step::Request).into())
    }
}
