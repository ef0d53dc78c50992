//! A request that is to be sent, perhaps more than once.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Request};

use super::platform;
use super::shell::Shell;
use crate::core::Redirects;

/// A request as it was at the time of the call. Later changes to the caller's objects have no effect.
pub(crate) trait Outgoing {
    /// Its URL, absolute, as the platform parsed it.
    fn url(&self) -> String;
    /// Whether it is sent unchanged, because it has its own `Authorization` or is `no-cors`.
    fn is_exempt(&self) -> bool;
    /// Whether it can be sent twice. A one-shot stream body cannot.
    fn is_repeatable(&self) -> bool;
    /// Whether it has a body.
    fn has_body(&self) -> bool;
    /// The caller's signal.
    fn signal(&self) -> Option<AbortSignal>;
    /// Its method.
    fn method(&self) -> String;
    /// Sends it with these header fields, so that no redirect takes them to a wrong place. A name that begins with `?` is
    /// that of a URL parameter.
    /// Called once for each sending, and again if the server objects to a proof (RFC 9449, 8).
    fn send(&self, headers: &[(&str, &str)]) -> Promise;
    /// The request that [`Outgoing::send`] would send, if it is one of the platform. It can be aborted when it
    /// takes too long.
    fn request(&self, _headers: &[(&str, &str)]) -> Option<Request> {
        None
    }
}

/// A `Request` of the platform, from Rust. The first sending uses a clone, so that the second still has the body
/// (Fetch, 5.4).
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

/// A request from an app in Rust. Its body is taken, as `fetch` would.
pub(super) struct Taken {
    /// Knows the redirects that the token may follow.
    shell: Rc<Shell>,
    request: Request,
    is_repeatable: bool,
}

impl Taken {
    /// # Errors
    /// The platform's error if the body of the request has been used.
    pub(super) fn new(request: &Request, shell: &Rc<Shell>) -> Result<Self, JsValue> {
        let taken = platform::taken(request)?;
        let is_repeatable = taken.get(1).is_truthy();
        let shell = Rc::clone(shell);
        Ok(Self { shell, request: taken.get(0).unchecked_into(), is_repeatable })
    }

    /// The request with these header fields: a copy, or the request itself if it can be sent only once.
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
        let redirects = if headers.is_empty() {
            Redirects::Follow
        } else {
            self.shell.redirects(&self.url(), &self.method())
        };
        match self.prepare(headers) {
            Ok(request) if redirects == Redirects::Follow => platform::send(&request),
            Ok(request) => platform::send_within(&request, redirects == Redirects::SameOrigin),
            Err(error) => Promise::reject(&error),
        }
    }
}

/// A copy with these header fields.
fn prepare(request: &Request, headers: &[(&str, &str)]) -> Result<Request, JsValue> {
    let request = request.clone()?;
    for (name, value) in headers {
        request.headers().set(name, value)?;
    }
    Ok(request)
}
