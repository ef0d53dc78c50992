//! The fast path: the common case of a fetch, cut into synchronous steps for the bindings, so that a
//! call that needs nothing special costs one decision and no future.

use js_sys::JsString;

use super::platform;
use super::shell::Shell;
use crate::core::{Attach, Redirects, Snapshot, Step, Ticket};

impl Shell {
    /// Whether a request may leave in this turn, and with which ticket. Asking changes nothing.
    pub(crate) fn depart(&self) -> Option<Ticket> {
        // What needs more than a header field, such as a proof that is signed, or a look at what goes wrong,
        // goes the whole way.
        let is_plain =
            !matches!(self.options.attach, Attach::Cookie(Some(_))) && self.prover.is_none();
        if !is_plain || self.policy.rules.hears_silence() || self.is_in_refresh.get() {
            return None;
        }
        self.alive(Step::Request).ok()?;
        let session = self.session.borrow();
        // Where an answer may show that a resource is open again, each is looked at.
        if session.watches_resources() {
            return None;
        }
        session.may_leave(platform::now())
    }

    /// The value of the header field that carries the token, or `None` without a session, and where
    /// the browser has the token.
    /// Only the page's copy of it outlives this.
    pub(crate) fn authorization(&self, ticket: Ticket) -> Option<JsString> {
        let value = self.options.attach.value(self.session.borrow_mut().leaves(ticket)?)?;
        Some(JsString::from(value.as_str()))
    }

    /// The name of that header field; of a parameter of the URL, behind `?`.
    pub(crate) fn header(&self) -> String {
        self.options.attach.name()
    }

    /// Whether an answer of this status is the caller's, whatever else it says.
    pub(crate) fn is_plain(&self, status: u16) -> bool {
        self.options.adopt.is_none() && self.policy.rules.settles(status)
    }

    /// Tells the mirror of every change as it happens, even in the middle of a notification.
    pub(crate) fn mirror(&self, mirror: impl Fn(&Snapshot) + 'static) {
        self.mirror.replace(Some(Box::new(mirror)));
    }

    /// Whether the token is bound to a key, so that what carries it carries a proof.
    pub(crate) fn has_bound_token(&self) -> bool {
        self.session.borrow().bound().is_some()
    }

    /// Whether redirects must be looked after at all.
    pub(crate) fn redirects_matter(&self) -> bool {
        Redirects::matter(&self.options.attach, &self.policy.apis, self.prover.is_some())
    }
}
