//! A value that is not there yet, for all who wait for it.

use std::cell::OnceCell;
use std::rc::Rc;

use futures::channel::oneshot;
use futures::future::{Either, FutureExt as _, Shared, select};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::platform::Alarm;

/// The value, as those have it who wait. The channel says that it is there; that it carries nothing
/// keeps what the compiler makes of it to one copy for all values.
#[derive(Clone)]
pub(crate) struct Later<T> {
    value: Rc<OnceCell<T>>,
    there: Shared<oneshot::Receiver<()>>,
}

/// The value, as the one has it who gives it.
pub(super) struct Giver<T> {
    value: Rc<OnceCell<T>>,
    tell: oneshot::Sender<()>,
}

pub(super) fn later<T>() -> (Giver<T>, Later<T>) {
    let (tell, there) = oneshot::channel();
    let value = Rc::default();
    (Giver { value: Rc::clone(&value), tell }, Later { value, there: there.shared() })
}

impl<T> Giver<T> {
    pub(super) fn give(self, value: T) {
        // Nobody may be waiting any longer, and a giver gives once.
        let _ = self.value.set(value);
        let _ = self.tell.send(());
    }
}

impl<T: Clone> Later<T> {
    /// Waits for the value, or until the giver is gone.
    pub(super) async fn get(self) -> Option<T> {
        let _ = self.there.await;
        self.value.get().cloned()
    }

    /// Waits for the value, but no longer than until the alarm rings.
    ///
    /// # Errors
    /// What the alarm rang with.
    pub(super) async fn get_before(self, alarm: Alarm) -> Result<Option<T>, JsValue> {
        let rung = select(self.there, JsFuture::from(alarm.rings())).await;
        alarm.stop();
        match rung {
            Either::Left(_) => Ok(self.value.get().cloned()),
            // An alarm's promise does not reject.
            Either::Right((reason, _)) => Err(reason.unwrap_or_else(|error| error)),
        }
    }
}
