//! Two health checks for operators, which must not be confused.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde_json::json;

use crate::{
    answer::{self, Failure},
    app::App,
};

/// GET /healthz: the process is up. Restart it if not. It says nothing about the store: restarting this
/// process would not repair that.
pub async fn live() -> Response {
    answer::ok(json!({ "status": "ok" }))
}

/// GET /readyz: the store answers and accepts writes, so requests can be sent here. 503 if not.
pub async fn ready(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    app.store.ready().await?;
    Ok(answer::ok(json!({ "status": "ready" })))
}
