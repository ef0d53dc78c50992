//! The keys with which a resource server checks JWTs. Opaque tokens need none: the set is empty.

use std::sync::Arc;

use crate::app::App;
use axum::{
    Json,
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
};

pub async fn jwks(State(app): State<Arc<App>>) -> Response {
    // A new key is published long before it signs (`tokens/keys.rs`), so this may be cached for a while.
    ([(CACHE_CONTROL, "public, max-age=300")], Json(app.tokens.jwks())).into_response()
}
