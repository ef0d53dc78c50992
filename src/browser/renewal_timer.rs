//! When to renew the token before it expires: a timer runs while the page is visible, and a page that comes back
//! checks at once. Both are only hints, because each call checks the token anyway.

use std::cell::RefCell;

use wasm_bindgen::prelude::*;

use super::platform;
use crate::core::Session;

#[wasm_bindgen(module = "/src/browser/timer.js")]
extern "C" {
    /// The running timer, which must be stopped.
    type Listening;

    #[wasm_bindgen(js_name = renewalTimer)]
    fn listening(fired: &JsValue) -> Listening;

    #[wasm_bindgen(method)]
    fn set(this: &Listening, ms: f64);

    #[wasm_bindgen(method)]
    fn stop(this: &Listening);
}

/// The timer and the listeners. Dropping it stops them.
pub(super) struct RenewalTimer {
    listening: Listening,
    /// A random number, drawn once, so that the tabs of many users don't renew at the same time.
    chance: f64,
    _fired: Closure<dyn FnMut(JsValue)>,
}

impl Drop for RenewalTimer {
    fn drop(&mut self) {
        self.listening.stop();
    }
}

impl RenewalTimer {
    /// `fired` gets whether the page is visible. It may have been shown or hidden, so the timer must be set again.
    pub(super) fn new(mut fired: impl FnMut(bool) + 'static) -> Self {
        let fired = Closure::new(move |is_visible: JsValue| fired(is_visible.is_truthy()));
        Self { listening: listening(fired.as_ref()), chance: platform::chance(), _fired: fired }
    }

    /// Sets the timer to the session's time for the next renewal, in milliseconds, or stops it.
    pub(super) fn set(&self, session: &RefCell<Session>) {
        let ms = session.borrow().renewal_due_in(self.chance, platform::now());
        self.listening.set(ms.map_or(f64::INFINITY, |ms| ms as f64));
    }
}
