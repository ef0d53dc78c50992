//! Concurrency without sleeping: begin something, let other work continue, ask for the outcome.

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

/// The time limit of a test's wait. Only a broken test waits this long.
const BOUND_MS: f64 = 8_000.0;

/// Work that was begun, and continues while the test does.
pub struct Started<T>(oneshot::Receiver<T>);

/// Begins the work.
pub fn start<T: 'static>(what: impl Future<Output = T> + 'static) -> Started<T> {
    let (done, outcome) = oneshot::channel();
    spawn_local(async move {
        // A test need not wait for everything that it has begun.
        let _ = done.send(what.await);
    });
    Started(outcome)
}

impl<T> Started<T> {
    /// The outcome. Everything settles, so this does.
    pub async fn outcome(self) -> T {
        within_bound(self.0, "an outcome").await.expect("no test drops what it has begun")
    }
}

/// The future's outcome. Without one the test fails.
pub async fn within_bound<T>(future: impl Future<Output = T>, what: &str) -> T {
    match select(pin!(future), pin!(pause(BOUND_MS))).await {
        Either::Left((outcome, _)) => outcome,
        Either::Right(_) => panic!("waited for {what} in vain"),
    }
}

/// Lets everything run that can run before the test continues: microtasks, tasks, and available locks. Locks
/// are granted in the order of the requests, so this one comes after all earlier requests.
pub async fn lull() {
    for _ in 0..3 {
        let locked = Function::new_no_args("");
        JsFuture::from(request_lock("lull", &locked)).await.expect("a lock that nobody holds");
        pause(0.0).await;
    }
}

/// Lets the work that was begun run up to its first wait, and no task of the platform: no lock is granted.
pub async fn microtasks() {
    for _ in 0..3 {
        let done = Promise::resolve(&JsValue::UNDEFINED);
        JsFuture::from(done).await.expect("a resolved promise");
    }
}

pub async fn pause(ms: f64) {
    let paused = Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, ms);
    });
    JsFuture::from(paused).await.expect("a promise that never rejects");
}
