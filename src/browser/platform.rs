//! The few functions of the platform that web-sys has not, or has only on `window`.

use std::future::Future;
use std::pin::pin;

use futures::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::core::Now;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn global_fetch(request: &web_sys::Request) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    /// What may be missing from the global scope: a page has all of it, a worker some.
    #[wasm_bindgen(js_name = Object)]
    pub(crate) type Scope;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn document(this: &Scope) -> Option<web_sys::Document>;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn location(this: &Scope) -> Option<Place>;

    #[wasm_bindgen(method, getter, catch, js_name = localStorage)]
    pub(crate) fn local_storage(this: &Scope) -> Result<Option<web_sys::Storage>, JsValue>;

    /// `Location` or `WorkerLocation`.
    #[wasm_bindgen(js_name = Object)]
    pub(crate) type Place;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn href(this: &Place) -> String;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn origin(this: &Place) -> String;
}

/// The global scope: `window`, or a worker's `self`.
pub(crate) fn scope() -> Scope {
    js_sys::global().unchecked_into()
}

/// The platform's `fetch`, as it stands in the global scope at the moment.
///
/// This is not gloo-net's `send`, which panics when `fetch` rejects with something that is no
/// `Error`, as `controller.abort("reason")` makes it do.
pub(crate) fn fetch(request: &web_sys::Request) -> Promise {
    global_fetch(request).unwrap_or_else(|error| Promise::reject(&error))
}

/// Both clocks.
pub(crate) fn now() -> Now {
    Now { wall: js_sys::Date::now() as u64, steady: performance_now() as u64 }
}

/// A number in `0.0..1.0`, for spreading load. Nothing secret hangs on it.
pub(crate) fn chance() -> f64 {
    js_sys::Math::random()
}

/// Milliseconds of any length, as a timer of the platform can take them (HTML, 8.6).
pub(crate) fn timer_ms(ms: u64) -> u32 {
    ms.min(i32::MAX as u64) as u32
}

/// The future's outcome, or `None` if it takes longer than `ms` milliseconds.
pub(crate) async fn within<T>(ms: u32, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), TimeoutFuture::new(ms)).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(((), _)) => None,
    }
}

/// A URL as the platform parses and serialises it (URL Standard, 4.5).
pub(crate) fn parse(url: &str, base: Option<&str>) -> Option<String> {
    match base {
        Some(base) => web_sys::Url::new_with_base(url, base),
        None => web_sys::Url::new(url),
    }
    .ok()
    .map(|url| url.href())
}

/// The value of a cookie that scripts may read (RFC 6265, 4.2.1), or `None`.
pub(crate) fn cookie(name: &str) -> Option<String> {
    let document: web_sys::HtmlDocument = scope().document()?.unchecked_into();
    let cookies = document.cookie().ok()?;
    cookies.split(';').find_map(|pair| {
        let (key, value) = pair.trim_start().split_once('=')?;
        (key == name).then(|| value.to_owned())
    })
}

/// Whether the page can be seen. A worker has nothing to hide.
pub(crate) fn is_visible() -> bool {
    scope()
        .document()
        .is_none_or(|document| document.visibility_state() != web_sys::VisibilityState::Hidden)
}
