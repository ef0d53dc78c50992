//! When to look at the clock again: a timer while the page can be seen, and the moments at which a
//! page comes back. All of them are hints. The truth is asked at each call.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;
use web_sys::EventTarget;

use super::manager::Shell;
use super::platform;

/// The timer and the listeners, until it is dropped.
pub(crate) struct Wake {
    shell: Weak<Shell>,
    timer: RefCell<Option<Timeout>>,
    due: Cell<Option<u64>>,
    _listeners: Vec<EventListener>,
}

/// Timers of many tabs are spread over this part of their time, so that they don't go off together.
const SPREAD: f64 = 0.05;

impl Wake {
    pub(crate) fn new(shell: &Rc<Shell>) -> Self {
        let scope: EventTarget = platform::scope().unchecked_into();
        let document = platform::scope().document();
        let listen = |target: &EventTarget, event: &'static str| {
            let shell = Rc::downgrade(shell);
            EventListener::new(target, event, move |_| woke(&shell))
        };
        let mut listeners = vec![listen(&scope, "online"), listen(&scope, "pageshow")];
        listeners.extend(document.map(|document| listen(&document, "visibilitychange")));
        Self {
            shell: Rc::downgrade(shell),
            timer: RefCell::default(),
            due: Cell::default(),
            _listeners: listeners,
        }
    }

    /// Sets the timer: in so many milliseconds, or never. A page that is hidden has none.
    pub(crate) fn set(&self, ms: Option<u64>) {
        let ms = ms.filter(|_| platform::is_visible());
        let due = ms.map(|ms| platform::now().steady + ms);
        let is_set = self.timer.borrow().is_some();
        // The same time again, or a few milliseconds off by rounding: the timer stands.
        let is_same = match (self.due.get(), due) {
            (Some(old), Some(new)) => is_set && old.abs_diff(new) < 50,
            (None, None) => true,
            _ => false,
        };
        if is_same {
            return;
        }
        self.due.set(due);
        let shell = self.shell.clone();
        self.timer.replace(ms.map(|ms| {
            let spread = (ms as f64 * SPREAD * platform::chance()) as u64;
            Timeout::new(platform::timer_ms(ms + spread), move || {
                if let Some(shell) = shell.upgrade() {
                    shell.timer_gone_off();
                }
                woke(&shell);
            })
        }));
    }

    /// The timer has gone off: there is nothing to call off any more.
    pub(super) fn gone_off(&self) {
        self.due.set(None);
        if let Some(timer) = self.timer.take() {
            timer.forget();
        }
    }
}

/// The page may have come back, or gone: the timer is set anew in either case.
fn woke(shell: &Weak<Shell>) {
    let Some(shell) = shell.upgrade() else { return };
    if platform::is_visible() {
        shell.tell(|session, now| session.woke(now));
    } else {
        shell.drain();
    }
}
