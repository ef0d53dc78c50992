//! The key that a resource server checks JWTs with. Opaque tokens have none: an empty set.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::app::App;

pub async fn jwks(State(app): State<Arc<App>>) -> Response {
    let keys = app.tokens.signer().map_or_else(|| json!({ "keys": [] }), |signer| signer.jwks());
    // Public, and the same for years: the one answer here that may be kept a while.
    ([(CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response()
}
