//! Several things at once, without sleeping: begin one, let the others go on, ask for its outcome.

use std::future::Future;
use std::pin::pin;

use futures::channel::oneshot;
use futures::future::{Either, select};
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: f64) -> JsValue;

    #[wasm_bindgen(js_namespace = ["navigator", "locks"], js_name = request)]
    fn request_lock(name: &str, callback: &Function) -> Promise;
}

/// How long a test waits for what must come. Nothing waits that long, unless it is broken.
const BOUND_MS: f64 = 8_000.0;

/// Something that was begun, and goes on while the test does.
pub struct Started<T>(oneshot::Receiver<T>);

/// Begins something.
pub fn start<T: 'static>(what: impl Future<Output = T> + 'static) -> Started<T> {
    let (done, outcome) = oneshot::channel();
    spawn_local(async move {
        // A test need not wait for everything that it has begun.
        let _ = done.send(what.await);
    });
    Started(outcome)
}

impl<T> Started<T> {
    /// What came of it. Everything settles, so this does.
    pub async fn outcome(self) -> T {
        within_bound(self.0, "an outcome").await.expect("no test drops what it has begun")
    }
}

/// The future's outcome. The test has failed if there is none.
pub async fn within_bound<T>(future: impl Future<Output = T>, what: &str) -> T {
    match select(pin!(future), pin!(pause(BOUND_MS))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => panic!("waited for {what} in vain"),
    }
}

/// Lets everything happen that can happen before the test goes on: microtasks, tasks, and locks
/// that are to be had. Locks are granted in the order in which they were asked for, so this one
/// comes after all that were asked for before.
pub async fn lull() {
    for _ in 0..3 {
        let locked = Function::new_no_args("");
        JsFuture::from(request_lock("lull", &locked)).await.expect("a lock that nobody holds");
        pause(0.0).await;
    }
}

pub async fn pause(ms: f64) {
    let paused = Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, ms);
    });
    JsFuture::from(paused).await.expect("a promise that never rejects");
}
