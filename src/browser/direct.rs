//! What the bindings need besides: the common way of a request, cut into synchronous steps, so that
//! a call that needs nothing special costs one decision and no future.

use std::rc::Rc;

use super::manager::Shell;
use crate::core::{Departure, Glance, Snapshot, Step, Ticket};

impl Shell {
    /// The name of the header field that carries the token.
    pub(crate) fn header(&self) -> &str {
        &self.options.attach.0
    }

    /// Whether a request may leave in this turn, and with which ticket.
    pub(crate) fn depart(self: &Rc<Self>) -> Option<Ticket> {
        let departure =
            self.alive(Step::Request).ok().map(|()| self.tell_only(|s, now| s.depart(now)));
        match departure {
            Some(Departure::Send(ticket)) => Some(ticket),
            _ => None,
        }
    }

    /// Whether an answer of this status is the caller's, whatever else it says.
    pub(crate) fn is_plain(&self, status: u16) -> bool {
        self.policy.unauthorized.glance(status) == Glance::Deliver
    }

    /// Tells the mirror of every change as it happens, even in the middle of a notification.
    pub(crate) fn mirror(&self, mirror: impl Fn(&Snapshot) + 'static) {
        self.mirror.replace(Some(Box::new(mirror)));
    }
}
