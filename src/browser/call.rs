//! A request that is to be sent, perhaps more than once.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Request};

use super::listeners::Listeners;
use super::platform::{self, Texts};
use super::shell::Shell;
use crate::core::{Redirects, is_safe};

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
    /// Sends it with these header fields, names and values, so that no redirect takes them to a wrong place. A name
    /// that begins with `?` is that of a URL parameter.
    /// Called once for each sending, and again if the server objects to a proof (RFC 9449, 8).
    fn send(&self, fields: &Texts) -> Promise;
    /// The request that [`Outgoing::send`] would send, if it is one of the platform. It can be aborted when it
    /// takes too long.
    fn request(&self, fields: &Texts) -> Option<Request>;
}

/// A `Request` of the platform, from an app in Rust.
pub(crate) struct Given {
    request: Request,
    is_repeatable: bool,
    /// For an app's fetch: knows the redirects that the token may follow.
    shell: Option<Rc<Shell<Rc<Listeners>>>>,
}

impl Given {
    /// A request for [`Shell::fetch`]. Its body is taken, as the platform's `fetch` would.
    ///
    /// # Errors
    /// The platform's error if the body of the request has been used.
    pub(super) fn taken(
        request: &Request,
        shell: &Rc<Shell<Rc<Listeners>>>,
    ) -> Result<Self, JsValue> {
        let taken = platform::take_over(request)?;
        let is_repeatable = taken.get(1).is_truthy();
        let shell = Some(Rc::clone(shell));
        Ok(Self { shell, request: taken.get(0).unchecked_into(), is_repeatable })
    }

    /// The request of a login or a logout.
    pub(super) fn own(request: Request) -> Self {
        Self { request, is_repeatable: true, shell: None }
    }

    /// The request with these header fields: a copy, so that the second sending still has the body (Fetch, 5.4); or the
    /// request itself if it can be sent only once.
    fn prepare(&self, fields: &Texts) -> Result<Request, JsValue> {
        let request: Request = match self.is_repeatable {
            true => self.request.clone()?,
            false => AsRef::<JsValue>::as_ref(&self.request).clone().unchecked_into(),
        };
        for (name, value) in fields.pairs() {
            request.headers().set(&name, &value)?;
        }
        Ok(request)
    }
}

impl Outgoing for Given {
    fn url(&self) -> String {
        self.request.url()
    }

    fn is_exempt(&self) -> bool {
        self.request.mode() == web_sys::RequestMode::NoCors
            || self.request.headers().has("Authorization").unwrap_or(false)
    }

    fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }

    fn has_body(&self) -> bool {
        !is_safe(&self.request.method())
    }

    fn signal(&self) -> Option<AbortSignal> {
        Some(self.request.signal())
    }

    fn method(&self) -> String {
        self.request.method()
    }

    fn send(&self, fields: &Texts) -> Promise {
        let first = fields.first();
        if let Some((name, value)) = &first
            && let Some(parameter) = name.strip_prefix('?')
        {
            return platform::send_with(&self.request, parameter, value);
        }
        let redirects = match &self.shell {
            Some(shell) if first.is_some() => shell.redirects(&self.url(), &self.method()),
            _ => Redirects::Follow,
        };
        match self.prepare(fields) {
            Ok(request) if redirects == Redirects::Follow => platform::send(&request),
            Ok(request) => platform::send_within(&request, redirects == Redirects::SameOrigin),
            Err(error) => Promise::reject(&error),
        }
    }

    fn request(&self, fields: &Texts) -> Option<Request> {
        if self.shell.is_some() { None } else { self.prepare(fields).ok() }
    }
}
