//! The snapshot and the challenges for JavaScript, frozen.

use serde_wasm_bindgen::to_value;
use wasm_bindgen::prelude::*;

use crate::browser::Texts;
use crate::core::{Challenge, Snapshot, Status};

#[wasm_bindgen(module = "/src/bindings/claims.js")]
extern "C" {
    /// A snapshot, deeply frozen; the claims are a JSON text.
    #[wasm_bindgen(js_name = state)]
    fn frozen(
        status: &str,
        claims: Option<&str>,
        expires_at: &JsValue,
        session_expires_at: Option<f64>,
    ) -> JsValue;

    /// Freezes a value deeply.
    pub(super) fn freeze(value: &JsValue);

    /// A list of challenges, deeply frozen. Each begins with an empty text and its scheme.
    #[wasm_bindgen(js_name = challenges)]
    fn list(flat: &Texts) -> JsValue;
}

/// The snapshot.
pub(super) fn state(snapshot: &Snapshot) -> JsValue {
    let status = match snapshot.status {
        Status::Unknown => "unknown",
        Status::SignedIn => "signed-in",
        Status::SignedOut => "signed-out",
    };
    // A number cannot fail to serialise.
    let expires_at = to_value(&snapshot.expires_at.map(|ms| ms as f64)).unwrap_or_default();
    let session_expires_at = snapshot.session_expires_at.map(|ms| ms as f64);
    frozen(status, snapshot.claims.as_deref(), &expires_at, session_expires_at)
}

/// The challenges of a response.
pub(super) fn challenges(challenges: &[Challenge]) -> JsValue {
    let flat = Texts::new();
    for challenge in challenges {
        flat.push("");
        flat.push(&challenge.scheme);
        for (name, value) in &challenge.parameters {
            flat.push(name);
            flat.push(value);
        }
    }
    list(&flat)
}
