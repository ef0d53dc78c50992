//! The outcome of an auth call, for all callers that wait for it. It is settled once. A JavaScript promise signals
//! it, because a Rust channel would add more code than the rest of this module.

use std::cell::OnceCell;
use std::rc::Rc;

use super::task::{Waiting, result_of};
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

#[wasm_bindgen(module = "/src/browser/timer.js")]
extern "C" {
    pub(crate) type Settling;

    /// A promise and the functions that settle it.
    pub(crate) fn settling() -> Settling;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn there(this: &Settling) -> Promise;

    #[wasm_bindgen(method)]
    pub(crate) fn settle(this: &Settling, value: &JsValue);

    #[cfg(feature = "bindings")]
    #[wasm_bindgen(method)]
    pub(crate) fn refuse(this: &Settling, reason: &JsValue);

    /// Resolves when `there` does. Rejects with the signal's reason if the signal is aborted before, and after so many
    /// milliseconds.
    fn before(there: &Promise, signal: Option<&AbortSignal>, ms: Option<u32>) -> Promise;
}

/// The receiving side.
#[derive(Clone)]
pub(crate) struct SharedOutcome<T> {
    outcome: Rc<OnceCell<T>>,
    there: Promise,
}

/// The settling side. If it is dropped without an outcome, the waiting callers are told.
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
        // A settler settles once. Dropping it wakes the waiting callers.
        let _ = self.outcome.set(outcome);
    }
}

impl<T> Drop for Settler<T> {
    fn drop(&mut self) {
        self.settling.settle(&JsValue::UNDEFINED);
    }
}

impl<T: Clone> SharedOutcome<T> {
    /// Waits until the outcome is settled or the settler is dropped. The wait ends if the signal is aborted, or after
    /// so many milliseconds. Its result is for [`SharedOutcome::get`].
    pub(super) fn wait(&self, signal: Option<&AbortSignal>, ms: Option<u32>) -> Waiting {
        result_of(before(&self.there, signal, ms))
    }

    /// The outcome after the wait. `None`: the settler was dropped.
    ///
    /// # Errors
    /// The reason of the signal, or `undefined` after the time.
    pub(super) fn get(&self, waited: Result<JsValue, JsValue>) -> Result<Option<T>, JsValue> {
        match self.outcome.get() {
            // The outcome may have arrived at the same moment.
            Some(outcome) => Ok(Some(outcome.clone())),
            None => waited.map(|_| None),
        }
    }
}
