//! An app's request on its way: sent, refused, refreshed for, sent again (rules 2 to 8).

use std::rc::Rc;

use futures::future::{Either, select};
use gloo_events::EventListener;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, Response};

use super::answer;
use super::call::Outgoing;
use super::error::FetchError;
use super::manager::{Shell, settle};
use crate::core::{Code, Departure, Failure, Glance, Landing, Step, Ticket, Wait};

impl Shell {
    /// A request, the whole way.
    pub(crate) async fn fetch(self: Rc<Self>, call: &dyn Outgoing) -> Result<Response, FetchError> {
        self.alive(Step::Request)?;
        if call.is_exempt() || !self.covers(&call.url()) {
            return settle(call.send(&[])).await.map_err(FetchError::Platform);
        }
        let ticket = self.admit(call.signal().as_ref()).await?;
        let response = self.send(call, ticket).await?;
        self.follow(call, ticket, response).await
    }

    /// Whether the URL may receive the token (rule 1).
    pub(crate) fn covers(&self, url: &str) -> bool {
        self.settings.policy.apis.cover(url)
    }

    /// Waits, where it must, until a request may be sent for the first time.
    pub(super) async fn admit(
        self: &Rc<Self>,
        signal: Option<&AbortSignal>,
    ) -> Result<Ticket, FetchError> {
        let mut departure = self.tell_only(|session, now| session.depart(now));
        loop {
            departure = match departure {
                Departure::Send(ticket) => return Ok(ticket),
                Departure::Wait(wait) => self.wait(wait, signal).await?,
                Departure::Fail(failure) => return Err(self.blame(failure).into()),
                Departure::Deliver => {
                    return Err(Failure::new(Code::SessionChanged, Step::Request).into());
                }
            };
        }
    }

    /// What becomes of an answer: it is the caller's, or there is one more sending.
    pub(crate) async fn follow(
        self: &Rc<Self>,
        call: &dyn Outgoing,
        ticket: Ticket,
        response: Response,
    ) -> Result<Response, FetchError> {
        if !self.is_expiry(&response).await {
            return Ok(response);
        }
        let mut departure =
            self.tell_only(|session, now| session.answered(ticket, call.is_repeatable(), now));
        loop {
            departure = match departure {
                Departure::Deliver => {
                    self.drain();
                    return Ok(response);
                }
                Departure::Send(ticket) => {
                    answer::discard(&response);
                    return self.send(call, ticket).await;
                }
                Departure::Wait(wait) => match self.wait(wait, call.signal().as_ref()).await {
                    Ok(departure) => departure,
                    Err(aborted) => {
                        answer::discard(&response);
                        return Err(aborted);
                    }
                },
                Departure::Fail(failure) => {
                    answer::discard(&response);
                    return Err(self.blame(failure).into());
                }
            };
        }
    }

    /// The value of the header field that carries the token, or `None` without a session.
    pub(crate) fn authorization(&self, ticket: Ticket) -> Option<String> {
        let session = self.session.borrow();
        let token = session.credential(ticket)?;
        let scheme = self.settings.scheme.as_str();
        Some(if scheme.is_empty() {
            token.reveal().to_owned()
        } else {
            [scheme, " ", token.reveal()].concat()
        })
    }

    async fn send(&self, call: &dyn Outgoing, ticket: Ticket) -> Result<Response, FetchError> {
        let sent = match self.authorization(ticket) {
            Some(value) => call.send(&[(&self.settings.header, &value)]),
            None => call.send(&[]),
        };
        settle(sent).await.map_err(FetchError::Platform)
    }

    async fn is_expiry(&self, response: &Response) -> bool {
        let rule = &self.settings.policy.unauthorized;
        let status = response.status();
        let field = match (rule.glance(status), &rule.field) {
            (Glance::Deliver, _) => return false,
            (Glance::ReadBody, Some(field)) => answer::field(response, &field.path).await,
            _ => None,
        };
        rule.is_expiry(status, answer::challenge(response).as_deref(), field.as_deref())
    }

    /// Waits for a refresh to land, or for the caller to lose interest.
    async fn wait(
        self: &Rc<Self>,
        wait: Wait,
        signal: Option<&AbortSignal>,
    ) -> Result<Departure, FetchError> {
        let landing = self.landing(wait.exchange);
        self.drain();
        let landing = match signal {
            None => landing.await,
            Some(signal) => match select(landing, Aborted::new(signal)).await {
                Either::Left((landing, _)) => landing,
                Either::Right((reason, _)) => return Err(FetchError::Platform(reason)),
            },
        };
        let landing = landing.unwrap_or(Landing::Void);
        Ok(self.tell_only(|session, now| session.resume(wait, &landing, now)))
    }
}

/// Resolves to the reason when a signal is aborted (DOM, 3.2), at once if it is already. Its
/// listener goes when it is dropped.
struct Aborted {
    signal: AbortSignal,
    aborted: wasm_bindgen_futures::JsFuture,
    _listener: Option<EventListener>,
}

impl Aborted {
    fn new(signal: &AbortSignal) -> Self {
        let mut listener = None;
        let promise = Promise::new(&mut |resolve, _| {
            if signal.aborted() {
                // A promise's own `resolve` does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            } else {
                listener = Some(EventListener::once(signal, "abort", move |_| {
                    let _ = resolve.call0(&JsValue::UNDEFINED);
                }));
            }
        });
        Self { signal: signal.clone(), aborted: promise.into(), _listener: listener }
    }
}

impl Future for Aborted {
    type Output = JsValue;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<JsValue> {
        std::pin::Pin::new(&mut self.aborted).poll(context).map(|_| self.signal.reason())
    }
}
