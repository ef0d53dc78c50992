//! Tasks: work of the shell that takes several turns. A task waits only for JavaScript promises, so JavaScript runs it,
//! one step for each promise (`task.js`). This needs neither a queue nor wakers.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use futures::task::noop_waker_ref;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/task.js")]
extern "C" {
    fn run(step: JsValue);

    fn wait(promise: &Promise);

    #[wasm_bindgen(catch)]
    fn awaited() -> Result<JsValue, JsValue>;
}

/// Runs a task. It starts at once, in the turn of the call.
pub(crate) fn spawn(task: LocalBoxFuture<'static, ()>) {
    let mut task = Some(task);
    let step = Closure::<dyn FnMut()>::new(move || {
        let context = &mut Context::from_waker(noop_waker_ref());
        if task.as_mut().is_some_and(|task| task.poll_unpin(context).is_ready()) {
            task = None;
        }
    });
    run(step.into_js_value());
}

/// Runs a future of the shell for an app in Rust, in any async runtime. It starts at once. Dropping what is returned
/// ends the task, which then sends nothing more.
pub(super) fn handed<T: 'static>(
    future: impl Future<Output = T> + 'static,
) -> impl Future<Output = T> + 'static {
    let (task, outcome) = future.remote_handle();
    spawn(task.boxed_local());
    outcome
}

/// Waits for a later turn. Only for the running task.
pub(super) fn next_turn() -> Waiting {
    result_of(Promise::resolve(&JsValue::UNDEFINED))
}

/// Waits for the result of a promise. Only for the running task, which must await it at once.
pub(super) fn result_of(promise: Promise) -> Waiting {
    wait(&promise);
    Waiting { is_over: false }
}

/// The wait of the running task, which is resumed when the promise has settled.
#[must_use]
pub(super) struct Waiting {
    is_over: bool,
}

impl Future for Waiting {
    type Output = Result<JsValue, JsValue>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        match std::mem::replace(&mut self.is_over, true) {
            false => Poll::Pending,
            true => Poll::Ready(awaited()),
        }
    }
}
