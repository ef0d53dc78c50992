//! A Web Lock around the calls that set the refresh cookie, and around nothing else (rule 9).
//!
//! It keeps tabs from using up each other's refresh token, and has no other purpose: a tab that has lost
//! a race is detected by epoch and generation. Wait and hold times are bounded, and user code never runs
//! inside.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/web-lock.js")]
extern "C" {
    /// Waits at most so many milliseconds for the lock, to hold it for at most `hold` milliseconds. Nobody may hold it
    /// longer than `longest`. Resolves to [`Held`], or to `undefined` if the lock did not become free.
    pub(super) fn acquire(name: Option<&str>, ms: u32, hold: u32, longest: u32) -> Promise;

    /// A held lock, which must be released.
    #[must_use]
    pub(super) type Held;

    /// Whether somebody else held it when it was requested, and has released it.
    #[wasm_bindgen(method, getter)]
    pub(super) fn contended(this: &Held) -> bool;

    /// Whether enough time is left for a call of so many milliseconds. A page that was busy or frozen may have used it
    /// up.
    #[wasm_bindgen(method)]
    pub(super) fn allows(this: &Held, ms: u32) -> bool;

    /// Prolongs the lock for a call of so many milliseconds. Resolves to whether the lock is still held.
    #[wasm_bindgen(method)]
    pub(super) fn prolong(this: &Held, ms: u32) -> Promise;

    /// Resolves to whether the lock has been held until now. A page that is frozen for longer than its time loses the
    /// lock to the next page.
    #[wasm_bindgen(method)]
    pub(super) fn kept(this: &Held) -> Promise;

    #[wasm_bindgen(method)]
    pub(super) fn release(this: &Held);
}
