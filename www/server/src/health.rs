//! Two questions that whoever runs the server asks, and must not mix up.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde_json::json;

use crate::{
    answer::{self, Failure},
    app::App,
};

/// GET /healthz: the process is up. To be started anew if not. Says nothing of the store: starting this
/// process anew would not mend it.
pub async fn live() -> Response {
    answer::ok(json!({ "status": "ok" }))
}

/// GET /readyz: the store answers and takes writes, so requests can be sent here. 503 if not.
pub async fn ready(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    app.store.ready().await?;
    Ok(answer::ok(json!({ "status": "ready" })))
}
