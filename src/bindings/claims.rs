//! The snapshot, as JavaScript has it: frozen, claims and all.

use serde::ser::{SerializeMap as _, Serializer as _};
use serde_wasm_bindgen::{Error, Serializer, preserve};
use wasm_bindgen::prelude::*;

use crate::core::{Snapshot, Status};

#[wasm_bindgen(module = "/src/bindings/claims.js")]
extern "C" {
    /// The value of a JSON text, or `null`.
    fn parse(text: Option<&str>) -> JsValue;

    /// Freezes a value and all that it holds.
    fn freeze(value: &JsValue);
}

/// The snapshot, deeply frozen.
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
