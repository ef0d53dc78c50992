//! The session's life: login opens a family of refresh tokens, refresh rotates, logout ends it.

pub mod jwks;
pub mod login;
pub mod logout;
pub mod refresh;

use axum::response::Response;
use serde_json::{Value, json};

use crate::{answer, app::App, cookie, secret::Secret, store, tokens::marks};

async fn access_revision(app: &App, user: &str, client: &str) -> store::Result<u64> {
    app.store.sum(&marks("access", user, client)).await
}

async fn refresh_revision(app: &App, user: &str, client: &str) -> store::Result<u64> {
    app.store.sum(&marks("refresh", user, client)).await
}

/// The answer with an access token in its body and a refresh token in its cookie.
fn token_answer(app: &App, access: &Secret, refresh: &Secret, user: Option<Value>) -> Response {
    let mut body = json!({
        "access_token": access.expose(),
        "token_type": "Bearer",
        "expires_in": app.config.access_ttl.as_secs(),
    });
    if let Some(user) = user {
        body["user"] = user;
    }
    let mut response = answer::ok(body);
    let max_age = app.config.refresh_ttl.as_secs();
    cookie::set(response.headers_mut(), refresh, max_age);
    response
}

/// Ends a family, and with it every access token that was issued in it.
pub async fn end_family(app: &App, id: &str) -> store::Result<()> {
    if app.store.end_family(id).await? {
        app.counters.revoked_families.add();
    }
    deny_family(app, id).await
}

async fn deny_family(app: &App, id: &str) -> store::Result<()> {
    let now = app.clock.now();
    // One second more: an access token's end is rounded up to a whole second.
    let until = now + app.config.access_ttl.as_millis() as u64 + 1000;
    app.store.deny(id, now, until).await
}
