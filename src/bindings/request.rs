//! A request that the face has read.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Request};

use crate::browser::{Outgoing, Texts};

#[wasm_bindgen]
extern "C" {
    /// The face's `Call`.
    #[wasm_bindgen(typescript_type = "Call")]
    pub type Call;

    #[wasm_bindgen(method, getter)]
    fn url(this: &Call) -> String;

    #[wasm_bindgen(method, getter)]
    fn method(this: &Call) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    fn exempt(this: &Call) -> bool;

    #[wasm_bindgen(method, getter)]
    fn repeatable(this: &Call) -> bool;

    #[wasm_bindgen(method, getter)]
    fn bodiless(this: &Call) -> bool;

    #[wasm_bindgen(method, getter)]
    fn signal(this: &Call) -> Option<AbortSignal>;

    #[wasm_bindgen(method, variadic)]
    fn send(this: &Call, headers: &Texts) -> Promise;

    #[wasm_bindgen(method, variadic)]
    fn request(this: &Call, headers: &Texts) -> Option<Request>;
}

impl Outgoing for Call {
    fn url(&self) -> String {
        Call::url(self)
    }

    fn is_exempt(&self) -> bool {
        self.exempt()
    }

    fn is_repeatable(&self) -> bool {
        self.repeatable()
    }

    fn has_body(&self) -> bool {
        !self.bodiless()
    }

    fn signal(&self) -> Option<AbortSignal> {
        Call::signal(self)
    }

    fn method(&self) -> String {
        Call::method(self).unwrap_or_else(|| "GET".to_owned())
    }

    fn send(&self, fields: &Texts) -> Promise {
        Call::send(self, fields)
    }

    fn request(&self, fields: &Texts) -> Option<Request> {
        Call::request(self, fields)
    }
}
