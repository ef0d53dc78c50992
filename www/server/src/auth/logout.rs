//! POST /auth/logout: ends the session that the cookie and the access token belong to, at once.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use super::end_family;
use crate::{
    answer::{self, Failure},
    api,
    app::App,
    cookie, csrf, random,
    tokens::Refused,
};

/// 204 whatever there was to end: a logout that is repeated, or comes late, has nothing to complain of.
pub async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    csrf::proof(&headers, &app.config.origins)?;
    let now = app.clock.now();

    if let Some(token) = api::bearer(&headers) {
        match app.tokens.check(&app, token).await {
            Ok(access) => {
                app.store.deny(&access.jti, now, access.exp * 1000).await?;
                end_family(&app, &access.sid).await?;
            }
            // Dead already.
            Err(Refused::Invalid(_)) => {}
            Err(Refused::Store(error)) => return Err(error.into()),
        }
    }
    if let Some(token) = cookie::read(&headers) {
        let digest = random::digest(token.expose());
        if let Some(family) = app.store.family(&digest, now).await? {
            end_family(&app, &family.id).await?;
        }
    }

    app.counters.logouts.add();
    app.log.line("logout");
    let mut response = answer::no_content();
    cookie::clear(response.headers_mut());
    Ok(response)
}
