//! POST /oauth/revoke (RFC 7009): one token. POST /oauth/revoke-all: all tokens of a user or a client.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde_json::json;

use crate::{
    answer::{self, Failure},
    app::App,
    auth::end_family_of,
    body,
    config::account_name,
    observe::audit::{About, Event},
    store::Group,
    tokens::Refused,
};

/// An access token is revoked alone; a refresh token ends its family. An unknown token counts as a success:
/// it is already invalid (section 2.2).
pub async fn revoke(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let client = super::client(&app, request.headers())?;
    let fields = body::fields(request).await?;
    let token = fields.need("token")?;
    match app.tokens.check(&app, token.expose()).await {
        Ok(access) => app.store.deny(&access.sub, &access.jti, access.exp * 1000).await?,
        Err(Refused::Store(error)) => return Err(error.into()),
        Err(Refused::Invalid(_)) => {
            end_family_of(&app, token).await?;
        }
    }
    app.log.line("revoke: a token");
    app.tell(Event::Revoke, About { client: Some(&client), ..About::default() });
    Ok(answer::ok(json!({})))
}

/// The field `user` or `client_id` names the owner.
pub async fn revoke_all(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    let client = super::client(&app, request.headers())?;
    let fields = body::fields(request).await?;
    let user = fields.get("user").map(|user| account_name(user.expose()));
    let group = match (&user, fields.get("client_id")) {
        (Some(user), None) => Group::User(user),
        (None, Some(client)) => Group::Client(client.expose()),
        _ => {
            return Err(
                answer::bad_request("Give one of the fields `user` and `client_id`.").into()
            );
        }
    };
    app.store.revoke(group, true).await?;
    app.log.line("revoke: all of a user or a client");
    app.tell(Event::Revoke, About { client: Some(&client), ..About::default() });
    Ok(answer::no_content())
}
