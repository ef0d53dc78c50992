//! The outcome of an auth call, for all who wait for it. It is settled once. A promise of JavaScript's says
//! that it is there: what a promise of Rust's would bring along is larger than all else here.

use std::cell::OnceCell;
use std::rc::Rc;

use super::task::result_of;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

#[wasm_bindgen(module = "/src/browser/timer.js")]
extern "C" {
    pub(crate) type Settling;

    /// A promise and what settles it.
    pub(crate) fn settling() -> Settling;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn there(this: &Settling) -> Promise;

    #[wasm_bindgen(method)]
    pub(crate) fn settle(this: &Settling, value: &JsValue);

    #[cfg(feature = "bindings")]
    #[wasm_bindgen(method)]
    pub(crate) fn refuse(this: &Settling, reason: &JsValue);

    /// Fulfils when `there` does. Rejects if the signal is aborted before, with its reason; or after so
    /// many milliseconds.
    fn before(there: &Promise, signal: Option<&AbortSignal>, ms: Option<u32>) -> Promise;
}

/// The side of those who wait.
#[derive(Clone)]
pub(crate) struct SharedOutcome<T> {
    outcome: Rc<OnceCell<T>>,
    there: Promise,
}

/// The side of the one who settles it. Who waits is told, too, if it goes without an outcome.
pub(super) struct Settler<T> {
    outcome: Rc<OnceCell<T>>,
    settling: Settling,
}

pub(super) fn shared_outcome<T>() -> (Settler<T>, SharedOutcome<T>) {
    let settling = settling();
    let there = settling.there();
    let outcome = Rc::default();
    (Settler { outcome: Rc::clone(&outcome), settling }, SharedOutcome { outcome, there })
}

impl<T> Settler<T> {
    pub(super) fn settle(self, outcome: T) {
        // A settler settles once. That it goes tells those who wait.
        let _ = self.outcome.set(outcome);
    }
}

impl<T> Drop for Settler<T> {
    fn drop(&mut self) {
        self.settling.settle(&JsValue::UNDEFINED);
    }
}

impl<T: Clone> SharedOutcome<T> {
    /// Waits for the outcome, or until the settler is gone, but only until the signal is aborted, and no longer than
    /// so many milliseconds.
    ///
    /// # Errors
    /// The reason of the signal; `undefined` after that time.
    pub(super) async fn get(
        self,
        signal: Option<&AbortSignal>,
        ms: Option<u32>,
    ) -> Result<Option<T>, JsValue> {
        let waited = result_of(before(&self.there, signal, ms)).await;
        match self.outcome.get() {
            // It may have come in the same moment.
            Some(outcome) => Ok(Some(outcome.clone())),
            None => waited.map(|_| None),
        }
    }
}
