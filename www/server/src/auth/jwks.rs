//! The keys that a resource server checks JWTs with. Opaque tokens have none: an empty set.

use std::sync::Arc;

use crate::app::App;
use axum::{
    Json,
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};

pub async fn jwks(State(app): State<Arc<App>>) -> Response {
    // A new key is here long before it signs (`tokens/keys.rs`), so this may be kept for a while.
    ([(CACHE_CONTROL, "public, max-age=300")], Json(app.tokens.jwks())).into_response()
}
