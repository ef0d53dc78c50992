//! The listeners of an app in Rust.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use super::call::Given;
use super::shell::{Detail, Host};
use crate::core::{Event, Snapshot};

/// A notification for the app.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The snapshot has changed.
    Changed(Snapshot),
    /// Something happened.
    Event(Event, Detail),
}

/// A listener's registration. It ends when this is dropped.
#[must_use = "dropping it ends the subscription"]
pub struct Subscription {
    listeners: Weak<Listeners>,
    id: u32,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(listeners) = self.listeners.upgrade() {
            let removed = listeners.remove(self.id);
            // A listener may own the last handle to the manager, whose end removes all listeners.
            drop(removed);
        }
    }
}

type Listener = Rc<dyn Fn(&Notice)>;

/// The listeners of one manager, and the notices that they have not been given yet.
#[derive(Default)]
pub(super) struct Listeners {
    list: RefCell<Vec<(u32, Listener)>>,
    last: Cell<u32>,
    notices: RefCell<VecDeque<Notice>>,
    is_notifying: Cell<bool>,
}

impl Listeners {
    pub(super) fn add(self: &Rc<Self>, listener: impl Fn(&Notice) + 'static) -> Subscription {
        let id = self.last.get() + 1;
        self.last.set(id);
        self.list.borrow_mut().push((id, Rc::new(listener)));
        Subscription { listeners: Rc::downgrade(self), id }
    }

    /// Removes all listeners.
    pub(super) fn clear(&self) {
        self.list.take();
    }

    fn remove(&self, id: u32) -> Option<Listener> {
        let mut list = self.list.borrow_mut();
        let at = list.iter().position(|(other, _)| *other == id)?;
        Some(list.remove(at).1)
    }

    fn find(&self, id: u32) -> Option<Listener> {
        let list = self.list.borrow();
        list.iter().find(|(other, _)| *other == id).map(|(_, listener)| Rc::clone(listener))
    }
}

impl Host for Rc<Listeners> {
    type Call = Given;

    fn changed(&self, snapshot: Snapshot) {
        self.notices.borrow_mut().push_back(Notice::Changed(snapshot));
    }

    fn happened(&self, event: Event, detail: Detail) {
        self.notices.borrow_mut().push_back(Notice::Event(event, detail));
    }

    fn notify(&self) {
        // One notice after the other, even if a listener causes the next.
        if self.is_notifying.replace(true) {
            return;
        }
        loop {
            let notice = self.notices.borrow_mut().pop_front();
            let Some(notice) = notice else { break };
            let ids: Vec<u32> = self.list.borrow().iter().map(|(id, _)| *id).collect();
            for id in ids {
                // An earlier listener may have ended this subscription.
                if let Some(listener) = self.find(id) {
                    listener(&notice);
                }
            }
        }
        self.is_notifying.set(false);
    }
}
