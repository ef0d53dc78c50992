//! The form of every answer that is not a file: JSON, which must never be stored.

use axum::{
    Json,
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use crate::{log::Log, store::StoreError};

/// RFC 6749 section 5.1: an answer with a token must not be stored. All answers are marked this way: a cached
/// `/api/me` of the previous user is as wrong as a cached token.
pub fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub fn ok(body: impl Serialize) -> Response {
    no_store(Json(body).into_response())
}

pub fn error(status: StatusCode, code: &str, message: &str) -> Response {
    no_store((status, Json(json!({ "error": code, "message": message }))).into_response())
}

pub fn bad_request(message: &str) -> Response {
    error(StatusCode::BAD_REQUEST, "invalid_request", message)
}

pub fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "not_found", "There is nothing here.")
}

pub fn method_not_allowed() -> Response {
    error(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not take this method.",
    )
}

pub fn no_content() -> Response {
    no_store(StatusCode::NO_CONTENT.into_response())
}

/// An answer with which a handler returns early.
#[derive(Debug)]
pub struct Failure(Box<Response>);

impl From<Response> for Failure {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

/// The store is down: 503, never 401. An outage says nothing about a session and must not end one. Only the
/// log says what exactly is wrong (`log_failures`).
impl From<StoreError> for Failure {
    fn from(what: StoreError) -> Self {
        let mut response = error(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "The server cannot reach its store. Try again.",
        );
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        response.extensions_mut().insert(what);
        response.into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        *self.0
    }
}

pub async fn log_failures(State(log): State<Log>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(error) = response.extensions().get::<StoreError>() {
        log.line(&format!("store: {error}"));
    }
    response
}
