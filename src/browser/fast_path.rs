//! The fast path: the common case of a fetch, cut into synchronous steps for the bindings, so that a
//! call that needs nothing special costs one decision and no future.

use js_sys::JsString;

use super::platform;
use super::shell::{Host, Shell};
use crate::core::{Attach, Redirects, Step, Ticket};

impl<H: Host> Shell<H> {
    /// Whether a request may be sent synchronously, and with which ticket. Changes nothing.
    pub(crate) fn depart(&self) -> Option<Ticket> {
        // A request that needs more than a header field, such as a proof or a look at network errors, takes the slow
        // path.
        let is_plain =
            !matches!(self.options.attach, Attach::Cookie(Some(_))) && self.prover.is_none();
        if !is_plain || self.policy.rules.hears_silence() || self.is_in_refresh.get() {
            return None;
        }
        self.alive(Step::Request).ok()?;
        let session = self.session.borrow();
        // If a response may show that a resource accepts tokens again, every response must be checked.
        if session.watches_resources() {
            return None;
        }
        session.may_leave(platform::now())
    }

    /// The value of the header field that carries the token. `None` without a session, or if the browser has the
    /// token. Only the page's copy outlives this call.
    pub(crate) fn authorization(&self, ticket: Ticket) -> Option<JsString> {
        let value = self.options.attach.value(self.session.borrow_mut().leaves(ticket)?)?;
        Some(JsString::from(value.as_str()))
    }

    /// The name of that header field, or `?` and the name of a URL parameter.
    pub(crate) fn header(&self) -> String {
        self.options.attach.name()
    }

    /// Whether a response with this status goes to the caller without a further look.
    pub(crate) fn is_plain(&self, status: u16) -> bool {
        self.options.adopt.is_none() && self.policy.rules.settles(status)
    }

    /// Whether redirects need any handling.
    pub(crate) fn redirects_matter(&self) -> bool {
        Redirects::matter(&self.options.attach, &self.policy.apis, self.prover.is_some())
    }
}
