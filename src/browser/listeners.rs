//! The listeners of an app in Rust.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

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
            listeners.list.borrow_mut().retain(|(id, _)| *id != self.id);
        }
    }
}

type Listener = Rc<dyn Fn(&Notice)>;

/// The listeners of one manager, and the notices that they have not been given yet.
#[derive(Default)]
pub(super) struct Listeners {
    list: RefCell<Vec<(u32, Listener)>>,
    last: Cell<u32>,
    notices: RefCell<Vec<Notice>>,
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
}

impl Host for Rc<Listeners> {
    fn changed(&self, snapshot: Snapshot) {
        self.notices.borrow_mut().push(Notice::Changed(snapshot));
    }

    fn happened(&self, event: Event, detail: Detail) {
        self.notices.borrow_mut().push(Notice::Event(event, detail));
    }

    fn notify(&self) {
        // One notice after the other, even if a listener causes the next.
        if self.is_notifying.replace(true) {
            return;
        }
        loop {
            let notice = first(&mut self.notices.borrow_mut());
            let Some(notice) = notice else { break };
            let listeners: Vec<Listener> =
                self.list.borrow().iter().map(|(_, listener)| Rc::clone(listener)).collect();
            for listener in listeners {
                listener(&notice);
            }
        }
        self.is_notifying.set(false);
    }
}

/// Removes the first entry of a list, which is always short.
fn first<T>(list: &mut Vec<T>) -> Option<T> {
    (!list.is_empty()).then(|| list.remove(0))
}
