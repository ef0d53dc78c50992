//! POST /auth/logout: ends the session that the cookie and the access token belong to, at once.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};

use super::{end_family, end_family_of};
use crate::{
    answer::{self, Failure},
    api,
    app::App,
    cookie, csrf,
    tokens::Refused,
};

/// 204 whatever there was to end: a logout that is repeated, or comes late, has nothing to complain of.
pub async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    csrf::proof(&headers, &app.config.origins)?;

    if let Some(token) = api::bearer(&headers) {
        match app.tokens.check(&app, token).await {
            Ok(access) => {
                end_family(&app, &access.sub, &access.sid).await?;
            }
            // Dead already.
            Err(Refused::Invalid(_)) => {}
            Err(Refused::Store(error)) => return Err(error.into()),
        }
    }
    if let Some(token) = cookie::read(&headers) {
        end_family_of(&app, &token).await?;
    }

    app.counters.logouts.add();
    app.log.line("logout");
    let mut response = answer::no_content();
    cookie::clear(response.headers_mut());
    Ok(response)
}
