//! POST /auth/refresh: the cookie's refresh token against a new access token and a new cookie.
//!
//! Each refresh token is good for one use (rotation, RFC 9700 section 4.14.2). A second use means that two
//! hold it, and nobody can tell which of them is the thief: the whole family ends, and with it every access
//! token issued in it.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{access_revision, deny_family, end_family, refresh_revision, token_answer};
use crate::{
    answer::{self, Failure},
    app::App,
    cookie, csrf, limit, random,
    serve::Peer,
    store::{Rotate, Rotation},
};

pub async fn refresh(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    csrf::proof(&headers, &app.config.origins)?;
    let Some(old) = cookie::read(&headers) else {
        // The ordinary state of a first visit, so it has a name of its own.
        return Err(answer::error(
            StatusCode::UNAUTHORIZED,
            "no_session",
            "There is no session: log in.",
        )
        .into());
    };
    let now = app.clock.now();
    let old = random::digest(old.expose());

    // By family, so that many users behind one address do not share a limit; guesses have no family.
    let known = app.store.family(&old, now).await?;
    let who = known.map_or_else(|| peer.ip().to_string(), |family| family.id);
    limit::check(&app, app.config.refresh_limit, "refresh", &who).await?;

    let refresh = random::token();
    let rotation = app
        .store
        .rotate(Rotate {
            old: &old,
            new: &random::digest(refresh.expose()),
            now,
            new_expires_at: now + app.config.refresh_ttl.as_millis() as u64,
            grace: app.config.reuse_grace.as_millis() as u64,
        })
        .await?;
    let family = match rotation {
        Rotation::Rotated(family) => family,
        Rotation::Reused { family, now_ended } => {
            app.counters.reuses.add();
            if now_ended {
                app.counters.revoked_families.add();
            }
            app.log.line("refresh: a used token came again, its family has ended");
            deny_family(&app, &family).await?;
            return Err(invalid_grant());
        }
        Rotation::Unknown => return Err(invalid_grant()),
    };

    // In this order: see `Tokens::issue`.
    let revision = access_revision(&app, &family.user, &family.client).await?;
    let revoked = refresh_revision(&app, &family.user, &family.client).await? != family.revision;
    // The account is read again, so that a change of roles or its removal takes effect now.
    let user = app.store.user(&family.user).await?;
    let Some(user) = user.filter(|_| !revoked) else {
        end_family(&app, &family.id).await?;
        return Err(invalid_grant());
    };

    let access = app.tokens.issue(&app, &family, user.roles, revision).await?;
    app.counters.refreshes.add();
    app.log.line(&format!("refresh: {}", user.name));
    Ok(token_answer(&app, &access, &refresh, None))
}

/// RFC 6749 section 5.2's code, with 401 since what failed is a cookie. The cookie is of no more use.
fn invalid_grant() -> Failure {
    let mut response =
        answer::error(StatusCode::UNAUTHORIZED, "invalid_grant", "The session has ended: log in.");
    cookie::clear(response.headers_mut());
    response.into()
}
