//! A request that is on its way out, and can be sent again.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Request};

use super::platform;
use crate::core::Redirects;

/// A request as it was when its caller made it, whatever becomes of the caller's objects.
pub trait Outgoing {
    /// Its URL, absolute, as the platform parsed it.
    fn url(&self) -> String;
    /// Whether it is never touched: it brings its own `Authorization`, or is `no-cors`.
    fn is_exempt(&self) -> bool;
    /// Whether it can be sent twice. A one-shot stream cannot.
    fn is_repeatable(&self) -> bool;
    /// Whether it has a body.
    fn has_body(&self) -> bool;
    /// The caller's signal.
    fn signal(&self) -> Option<AbortSignal>;
    /// Its method.
    fn method(&self) -> String;
    /// Sends it with these header fields set; a name behind `?` is that of a parameter of the URL.
    /// Called once for each sending, and again where the server objects to a proof (RFC 9449, 8).
    fn send(&self, headers: &[(&str, &str)]) -> Promise;
    /// The same, so that no redirect takes these fields to where they must not go.
    fn send_within(&self, headers: &[(&str, &str)], _redirects: &dyn Fn() -> Redirects) -> Promise {
        self.send(headers)
    }
    /// What [`Outgoing::send`] would send, where that is a request of the platform's. Then it can
    /// be torn off when it takes too long.
    fn request(&self, _headers: &[(&str, &str)]) -> Option<Request> {
        None
    }
}

/// A `Request` of the platform's own, from Rust. The first sending uses a clone, so that a second
/// has the body still (Fetch, 5.4).
impl Outgoing for Request {
    fn url(&self) -> String {
        Request::url(self)
    }

    fn is_exempt(&self) -> bool {
        self.mode() == web_sys::RequestMode::NoCors
            || self.headers().has("Authorization").unwrap_or(false)
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn has_body(&self) -> bool {
        !crate::core::is_safe(&Request::method(self))
    }

    fn signal(&self) -> Option<AbortSignal> {
        Some(Request::signal(self))
    }

    fn method(&self) -> String {
        Request::method(self)
    }

    fn send(&self, headers: &[(&str, &str)]) -> Promise {
        if let [(name, value)] = headers
            && let Some(parameter) = name.strip_prefix('?')
        {
            return platform::send_with(self, parameter, value);
        }
        match prepare(self, headers) {
            Ok(request) => platform::send(&request),
            Err(error) => Promise::reject(&error),
        }
    }

    fn request(&self, headers: &[(&str, &str)]) -> Option<Request> {
        prepare(self, headers).ok()
    }
}

/// A request of an app's in Rust, taken from it as `fetch` would.
pub(super) struct Taken {
    request: Request,
    is_repeatable: bool,
}

impl Taken {
    /// # Errors
    /// What the platform says of a request whose body has been used.
    pub(super) fn new(request: &Request) -> Result<Self, JsValue> {
        let taken = platform::taken(request)?;
        let is_repeatable = taken.get(1).is_truthy();
        Ok(Self { request: taken.get(0).unchecked_into(), is_repeatable })
    }

    /// With these header fields set. What can be sent once is sent itself.
    fn prepare(&self, headers: &[(&str, &str)]) -> Result<Request, JsValue> {
        if self.is_repeatable {
            return prepare(&self.request, headers);
        }
        for (name, value) in headers {
            self.request.headers().set(name, value)?;
        }
        Ok(AsRef::<JsValue>::as_ref(&self.request).clone().unchecked_into())
    }
}

impl Outgoing for Taken {
    fn has_body(&self) -> bool {
        self.request.has_body()
    }

    fn url(&self) -> String {
        self.request.url()
    }

    fn is_exempt(&self) -> bool {
        self.request.is_exempt()
    }

    fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }

    fn signal(&self) -> Option<AbortSignal> {
        Some(self.request.signal())
    }

    fn method(&self) -> String {
        self.request.method()
    }

    fn send(&self, headers: &[(&str, &str)]) -> Promise {
        if let [(name, _)] = headers
            && name.starts_with('?')
        {
            return self.request.send(headers);
        }
        match self.prepare(headers) {
            Ok(request) => platform::send(&request),
            Err(error) => Promise::reject(&error),
        }
    }

    fn send_within(&self, headers: &[(&str, &str)], redirects: &dyn Fn() -> Redirects) -> Promise {
        let redirects = redirects();
        if redirects == Redirects::Follow {
            return self.send(headers);
        }
        match self.prepare(headers) {
            Ok(request) => platform::send_within(&request, redirects == Redirects::SameOrigin),
            Err(error) => Promise::reject(&error),
        }
    }
}

/// A copy with these header fields set.
fn prepare(request: &Request, headers: &[(&str, &str)]) -> Result<Request, JsValue> {
    let request = request.clone()?;
    for (name, value) in headers {
        request.headers().set(name, value)?;
    }
    Ok(request)
}
