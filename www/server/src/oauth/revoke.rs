//! POST /oauth/revoke (RFC 7009): one token. POST /oauth/revoke-all: a user's or a client's, all of them.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde_json::json;

use crate::{
    answer::{self, Failure},
    app::App,
    auth::end_family,
    body, random, store,
    tokens::Refused,
};

/// An access token dies alone; a refresh token takes its family along. A token that is not known is a
/// success too: it is as dead as was asked for (section 2.2).
pub async fn revoke(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    super::client(&app, request.headers())?;
    let fields = body::fields(request).await?;
    let token = fields.need("token")?.expose();
    let now = app.clock.now();
    match app.tokens.check(&app, token).await {
        Ok(access) => app.store.deny(&access.jti, now, access.exp * 1000).await?,
        Err(Refused::Store(error)) => return Err(error.into()),
        Err(Refused::Invalid(_)) => {
            if let Some(family) = app.store.family(&random::digest(token), now).await? {
                end_family(&app, &family.id).await?;
            }
        }
    }
    app.log.line("revoke: a token");
    Ok(answer::ok(json!({})))
}

/// The field `user` or `client_id` says whose.
pub async fn revoke_all(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    super::client(&app, request.headers())?;
    let fields = body::fields(request).await?;
    let group = match (fields.get("user"), fields.get("client_id")) {
        (Some(user), None) => format!("user:{}", user.expose()),
        (None, Some(client)) => format!("client:{}", client.expose()),
        _ => {
            return Err(
                answer::bad_request("Give one of the fields `user` and `client_id`.").into()
            );
        }
    };
    end_group(&app, &group).await?;
    app.log.line("revoke: all of a user or a client");
    Ok(answer::no_content())
}

/// Refresh first, then access: see `Tokens::issue`.
async fn end_group(app: &App, group: &str) -> store::Result<()> {
    app.store.bump(&format!("refresh:{group}")).await?;
    app.store.bump(&format!("access:{group}")).await
}
