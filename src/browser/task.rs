//! Tasks: what the shell does over several turns. A task waits for promises of JavaScript's and for nothing else, so
//! JavaScript runs it, one step for each promise (`task.js`). That needs no queue and no wakers, and is a turn faster.

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
    /// What the task that is running waits for from now on.
    static NEXT: Cell<Option<Promise>> = const { Cell::new(None) };
    /// What the promise has said that it has waited for.
    static SAID: Cell<Option<Result<JsValue, JsValue>>> = const { Cell::new(None) };
}

/// Runs a task, beginning in a turn of its own.
pub(crate) fn spawn(task: LocalBoxFuture<'static, ()>) {
    let mut task = Some(task);
    let step =
        Closure::<dyn FnMut(JsValue, bool) -> Option<Promise>>::new(move |said, is_rejected| {
            SAID.set(Some(if is_rejected { Err(said) } else { Ok(said) }));
            let context = &mut Context::from_waker(noop_waker_ref());
            if task.as_mut()?.poll_unpin(context).is_ready() {
                task = None;
            }
            // Who has lost interest has left it.
            SAID.set(None);
            NEXT.take()
        });
    run(step.into_js_value());
}

/// Runs a future of the shell's for an app in Rust, whatever that app's own futures are run by. It begins when it is
/// first polled; dropping it ends the task, which then sends nothing more.
pub(super) async fn handed<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
    let (task, outcome) = future.remote_handle();
    spawn(task.boxed_local());
    outcome.await
}

/// What a promise says, for the task that is running.
pub(super) async fn said(promise: Promise) -> Result<JsValue, JsValue> {
    NEXT.set(Some(promise));
    let mut is_asked = false;
    poll_fn(|_| {
        if !std::mem::replace(&mut is_asked, true) {
            return Poll::Pending;
        }
        SAID.take().map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
