//! The life of a session: login opens a family of refresh tokens, refresh rotates them, logout ends the
//! family.

mod guess;
pub mod jwks;
pub mod login;
pub mod logout;
pub mod metadata;
mod opening;
pub mod password;
pub mod refresh;
pub mod second_factor;
pub mod session;
pub mod sessions;
pub mod successor;

use axum::response::Response;
use serde_json::{Value, json};

use session::{Lives, Session};

use crate::{
    answer,
    app::App,
    cookie,
    secret::Secret,
    store::{self, Key},
};

/// An answer with an access token in its body and a refresh token in its cookie.
fn token_answer(
    session: &Session,
    lives: Lives,
    access: &Secret,
    refresh: &Secret,
    user: Option<Value>,
) -> Response {
    let mut body = json!({
        "access_token": access.expose(),
        "token_type": session.scheme().name(),
        "expires_in": lives.access.as_secs(),
    });
    if let Some(user) = user {
        body["user"] = user;
    }
    let mut response = answer::ok(body);
    cookie::set(response.headers_mut(), refresh, lives.cookie);
    response
}

/// Ends a family, and with it every access token issued in it.
pub async fn end_family(app: &App, user: &str, id: &str) -> store::Result<()> {
    if app.store.end_family(user, id).await? {
        app.counters.revoked_families.add();
    }
    Ok(())
}

/// Ends the family of a refresh token, if there is one.
pub async fn end_family_of(app: &App, refresh: &Secret) -> store::Result<()> {
    match app.store.family(&Key::of(refresh.expose())).await? {
        Some(family) => end_family(app, &family.user, &family.id).await,
        None => Ok(()),
    }
}
