//! What JavaScript sees: the class `Core`, on which the face in `pkg/src` stands.
//!
//! The face touches the caller's arguments, the platform's `fetch`, and events; everything else is
//! here. No exported method is `async`: an object that is freed while a call is under way must not
//! take the call with it.

mod claims;
mod host;
mod options;
mod request;

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Response;

use self::host::Host;
use self::request::Call;
use crate::browser::{Asked, Begun, FetchError, Notice, Outgoing, Shell, TokenError};
use crate::core::{Event, Reason, Ticket};

#[cfg(all(target_arch = "wasm32", not(test)))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// The caller's own arguments go to the platform.
const PASS: f64 = -1.0;
/// The call must wait, or is to be refused: [`Core::fetch`] takes it the whole way.
const WAIT: f64 = -2.0;

/// One token manager.
#[wasm_bindgen]
pub struct Core {
    shell: Rc<Shell>,
    host: Host,
}

#[wasm_bindgen]
impl Core {
    /// Makes a manager of the options given. `base` is what relative URLs are resolved against.
    #[wasm_bindgen(constructor)]
    pub fn new(given: &JsValue, base: Option<String>, host: Host) -> Result<Core, JsValue> {
        let shell = options::read(given)
            .map_err(TokenError::from)
            .and_then(|(options, hooks)| {
                let made = Shell::new(options, hooks, base.as_deref());
                made.map_err(|error| options::with_what_it_got(given, &error))
            })
            .map_err(|error| host.throw(&error))?;
        let mirror = host.clone();
        shell.mirror(move |snapshot| mirror.state(&claims::state(snapshot)));
        let ears = host.clone();
        let subscription = shell.subscribe(move |notice| tell(&ears, notice));
        // The face outlives the shell; its subscription goes with the shell.
        std::mem::forget(subscription);
        Ok(Self { shell, host })
    }

    /// The name of the header field that carries the token; of a parameter of the URL, behind `?`.
    #[wasm_bindgen(getter)]
    pub fn header(&self) -> String {
        self.shell.header()
    }

    /// One decision: `-1`, the caller's own arguments go to the platform; `-2`, call `fetch`; else a
    /// ticket to send with. Without a URL, it is one that gets the token.
    pub fn depart(&self, url: Option<String>) -> f64 {
        if url.is_some_and(|url| !self.shell.covers(&url)) {
            PASS
        } else {
            self.shell.depart().map_or(WAIT, |ticket| f64::from(ticket.number()))
        }
    }

    /// The value of the header field for a ticket, or `undefined` without a session.
    pub fn authorization(&self, ticket: u32) -> Option<String> {
        self.shell.authorization(Ticket::first(ticket))
    }

    /// Whether an answer is the caller's, by its status alone.
    pub fn settles(&self, _ticket: u32, status: u16) -> bool {
        self.shell.is_plain(status)
    }

    /// Looks closer at an answer, refreshes, sends again.
    #[wasm_bindgen(unchecked_return_type = "Promise<Response>")]
    pub fn follow(&self, call: Call, ticket: u32, response: Response) -> Promise {
        self.travel(call, Begun::Answered(Ticket::first(ticket), response))
    }

    /// A request, the whole way.
    #[wasm_bindgen(unchecked_return_type = "Promise<Response>")]
    pub fn fetch(&self, call: Call) -> Promise {
        let begun = self.shell.begin(&call);
        self.travel(call, begun)
    }

    /// Sends credentials. Resolves to the rest of the answer's JSON.
    #[wasm_bindgen(unchecked_return_type = "Promise<unknown>")]
    pub fn login(&self, call: Call) -> Promise {
        self.asked(self.shell.login(Box::new(call)))
    }

    /// Ends the session at once, then tells the server.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn logout(&self, call: Option<Call>) -> Promise {
        let method = call.as_ref().and_then(Call::method);
        let call = call.map(|call| Box::new(call) as Box<dyn Outgoing>);
        self.asked(self.shell.logout(call, method))
    }

    /// Begins a session with tokens that the app got by itself.
    #[wasm_bindgen(js_name = setTokens)]
    pub fn set_tokens(&self, tokens: &JsValue) -> Result<(), JsValue> {
        options::tokens(tokens)
            .map_err(TokenError::from)
            .and_then(|tokens| self.shell.set_tokens(tokens))
            .map_err(|error| self.host.throw(&error))
    }

    /// Asks for a new token now.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn refresh(&self) -> Promise {
        let shell = Rc::clone(&self.shell);
        self.promise(Box::pin(async move {
            shell.refresh().await?;
            Ok(JsValue::UNDEFINED)
        }))
    }

    /// The access token, if `exposeToken` is set.
    #[wasm_bindgen(js_name = getAccessToken, unchecked_return_type = "Promise<string>")]
    pub fn get_access_token(&self) -> Promise {
        let shell = Rc::clone(&self.shell);
        self.promise(Box::pin(
            async move { Ok(JsValue::from(shell.access_token().await?.reveal())) },
        ))
    }

    /// Frees everything.
    pub fn dispose(&self) {
        self.shell.dispose();
    }
}

impl Core {
    fn travel(&self, call: Call, begun: Begun) -> Promise {
        let shell = Rc::clone(&self.shell);
        self.promise(Box::pin(async move { Ok(shell.fetch(&call, begun).await?.into()) }))
    }

    fn asked(&self, asked: Asked) -> Promise {
        self.promise(Box::pin(asked.outcome()))
    }

    /// One form for all of them: what the compiler makes of a promise is large.
    fn promise(&self, future: LocalBoxFuture<'static, Result<JsValue, FetchError>>) -> Promise {
        let host = self.host.clone();
        future_to_promise(async move {
            future.await.map_err(|error| match error {
                FetchError::Platform(reason) => reason,
                FetchError::Token(error) => host.throw(&error),
            })
        })
    }
}

fn tell(host: &Host, notice: &Notice) {
    match notice {
        Notice::Changed(_) => host.emit("change", &JsValue::UNDEFINED),
        Notice::Event(Event::Refresh) => host.emit("refresh", &JsValue::UNDEFINED),
        Notice::Event(Event::SignOut(reason)) => {
            let reason = match reason {
                Reason::Logout => "logout",
                Reason::Rejected => "rejected",
                Reason::Ended => "ended",
                Reason::OtherTab => "other-tab",
            };
            host.emit("signout", &reason.into());
        }
        Notice::Event(Event::StepUp(list)) => host.emit("stepup", &claims::challenges(list)),
        Notice::Event(Event::RefreshError(failure)) => {
            host.emit("refresherror", &host.throw(&TokenError::from(failure.clone())));
        }
    }
}
