//! An app's request on its way: sent, refused, refreshed for, sent again (rules 2 to 8).

use std::rc::Rc;

use js_sys::{JsString, Promise};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Response};

use super::answer;
use super::call::Outgoing;
use super::error::{FetchError, TokenError};
use super::manager::Shell;
use super::platform;
use crate::core::{Code, Departure, Failure, Glance, Landing, Secret, Step, Ticket, Wait, is_json};

impl Shell {
    /// A request, the whole way; or from its first answer on, if it has `begun`.
    pub(crate) async fn fetch(
        self: Rc<Self>,
        call: &dyn Outgoing,
        begun: Option<(Ticket, Response)>,
    ) -> Result<Response, FetchError> {
        let mut arrived = begun;
        let mut refused: Option<Response> = None;
        let mut departure = Departure::Deliver;
        if arrived.is_none() {
            self.alive(Step::Request)?;
            if call.is_exempt() || !self.covers(&call.url()) {
                return settle(call.send(&[])).await;
            }
            departure = self.tell_only(|session, now| session.depart(now));
        }
        loop {
            if let Some((ticket, response)) = arrived.take() {
                if refused.is_some() || !self.is_expiry(&response).await {
                    return Ok(response);
                }
                departure = self
                    .tell_only(|session, now| session.answered(ticket, call.is_repeatable(), now));
                refused = Some(response);
            }
            let failed = match departure {
                Departure::Send(ticket) => {
                    if let Some(response) = &refused {
                        answer::discard(response);
                    }
                    let sent = match self.authorization(ticket) {
                        Some(value) => call.send(&[(&self.options.attach.0, &value)]),
                        None => call.send(&[]),
                    };
                    arrived = Some((ticket, settle(sent).await?));
                    departure = Departure::Deliver;
                    continue;
                }
                Departure::Wait(wait) => {
                    if let Some(response) = &refused {
                        answer::keep(response);
                    }
                    match self.wait(wait, call.signal()).await {
                        Ok(next) => {
                            departure = next;
                            continue;
                        }
                        Err(reason) => FetchError::Platform(reason),
                    }
                }
                Departure::Fail(failure) => self.blame(failure).into(),
                Departure::Deliver => {
                    self.drain();
                    return refused
                        .ok_or_else(|| Failure::new(Code::SessionChanged, Step::Request).into());
                }
            };
            if let Some(response) = &refused {
                answer::discard(response);
            }
            return Err(failed);
        }
    }

    /// The access token for the app's own use.
    pub(crate) async fn access_token(self: Rc<Self>) -> Result<Secret, TokenError> {
        self.alive(Step::Request)?;
        let refuse = |code| Err(TokenError::new(code, Step::Request));
        if !self.options.expose_token {
            return refuse(Code::NotExposed);
        }
        let mut departure = self.tell_only(|session, now| session.depart(now));
        loop {
            departure = match departure {
                Departure::Send(ticket) => {
                    let token = self.session.borrow().credential(ticket).cloned();
                    return token.map_or_else(|| refuse(Code::SignedOut), Ok);
                }
                // Without a signal, nothing ends the wait.
                Departure::Wait(wait) => self.wait(wait, None).await.unwrap_or(Departure::Deliver),
                Departure::Fail(failure) => return Err(self.blame(failure)),
                Departure::Deliver => return refuse(Code::SessionChanged),
            };
        }
    }

    /// Whether the URL may receive the token (rule 1).
    pub(crate) fn covers(&self, url: &str) -> bool {
        self.policy.apis.cover(url)
    }

    /// The value of the header field that carries the token, or `None` without a session.
    pub(crate) fn authorization(&self, ticket: Ticket) -> Option<String> {
        let session = self.session.borrow();
        let token = session.credential(ticket)?.reveal();
        let scheme = self.options.attach.1.as_str();
        Some([scheme, if scheme.is_empty() { "" } else { " " }, token].concat())
    }

    async fn is_expiry(&self, response: &Response) -> bool {
        let rule = &self.policy.unauthorized;
        let status = response.status();
        let mut told = None;
        match (rule.glance(status), &rule.field) {
            (Glance::Deliver, _) => return false,
            (Glance::ReadBody, Some(field)) => {
                let content_type = answer::header(response, "Content-Type");
                if content_type.is_some_and(|content_type| is_json(&content_type)) {
                    let path = field.path.iter().map(|name| JsString::from(name.as_str()));
                    let member = answer::member(response, path.collect());
                    told = JsFuture::from(member).await.ok().and_then(|value| value.as_string());
                }
            }
            _ => {}
        }
        let challenge = answer::header(response, "WWW-Authenticate");
        rule.is_expiry(status, challenge.as_deref(), told.as_deref())
    }

    /// Waits for a refresh to land, or for the caller to lose interest.
    ///
    /// # Errors
    /// The reason of the caller's signal.
    async fn wait(
        self: &Rc<Self>,
        wait: Wait,
        signal: Option<AbortSignal>,
    ) -> Result<Departure, JsValue> {
        let landing = self.landing(wait.exchange);
        self.drain();
        let landing = match signal {
            None => landing.get().await,
            Some(signal) => landing.get_before(platform::alarm(Some(&signal), None)).await?,
        };
        let landing = landing.unwrap_or(Landing::Void);
        Ok(self.tell_only(|session, now| session.resume(wait, &landing, now)))
    }
}

/// A promise's outcome as a `Response`, or what the platform rejected with. The answer may come from
/// another realm, or from whoever wrapped `fetch`, so its class is not asked for.
async fn settle(sent: Promise) -> Result<Response, FetchError> {
    JsFuture::from(sent).await.map(JsCast::unchecked_into).map_err(FetchError::Platform)
}
