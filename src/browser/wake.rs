//! When to look at the clock again: a timer while the page can be seen, and the moments at which a
//! page comes back. All of them are hints. The truth is asked at each call.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::manager::Shell;
use super::platform::{self, Alarm};
use crate::core::Session;

#[wasm_bindgen(module = "/src/browser/timer.js")]
extern "C" {
    /// As an alarm, it is to be stopped.
    #[wasm_bindgen(extends = Alarm, js_name = Object)]
    type Listening;

    fn wake(woke: &JsValue) -> Listening;

    #[wasm_bindgen(method)]
    fn set(this: &Listening, ms: f64);
}

/// The timer and the listeners, until it is dropped.
pub(super) struct Wake {
    listening: Listening,
    /// Drawn once, so that the tabs of many users don't wake together.
    chance: f64,
    _woke: Closure<dyn FnMut(JsValue)>,
}

impl Drop for Wake {
    fn drop(&mut self) {
        self.listening.stop();
    }
}

impl Wake {
    pub(super) fn new(shell: &Rc<Shell>) -> Self {
        let shell = Rc::downgrade(shell);
        let woke = Closure::new(move |is_visible: JsValue| {
            let Some(shell) = shell.upgrade() else { return };
            // The page may have come back, or gone: the timer is set anew in either case.
            if is_visible.is_truthy() {
                shell.tell(|session, now| session.woke(now));
            } else {
                shell.drain();
            }
        });
        Self { listening: wake(woke.as_ref()), chance: platform::chance(), _woke: woke }
    }

    /// Sets the timer as the session says: in so many milliseconds, or never.
    pub(super) fn set(&self, session: &RefCell<Session>) {
        let ms = session.borrow().wake_in(self.chance, platform::now());
        self.listening.set(ms.map_or(f64::INFINITY, |ms| ms as f64));
    }
}
