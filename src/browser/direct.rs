//! What the bindings need besides: the common way of a request, cut into synchronous steps, so that
//! a call that needs nothing special costs one decision and no future.

use std::rc::Rc;

use super::manager::Shell;
use crate::core::{Attach, Departure, Snapshot, Step, Ticket};

impl Shell {
    /// Whether a request may leave in this turn, and with which ticket.
    pub(crate) fn depart(self: &Rc<Self>) -> Option<Ticket> {
        // What needs more than a header field, or a look at what goes wrong, goes the whole way.
        let is_plain = !matches!(self.options.attach, Attach::Cookie(Some(_)));
        if !is_plain || self.policy.rules.hears_silence() || self.is_in_refresh.get() {
            return None;
        }
        let departure =
            self.alive(Step::Request).ok().map(|()| self.tell_only(|s, now| s.depart(now)));
        match departure {
            Some(Departure::Send(ticket)) => Some(ticket),
            _ => None,
        }
    }

    /// The value of the header field that carries the token, or `None` without a session, and where
    /// the browser has the token.
    pub(crate) fn authorization(&self, ticket: Ticket) -> Option<String> {
        self.options.attach.value(self.session.borrow().credential(ticket)?)
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
}
