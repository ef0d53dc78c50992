//! A Web Lock around the calls that set the refresh cookie, and around nothing else (rule 9).
//!
//! It keeps tabs from using up each other's refresh token, and has no other purpose: a tab that has lost
//! a race is detected by epoch and generation. Wait and hold times are bounded, and user code never runs
//! inside.

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;

use super::platform::{now, texts};
use crate::core::{GRACE, Leases};

#[wasm_bindgen(module = "/src/browser/web-lock.js")]
extern "C" {
    /// Waits at most so many milliseconds for the lock, to hold it for at most `hold` milliseconds, and `grace` more.
    /// `left` says how long its holder may keep it.
    #[wasm_bindgen(js_name = acquire)]
    fn request(name: Option<&str>, ms: u32, hold: u32, grace: u32, left: &JsValue) -> Promise;

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

/// The lock of a manager.
pub(super) struct Lock {
    /// `None`: tabs take no turns.
    name: Option<String>,
    /// How many milliseconds the lock may still be held, by the names of all held locks.
    left: Closure<dyn FnMut(Array) -> f64>,
}

impl Lock {
    /// Nobody may hold it longer than `longest` milliseconds.
    pub(super) fn new(name: Option<String>, longest: u32) -> Self {
        let mut leases = Leases::default();
        let lock = name.clone().unwrap_or_default();
        let left = Closure::new(move |held: Array| {
            leases.left(&lock, texts(&held), longest.into(), now()) as f64
        });
        Self { name, left }
    }

    /// Waits at most so many milliseconds for the lock, to hold it for at most `hold` milliseconds. Resolves to
    /// [`Held`], or to `undefined` if the lock did not become free.
    pub(super) fn acquire(&self, ms: u32, hold: u32) -> Promise {
        request(self.name.as_deref(), ms, hold, GRACE as u32, self.left.as_ref())
    }
}
