//! The part of the TypeScript face that the core needs: the error class and the listeners.

use wasm_bindgen::prelude::*;

use crate::browser::TokenError;

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
    pub(super) fn state(this: &Host, snapshot: &JsValue);

    /// Something happened.
    #[wasm_bindgen(method)]
    pub(super) fn emit(this: &Host, kind: &str, detail: &JsValue, error: &JsValue);
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
