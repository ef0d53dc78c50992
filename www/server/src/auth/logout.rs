//! POST /auth/logout: ends the session that the cookie and the access token belong to, at once.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, State},
    http::HeaderMap,
    response::Response,
};

use super::end_family;
use crate::{
    answer::{self, Failure},
    api,
    app::App,
    cookie, csrf,
    observe::audit::{About, Event},
    serve::Peer,
    store::Key,
    tokens::Refused,
};

/// 204 in every case: a repeated or late logout is not an error.
pub async fn logout(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    csrf::proof(&headers, &app.config.origins)?;
    let from = app.client(peer, &headers);
    let mut user = None;

    // No proof is required: a user who has lost the session's key must be able to end the session.
    if let Some((_, token)) = api::presented(&headers) {
        match app.tokens.check(&app, token).await {
            Ok(access) => {
                end_family(&app, &access.sub, &access.sid).await?;
                user = Some((access.sub, access.sid));
            }
            // The token is already dead.
            Err(Refused::Invalid(_)) => {}
            Err(Refused::Store(error)) => return Err(error.into()),
        }
    }
    if let Some(token) = cookie::read(&headers) {
        let key = Key::of(token.expose());
        if let Some(family) = app.store.family(&key).await? {
            end_family(&app, &family.user, &family.id).await?;
            user = Some((family.user, family.id));
        }
    }

    app.counters.logouts.add();
    app.log.line("logout");
    let (user, session) = user.unzip();
    let (user, session) = (user.as_deref(), session.as_deref());
    app.tell(Event::Logout, About { user, session, from: Some(&from), client: None });
    let mut response = answer::no_content();
    cookie::clear(response.headers_mut());
    Ok(response)
}
