//! The snapshot, as JavaScript has it: frozen, claims and all.

use js_sys::{JSON, Object};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use crate::core::{Snapshot, Status};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    status: &'static str,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    claims: JsValue,
    expires_at: Option<f64>,
}

/// The snapshot, deeply frozen.
pub(super) fn state(snapshot: &Snapshot) -> JsValue {
    let claims = snapshot.claims.as_deref().and_then(|text| JSON::parse(text).ok());
    let state = State {
        status: match snapshot.status {
            Status::Unknown => "unknown",
            Status::SignedIn => "signed-in",
            Status::SignedOut => "signed-out",
        },
        claims: claims.unwrap_or(JsValue::NULL),
        expires_at: snapshot.expires_at.map(|ms| ms as f64),
    };
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
    // A struct of a string, a number and a value that is one already cannot fail to serialise.
    let value = state.serialize(&serializer).unwrap_or(JsValue::NULL);
    freeze(&value);
    value
}

/// Freezes a value and all that it holds. By a list and not by recursion: a hostile payload is as
/// deep as it is long.
fn freeze(value: &JsValue) {
    let mut list = vec![value.clone()];
    while let Some(value) = list.pop() {
        if let Some(object) = value.dyn_ref::<Object>() {
            list.extend(Object::values(object).iter().filter(JsValue::is_object));
            Object::freeze(object);
        }
    }
}
