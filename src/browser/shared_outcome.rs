//! The outcome of an auth call, for all who wait for it: a promise (ECMA-262, 27.2) of Rust's own. It is
//! settled once.

use std::cell::OnceCell;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, FutureExt as _, Shared, select};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::platform::Alarm;

/// The side of those who wait. The channel says that the outcome is there; that it carries nothing
/// keeps what the compiler makes of it to one copy for all types.
#[derive(Clone)]
pub(crate) struct SharedOutcome<T> {
    outcome: Rc<OnceCell<T>>,
    there: Shared<oneshot::Receiver<()>>,
}

/// The side of the one who settles it.
pub(super) struct Settler<T> {
    outcome: Rc<OnceCell<T>>,
    tell: oneshot::Sender<()>,
}

pub(super) fn shared_outcome<T>() -> (Settler<T>, SharedOutcome<T>) {
    let (tell, there) = oneshot::channel();
    let outcome = Rc::default();
    (
        Settler { outcome: Rc::clone(&outcome), tell },
        SharedOutcome { outcome, there: there.shared() },
    )
}

impl<T> Settler<T> {
    pub(super) fn settle(self, outcome: T) {
        // Nobody may be waiting any longer, and a settler settles once.
        let _ = self.outcome.set(outcome);
        let _ = self.tell.send(());
    }
}

impl<T: Clone> SharedOutcome<T> {
    /// Waits for the outcome, or until the settler is gone.
    pub(super) async fn get(self) -> Option<T> {
        let _ = self.there.await;
        self.outcome.get().cloned()
    }

    /// Waits for the outcome, but no longer than until the alarm rings.
    ///
    /// # Errors
    /// What the alarm rang with.
    pub(super) async fn get_before(self, alarm: Alarm) -> Result<Option<T>, JsValue> {
        let rung = select(self.there, JsFuture::from(alarm.rings())).await;
        alarm.stop();
        match rung {
            Either::Left(_) => Ok(self.outcome.get().cloned()),
            // An alarm's promise does not reject.
            Either::Right((reason, _)) => Err(reason.unwrap_or_else(|error| error)),
        }
    }
}
