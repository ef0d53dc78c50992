//! What JavaScript reads: the snapshot and the challenges, frozen.

use js_sys::JsString;
use wasm_bindgen::prelude::*;

use crate::core::{Challenge, Snapshot, Status};

#[wasm_bindgen(module = "/src/bindings/claims.js")]
extern "C" {
    /// A snapshot, deeply frozen.
    #[wasm_bindgen(js_name = state)]
    fn snapshot(status: &str, claims: Option<&str>, expires_at: Option<f64>) -> JsValue;

    /// A list of challenges, deeply frozen. Each begins with its scheme, behind an empty text.
    #[wasm_bindgen(js_name = challenges)]
    fn list(flat: Vec<JsString>) -> JsValue;
}

/// The snapshot.
pub(super) fn state(state: &Snapshot) -> JsValue {
    let status = match state.status {
        Status::Unknown => "unknown",
        Status::SignedIn => "signed-in",
        Status::SignedOut => "signed-out",
    };
    snapshot(status, state.claims.as_deref(), state.expires_at.map(|ms| ms as f64))
}

/// The challenges of an answer.
pub(super) fn challenges(challenges: &[Challenge]) -> JsValue {
    let mut flat = Vec::new();
    for challenge in challenges {
        flat.push(JsString::from(""));
        flat.push(JsString::from(challenge.scheme.as_str()));
        for (name, value) in &challenge.parameters {
            flat.push(JsString::from(name.as_str()));
            flat.push(JsString::from(value.as_str()));
        }
    }
    list(flat)
}
