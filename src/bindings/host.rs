//! The part of the TypeScript face that the core needs: the error class, the state and the events.

use wasm_bindgen::prelude::*;

use super::claims;
use super::request::Call;
use crate::browser::{self, Detail, TokenError};
use crate::core::{Event, Reason, Snapshot};

#[wasm_bindgen]
extern "C" {
    /// The face's `Host`.
    #[wasm_bindgen(typescript_type = "Host")]
    #[derive(Clone)]
    pub type Host;

    #[wasm_bindgen(method)]
    fn error(
        this: &Host,
        code: &str,
        message: &str,
        retryable: bool,
        status: Option<u16>,
        cause: &JsValue,
    ) -> JsValue;

    /// A new snapshot.
    #[wasm_bindgen(method)]
    fn state(this: &Host, snapshot: &JsValue);

    /// An event to dispatch later.
    #[wasm_bindgen(method)]
    fn emit(this: &Host, kind: &str, detail: &JsValue, error: &JsValue);

    /// Dispatches the events.
    #[wasm_bindgen(method)]
    fn dispatch(this: &Host);
}

impl Host {
    /// Makes a JavaScript error.
    pub(super) fn throw(&self, error: &TokenError) -> JsValue {
        self.error(
            error.code().as_str(),
            error.message(),
            error.is_retryable(),
            error.status(),
            error.cause().unwrap_or(&JsValue::UNDEFINED),
        )
    }
}

impl browser::Host for Host {
    type Call = Call;

    fn changed(&self, snapshot: Snapshot) {
        self.state(&claims::state(&snapshot));
    }

    fn happened(&self, event: Event, Detail { answer, error }: Detail) {
        let none = &JsValue::UNDEFINED;
        let error = error.as_ref().map_or(JsValue::UNDEFINED, |error| self.throw(error));
        match event {
            Event::Refresh => {
                claims::freeze(&answer);
                self.emit("refresh", &answer, none);
            }
            Event::SignOut(reason) => {
                let reason = match reason {
                    Reason::Logout => "logout",
                    Reason::Rejected => "rejected",
                    Reason::Ended => "ended",
                    Reason::OtherTab => "other-tab",
                };
                self.emit("signout", &reason.into(), &error);
            }
            Event::StepUp(list) => self.emit("stepup", &claims::challenges(&list), none),
            Event::RefreshError(_) => self.emit("refresherror", none, &error),
        }
    }

    fn notify(&self) {
        self.dispatch();
    }
}
