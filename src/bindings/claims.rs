//! What JavaScript reads: the snapshot and the challenges, frozen.

use js_sys::JsString;
use serde::ser::{SerializeMap as _, Serializer as _};
use serde_wasm_bindgen::{Error, Serializer, preserve};
use wasm_bindgen::prelude::*;

use crate::core::{Challenge, Snapshot, Status};

#[wasm_bindgen(module = "/src/bindings/claims.js")]
extern "C" {
    /// The value of a JSON text, or `null`.
    fn parse(text: Option<&str>) -> JsValue;

    /// Freezes a value and all that it holds.
    pub(super) fn freeze(value: &JsValue);

    /// A list of challenges, deeply frozen. Each begins with its scheme, behind an empty text.
    #[wasm_bindgen(js_name = challenges)]
    fn list(flat: Vec<JsString>) -> JsValue;
}

/// The snapshot.
pub(super) fn state(snapshot: &Snapshot) -> JsValue {
    // A string, a number and a value that is one already cannot fail to serialise.
    let state = serialize(snapshot).unwrap_or(JsValue::NULL);
    freeze(&state);
    state
}

/// As a map, member by member: a struct's names would be kept for later in a hash table.
fn serialize(snapshot: &Snapshot) -> Result<JsValue, Error> {
    let serializer =
        Serializer::new().serialize_maps_as_objects(true).serialize_missing_as_null(true);
    let mut map = serializer.serialize_map(None)?;
    let status = match snapshot.status {
        Status::Unknown => "unknown",
        Status::SignedIn => "signed-in",
        Status::SignedOut => "signed-out",
    };
    map.serialize_entry("status", status)?;
    map.serialize_entry("claims", &Claims(parse(snapshot.claims.as_deref())))?;
    map.serialize_entry("expiresAt", &snapshot.expires_at.map(|ms| ms as f64))?;
    map.end()
}

/// What the platform's parser has made of the claims already.
struct Claims(JsValue);

impl serde::Serialize for Claims {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        preserve::serialize(&self.0, serializer)
    }
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
