//! The platform functions that the shell uses. Most are JavaScript modules beside this one, which are shorter than
//! the same code in Rust.

use js_sys::{Array, Promise};
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

    /// The base for relative URLs.
    pub(super) fn base() -> Option<String>;

    /// The value of a cookie that scripts may read (RFC 6265, 4.2.1). `undefined` if there is no such cookie, `null`
    /// if cookies cannot be read: in a worker, and in a sandboxed page.
    #[wasm_bindgen(js_name = cookie)]
    fn look_up(cookie: &str) -> JsValue;

    /// Whether a service worker controls this page.
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

    /// Sets or removes a mark in the storage.
    pub(super) fn mark(key: &str, mark: Option<&str>);
}

#[wasm_bindgen(module = "/src/browser/fetch.js")]
extern "C" {
    /// Sends with the page's current global `fetch`.
    ///
    /// gloo-net's `send` is no alternative: it panics if `fetch` rejects with a value that is not an `Error`, as after
    /// `controller.abort("reason")`.
    pub(super) fn send(request: &Request) -> Promise;

    /// Sends so that redirects stay within the page's origin, or are not followed.
    #[wasm_bindgen(js_name = sendWithin)]
    pub(super) fn send_within(request: &Request, is_pages: bool) -> Promise;

    /// A request to send instead of the caller's, and whether it can be sent again.
    #[wasm_bindgen(catch, js_name = takeOver)]
    pub(super) fn take_over(request: &Request) -> Result<Array, JsValue>;
}

#[wasm_bindgen(module = "/src/browser/http.js")]
extern "C" {
    /// Whether a running refresh function got this signal.
    #[wasm_bindgen(js_name = isOfRefresh)]
    pub(super) fn is_of_refresh(signal: &AbortSignal) -> bool;

    /// Sends a copy of a request with another parameter in its URL.
    #[wasm_bindgen(js_name = sendWith)]
    pub(super) fn send_with(request: &Request, name: &str, value: &str) -> Promise;

    /// Builds a request from the options.
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

    /// Encodes fields, given as alternating names and values, as a form or a JSON object.
    pub(super) fn encode(is_form: bool, flat: &Texts) -> String;

    /// The header fields that the app's function returns, as alternating names and values.
    #[wasm_bindgen(catch)]
    pub(super) fn more(headers: &JsValue) -> Result<Array, JsValue>;
}

#[wasm_bindgen(module = "/src/browser/notice.js")]
extern "C" {
    /// Warns in the console, once for each text.
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

/// Whether it is certain that a cookie is missing.
pub(super) fn lacks_cookie(name: &str) -> bool {
    look_up(name).is_undefined()
}

/// Both clocks.
pub(super) fn now() -> Now {
    Now { wall: js_sys::Date::now() as u64, steady: performance_now() as u64 }
}

/// A number in `0.0..1.0`, for spreading load. It protects no secret.
pub(super) fn chance() -> f64 {
    js_sys::Math::random()
}

#[wasm_bindgen]
extern "C" {
    /// A list of texts for JavaScript.
    #[wasm_bindgen(js_name = Array)]
    pub(crate) type Texts;

    #[wasm_bindgen(constructor, js_class = Array)]
    pub(crate) fn new() -> Texts;

    #[wasm_bindgen(method)]
    pub(crate) fn push(this: &Texts, text: &str);
}

impl Texts {
    /// Adds a name and a value.
    pub(crate) fn pair(&self, name: &str, value: &str) {
        self.push(name);
        self.push(value);
    }

    /// The first name and value.
    pub(super) fn first(&self) -> Option<(String, String)> {
        let list = self.unchecked_ref::<Array>();
        // An index beyond the end would read an inherited member.
        if list.length() < 2 {
            return None;
        }
        Some((list.get(0).as_string()?, list.get(1).as_string()?))
    }

    /// The names and values.
    pub(super) fn pairs(&self) -> Vec<(String, String)> {
        pairs(self.unchecked_ref())
    }
}

/// Names and values, which alternate in a list.
pub(super) fn pairs(list: &Array) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut texts = texts(list).into_iter();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        pairs.push((name, value));
    }
    pairs
}

/// The texts of a list.
pub(super) fn texts(list: &Array) -> Vec<String> {
    let mut texts = Vec::new();
    for at in 0..list.length() {
        texts.extend(list.get(at).as_string());
    }
    texts
}

#[wasm_bindgen]
extern "C" {
    /// An object that a module beside this one has made, to be read by the names of its members.
    #[wasm_bindgen(js_name = Object)]
    pub(crate) type Record;

    #[wasm_bindgen(method, structural, indexing_getter)]
    fn member(this: &Record, name: &str) -> JsValue;
}

// Not inlined: each is called for dozens of members, and a copy at each place would add to the download.
impl Record {
    #[inline(never)]
    pub(crate) fn value(&self, name: &str) -> JsValue {
        self.member(name)
    }

    /// Whether the member is set.
    pub(super) fn is(&self, name: &str) -> bool {
        self.value(name).is_truthy()
    }

    /// The member, if it is a string.
    #[inline(never)]
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.value(name).as_string()
    }

    /// The member, if it is a number.
    #[inline(never)]
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        self.value(name).as_f64()
    }

    /// The member, which is an object.
    pub(super) fn group(&self, name: &str) -> Self {
        self.value(name).unchecked_into()
    }

    /// The member, if it is an object.
    pub(super) fn record(&self, name: &str) -> Option<Self> {
        let member = self.value(name);
        member.is_object().then(|| member.unchecked_into())
    }

    /// The member, if it is a list.
    pub(super) fn list(&self, name: &str) -> Option<Array> {
        self.record(name).map(JsCast::unchecked_into)
    }
}
