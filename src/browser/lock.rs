//! A Web Lock around the calls that set the refresh cookie, and around nothing else (rule 9).
//!
//! It keeps tabs from burning each other's refresh token. Nothing else hangs on it: who has lost
//! the race finds out by epoch and generation. Wait and hold are bounded, and user code never runs
//! inside.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::platform::{self, Scope};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Object)]
    type Navigator;

    #[wasm_bindgen(method, getter)]
    fn navigator(this: &Scope) -> Option<Navigator>;

    /// Undefined in an insecure context, and in old browsers.
    #[wasm_bindgen(method, getter)]
    fn locks(this: &Navigator) -> Option<LockManager>;

    /// `LockManager` (Web Locks, 3.2), which web-sys holds to be unstable.
    #[wasm_bindgen(js_name = Object)]
    #[derive(Clone)]
    pub(crate) type LockManager;

    #[wasm_bindgen(method, catch)]
    fn request(
        this: &LockManager,
        name: &str,
        options: &LockOptions,
        callback: &Function,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_name = Object)]
    type LockOptions;

    #[wasm_bindgen(constructor, js_class = "Object")]
    fn new() -> LockOptions;

    #[wasm_bindgen(method, setter, js_name = ifAvailable)]
    fn set_if_available(this: &LockOptions, value: bool);

    #[wasm_bindgen(method, setter)]
    fn set_signal(this: &LockOptions, value: &web_sys::AbortSignal);
}

/// The lock of one refresh endpoint, in all tabs of the origin.
pub(crate) struct Lock {
    manager: LockManager,
    name: String,
}

/// The lock, held. Given back when dropped.
#[must_use]
pub(crate) struct Held {
    release: Function,
    /// Whether somebody else held it when it was asked for.
    pub(crate) contended: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        // The function is a promise's own `resolve`, which does not throw.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

impl Lock {
    /// The lock of a name, or `None` where the platform has no Web Locks.
    pub(crate) fn new(name: String) -> Option<Self> {
        Some(Self { manager: platform::scope().navigator()?.locks()?, name })
    }

    /// Waits for the lock, for `ms` milliseconds at the most.
    pub(crate) async fn acquire(&self, ms: u32) -> Option<Held> {
        let at_once = LockOptions::new();
        at_once.set_if_available(true);
        if let Some(held) = self.ask(&at_once, false).await {
            return Some(held);
        }
        let abort = web_sys::AbortController::new().ok()?;
        let in_line = LockOptions::new();
        in_line.set_signal(&abort.signal());
        let held = platform::within(ms, self.ask(&in_line, true)).await.flatten();
        if held.is_none() {
            abort.abort();
        }
        held
    }

    /// One request for the lock. `None` if it is not to be had that way.
    async fn ask(&self, options: &LockOptions, contended: bool) -> Option<Held> {
        let (granted, grant) = oneshot::channel::<Option<Function>>();
        let granted = Rc::new(RefCell::new(Some(granted)));
        let refused = Rc::clone(&granted);
        let callback = Closure::once_into_js(move |lock: JsValue| {
            let mut release = None;
            let hold = Promise::new(&mut |resolve, _| release = Some(resolve));
            if let Some(granted) = granted.borrow_mut().take()
                && !lock.is_null()
                && granted.send(release).is_ok()
            {
                hold
            } else {
                // Not available, or nobody waits any longer: give it back at once.
                Promise::resolve(&JsValue::UNDEFINED)
            }
        });
        let request = self.manager.request(&self.name, options, callback.unchecked_ref()).ok()?;
        wasm_bindgen_futures::spawn_local(async move {
            // Settles when the lock is given back, when the wait was called off, or at once if the
            // context may not have locks. Dropping the sender tells the one who waits.
            let _ = JsFuture::from(request).await;
            refused.borrow_mut().take();
        });
        Some(Held { release: grant.await.ok()??, contended })
    }
}
