//! The class `Core`, which the face in `pkg/src` is built on.
//!
//! The face handles the caller's arguments, the platform's `fetch`, and events. Everything else is
//! here. No exported method is `async`, so that freeing the object does not end a call that is in
//! flight.

mod claims;
mod host;
mod request;
mod tokens;

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use js_sys::{JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Response;

use self::host::Host;
use self::request::Call;
use crate::browser::{Fault, FetchError, Outgoing, Shell, settling, spawn};
use crate::core::{Failure, Resource, Secret, Ticket};

#[cfg(all(target_arch = "wasm32", not(test)))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// The platform gets the caller's own arguments.
const PASS: f64 = -1.0;
/// The call must wait or fail, so [`Core::fetch`] handles it.
const WAIT: f64 = -2.0;

/// One token manager.
#[wasm_bindgen]
pub struct Core {
    shell: Rc<Shell<Host>>,
    host: Host,
}

#[wasm_bindgen]
impl Core {
    /// Makes a manager with these options. `base` is the base for relative URLs.
    #[wasm_bindgen(constructor)]
    pub fn new(given: &JsValue, base: Option<String>, host: Host) -> Result<Core, JsValue> {
        let shell = Shell::new(given, base.as_deref(), host.clone());
        let shell = shell.map_err(|error| host.throw(&error))?;
        Ok(Self { shell, host })
    }

    /// The name of the header field that carries the token, or `?` and the name of a URL parameter.
    #[wasm_bindgen(getter)]
    pub fn header(&self) -> JsString {
        JsString::from(self.shell.header())
    }

    /// Whether redirects need any handling.
    #[wasm_bindgen(getter)]
    pub fn guards(&self) -> bool {
        self.shell.redirects_matter()
    }

    /// How redirects of a request with the token are handled: `0`, the platform follows them; `1`, within
    /// the origin; `2`, step by step; `3`, none is followed; `-1`, the URL must not get the token.
    pub fn redirects(&self, url: &str, method: &str) -> f64 {
        if !self.shell.covers(url) {
            return PASS;
        }
        f64::from(self.shell.redirects(url, method) as u8)
    }

    /// The decision on a call: `-1`, the platform gets the caller's own arguments; `-2`, call `fetch`; otherwise the
    /// ticket to send with. Without a URL, the call gets the token.
    pub fn depart(&self, url: Option<String>) -> f64 {
        if url.is_some_and(|url| !self.shell.covers(&url)) {
            PASS
        } else {
            self.shell.depart().map_or(WAIT, |ticket| f64::from(ticket.number()))
        }
    }

    /// The value of the header field for a ticket, or `undefined` without a session.
    pub fn authorization(&self, ticket: u32) -> Option<JsString> {
        self.shell.authorization(Ticket::first(ticket, Resource::ANY))
    }

    /// Whether a response with this status goes to the caller without a further look.
    pub fn settles(&self, status: u16) -> bool {
        self.shell.is_plain(status)
    }

    /// Classifies a response, refreshes, and sends again.
    #[wasm_bindgen(unchecked_return_type = "Promise<Response>")]
    pub fn follow(&self, call: Call, ticket: u32, response: Response) -> Promise {
        let resource = Resource::new(&call.method(), &call.url());
        self.complete(call, Some((Ticket::first(ticket, resource), response)))
    }

    /// Handles a request completely.
    #[wasm_bindgen(unchecked_return_type = "Promise<Response>")]
    pub fn fetch(&self, call: Call) -> Promise {
        self.complete(call, None)
    }

    /// Sends a call that sets the refresh cookie: credentials, or the token of the present session. Resolves to the
    /// rest of the response's JSON.
    #[wasm_bindgen(unchecked_return_type = "Promise<unknown>")]
    pub fn login(&self, call: Call, carries_token: bool) -> Promise {
        self.promise(Box::pin(self.shell().login(call, carries_token)))
    }

    /// Reports that the user has signed in outside of this package.
    #[wasm_bindgen(js_name = signedIn)]
    pub fn signed_in(&self) -> Result<(), JsValue> {
        self.shell.signed_in().map_err(|failure| self.thrown(failure))
    }

    /// Ends the session at once, then tells the server.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn logout(&self, call: Option<Call>) -> Promise {
        self.promise(Box::pin(self.shell().logout(call)))
    }

    /// Begins a session with tokens that the app already has.
    #[wasm_bindgen(js_name = setTokens)]
    pub fn set_tokens(&self, tokens: &JsValue) -> Result<(), JsValue> {
        let tokens = tokens::read(tokens).map_err(|error| self.host.throw(&error))?;
        self.shell.set_tokens(tokens).map_err(|failure| self.thrown(failure))
    }

    /// Asks for a new token now. `to_know`: only if it is unknown whether somebody is signed in.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn refresh(&self, to_know: bool) -> Promise {
        let shell = self.shell();
        self.promise(Box::pin(async move {
            match shell.clone().refresh(to_know).await {
                Ok(()) => Ok(JsValue::UNDEFINED),
                Err(failure) => Err(shell.blame(failure)),
            }
        }))
    }

    /// The access token, if `exposeToken` is set; never the token `refused`, which the URL `by` has refused.
    #[wasm_bindgen(js_name = getAccessToken, unchecked_return_type = "Promise<string>")]
    pub fn get_access_token(&self, refused: Option<String>, by: Option<String>) -> Promise {
        let by = by.map_or(Resource::ANY, |url| Resource::reported(&url));
        let refused = refused.and_then(|token| Secret::new(token).ok()).map(|token| (token, by));
        let shell = self.shell();
        self.promise(Box::pin(async move {
            match shell.clone().access_token(refused).await {
                Ok(token) => Ok(token.reveal().into()),
                Err(failure) => Err(shell.blame(failure)),
            }
        }))
    }

    /// The present access token, if `exposeToken` is set.
    #[wasm_bindgen(js_name = peekAccessToken)]
    pub fn peek_access_token(&self) -> Result<Option<JsString>, JsValue> {
        match self.shell.peek() {
            Ok(token) => Ok(token.map(|token| JsString::from(token.reveal()))),
            Err(failure) => Err(self.thrown(failure)),
        }
    }

    /// Frees everything.
    pub fn dispose(&self) {
        self.shell.dispose();
    }
}

impl Core {
    fn shell(&self) -> Rc<Shell<Host>> {
        Rc::clone(&self.shell)
    }

    fn complete(&self, call: Call, answered: Option<(Ticket, Response)>) -> Promise {
        let shell = self.shell();
        self.promise(Box::pin(async move { Ok(shell.fetch(&call, answered).await?.into()) }))
    }

    fn thrown(&self, failure: Failure) -> JsValue {
        self.host.throw(&self.shell.error_of(failure))
    }

    /// All methods share this function, because the compiled code for a promise is large.
    fn promise(&self, future: LocalBoxFuture<'static, Result<JsValue, Fault>>) -> Promise {
        let (shell, host) = (self.shell(), self.host.clone());
        let settling = settling();
        let promise = settling.there();
        spawn(Box::pin(async move {
            match future.await.map_err(|fault| shell.explain(fault)) {
                Ok(value) => settling.settle(&value),
                Err(FetchError::Platform(reason)) => settling.refuse(&reason),
                Err(FetchError::Token(error)) => settling.refuse(&host.throw(&error)),
            }
        }));
        promise
    }
}
