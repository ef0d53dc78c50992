//! Tasks: work of the shell that takes several turns. A task waits only for JavaScript promises, so JavaScript runs it,
//! one step for each promise (`task.js`). This needs neither a queue nor wakers.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use futures::task::noop_waker_ref;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/task.js")]
extern "C" {
    fn run(step: JsValue);
}

thread_local! {
    /// The promise that the running task waits for next.
    static NEXT: Cell<Option<Promise>> = const { Cell::new(None) };
    /// The result of the promise that the running task waited for.
    static RESULT: Cell<Option<Result<JsValue, JsValue>>> = const { Cell::new(None) };
}

/// Runs a task, which starts in a later turn.
pub(crate) fn spawn(task: LocalBoxFuture<'static, ()>) {
    let mut task = Some(task);
    let step =
        Closure::<dyn FnMut(JsValue, bool) -> Option<Promise>>::new(move |value, is_rejected| {
            RESULT.set(Some(if is_rejected { Err(value) } else { Ok(value) }));
            let context = &mut Context::from_waker(noop_waker_ref());
            if task.as_mut()?.poll_unpin(context).is_ready() {
                task = None;
            }
            // A dropped task has not taken its result.
            RESULT.set(None);
            NEXT.take()
        });
    run(step.into_js_value());
}

/// Runs a future of the shell for an app in Rust, in any async runtime. The future begins when it is first polled.
/// Dropping it ends the task, which then sends nothing more.
pub(super) async fn handed<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    let (task, outcome) = future.remote_handle();
    spawn(task.boxed_local());
    outcome.await
}

/// Waits for the result of a promise. Only for the running task.
pub(super) async fn result_of(promise: Promise) -> Result<JsValue, JsValue> {
    NEXT.set(Some(promise));
    let mut is_asked = false;
    poll_fn(|_| {
        if !std::mem::replace(&mut is_asked, true) {
            return Poll::Pending;
        }
        RESULT.take().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
