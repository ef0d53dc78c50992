//! A Web Lock around the calls that set the refresh cookie, and around nothing else (rule 9).
//!
//! It keeps tabs from burning each other's refresh token. Nothing else hangs on it: who has lost
//! the race finds out by epoch and generation. Wait and hold are bounded, and user code never runs
//! inside.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/web-lock.js")]
extern "C" {
    /// Waits for the lock, for so many milliseconds at the most, to hold it for no longer than
    /// `hold`; nobody may hold it longer than `longest`. Fulfils with [`Held`], or with `undefined` if it was
    /// not to be had.
    pub(super) fn acquire(name: Option<&str>, ms: u32, hold: u32, longest: u32) -> Promise;

    /// The lock, held. To be given back.
    #[must_use]
    pub(super) type Held;

    /// Whether somebody else held it when it was asked for, and has given it back.
    #[wasm_bindgen(method, getter)]
    pub(super) fn contended(this: &Held) -> bool;

    /// Whether there is time left for a call of so many milliseconds. A page that was busy or frozen may
    /// have lost its time.
    #[wasm_bindgen(method)]
    pub(super) fn allows(this: &Held, ms: u32) -> bool;

    /// Takes the time for a call of so many milliseconds. Fulfils with whether the lock is held still.
    #[wasm_bindgen(method)]
    pub(super) fn prolong(this: &Held, ms: u32) -> Promise;

    /// Fulfils with whether it was held until now. Whoever is frozen for longer than the time that
    /// was named loses it to the next.
    #[wasm_bindgen(method)]
    pub(super) fn kept(this: &Held) -> Promise;

    #[wasm_bindgen(method)]
    pub(super) fn release(this: &Held);
}
