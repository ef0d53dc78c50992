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

/// 204 whatever there was to end: a logout that is repeated, or comes late, has nothing to complain of.
pub async fn logout(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    csrf::proof(&headers, &app.config.origins)?;
    let from = app.client(peer, &headers);
    let mut user = None;

    // A proof is not asked for: who has lost the key of his session must be able to end it.
    if let Some((_, token)) = api::presented(&headers) {
        match app.tokens.check(&app, token).await {
            Ok(access) => {
                end_family(&app, &access.sub, &access.sid).await?;
                user = Some((access.sub, access.sid));
            }
            // Dead already.
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
