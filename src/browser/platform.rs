//! What the shell asks of the platform: the modules beside it say it in JavaScript, where that is shorter.

use js_sys::{Array, JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Headers, Request};

use crate::core::Now;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

#[wasm_bindgen(module = "/src/browser/page.js")]
extern "C" {
    /// The origin of the page, or `None` on a server.
    pub(super) fn origin() -> Option<String>;

    /// What relative URLs are resolved against.
    pub(super) fn base() -> Option<String>;

    /// The value of a cookie that scripts may read (RFC 6265, 4.2.1); `undefined` where there is none, and
    /// `null` where that can't be told: in a worker, and in a sandboxed page.
    #[wasm_bindgen(js_name = cookie)]
    fn look_up(cookie: &str) -> JsValue;

    /// Whether a service worker answers the calls of this page.
    #[wasm_bindgen(js_name = isControlled)]
    pub(super) fn is_controlled() -> bool;

    /// Whether the platform says that there is no network.
    #[wasm_bindgen(js_name = isOffline)]
    pub(super) fn is_offline() -> bool;

    /// Whether the user may have signed in on the way to this page, by a redirect.
    #[wasm_bindgen(js_name = mayBeSignIn)]
    pub(super) fn may_be_sign_in() -> bool;
}

#[wasm_bindgen(module = "/src/browser/storage.js")]
extern "C" {
    /// The text of a mark in the storage.
    pub(super) fn marked(key: &str) -> Option<String>;

    /// Sets a mark in the storage, or takes it away.
    pub(super) fn mark(key: &str, mark: Option<&str>);
}

#[wasm_bindgen(module = "/src/browser/fetch.js")]
extern "C" {
    /// Sends by the page's `fetch`, as it stands in the global scope at the moment.
    ///
    /// This is not gloo-net's `send`, which panics when `fetch` rejects with something that is no
    /// `Error`, as `controller.abort("reason")` makes it do.
    pub(super) fn send(request: &Request) -> Promise;

    /// The same within the page's origin, or without following redirects.
    #[wasm_bindgen(js_name = sendWithin)]
    pub(super) fn send_within(request: &Request, is_pages: bool) -> Promise;

    /// A request to send in the place of its caller's, and whether it can be sent again.
    #[wasm_bindgen(catch)]
    pub(super) fn taken(request: &Request) -> Result<Array, JsValue>;
}

#[wasm_bindgen(module = "/src/browser/http.js")]
extern "C" {
    /// Whether a signal is one that a refresh function under way was given.
    #[wasm_bindgen(js_name = isOfRefresh)]
    pub(super) fn is_of_refresh(signal: &AbortSignal) -> bool;

    /// Sends a copy of a request with another parameter in its URL.
    #[wasm_bindgen(js_name = sendWith)]
    pub(super) fn send_with(request: &Request, name: &str, value: &str) -> Promise;

    /// A request of the options'.
    #[wasm_bindgen(catch)]
    pub(super) fn request(
        url: &str,
        method: &str,
        credentials: &str,
        headers: &Headers,
        body: Option<&str>,
        mode: Option<&str>,
        redirect: Option<&str>,
    ) -> Result<Request, JsValue>;

    /// Fields, name after value, as the text of a form or of a JSON object.
    pub(super) fn encode(is_form: bool, flat: Vec<JsString>) -> String;

    /// The header fields that a function of the app's gives, value after name.
    #[wasm_bindgen(catch)]
    pub(super) fn more(headers: &JsValue) -> Result<Array, JsValue>;
}

#[wasm_bindgen(module = "/src/browser/notice.js")]
extern "C" {
    /// Says something in the console, once.
    pub(super) fn notice(text: &str);
}

#[wasm_bindgen(module = "/src/browser/timer.js")]
extern "C" {
    /// The reason of a signal, if it is aborted.
    pub(super) fn reason(signal: &AbortSignal) -> JsValue;
}

/// The value of a cookie that scripts may read.
pub(super) fn cookie(name: &str) -> Option<String> {
    look_up(name).as_string()
}

/// Whether a cookie is not there, where that can be told.
pub(super) fn lacks_cookie(name: &str) -> bool {
    look_up(name).is_undefined()
}

/// Both clocks.
pub(super) fn now() -> Now {
    Now { wall: js_sys::Date::now() as u64, steady: performance_now() as u64 }
}

/// A number in `0.0..1.0`, for spreading load. Nothing secret hangs on it.
pub(super) fn chance() -> f64 {
    js_sys::Math::random()
}

/// What JavaScript read, as a list to be taken off in order: one import instead of one for each
/// member of an object.
pub(crate) struct List {
    values: Array,
    at: u32,
}

impl List {
    pub(crate) fn new(values: Array) -> Self {
        Self { values, at: 0 }
    }

    pub(crate) fn value(&mut self) -> JsValue {
        self.at += 1;
        // What stands behind the end is inherited, if anything is.
        if self.at > self.values.length() {
            return JsValue::UNDEFINED;
        }
        self.values.get(self.at - 1)
    }

    /// The next value, if it is a string.
    pub(crate) fn text(&mut self) -> Option<String> {
        self.value().as_string()
    }

    /// The next value, if it is a list.
    pub(crate) fn list(&mut self) -> Option<List> {
        self.value().dyn_into().ok().map(List::new)
    }

    /// The strings that are left, up to what is none.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        let mut rest = Vec::new();
        while let Some(text) = self.text() {
            rest.push(text);
        }
        rest
    }

    /// The next value, if it is a number.
    pub(crate) fn number(&mut self) -> Option<f64> {
        self.value().as_f64()
    }
}
