//! POST /auth/login: name and password against an access token, and a refresh token in a cookie.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::Response,
};
use serde_json::json;

use super::{access_revision, refresh_revision, token_answer};
use crate::{
    answer::{self, Failure},
    app::App,
    body, csrf, limit, random,
    secret::Secret,
    serve::Peer,
    store::Family,
};

/// The client when the login names none. A name for revocation by client, no proof of anything: a page
/// can keep no secret (a public client, RFC 6749 section 2.1).
const CLIENT: &str = "web";

pub async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Result<Response, Failure> {
    csrf::not_foreign(request.headers(), &app.config.origins)?;
    let fields = body::fields(request).await?;
    let (name, password) = (fields.need("username")?, fields.need("password")?);
    let client = fields.get("client_id").map_or(CLIENT, Secret::expose);
    if !is_client_name(client) {
        return Err(answer::bad_request("The field `client_id` is no client's name.").into());
    }

    // Address and user together: one address cannot try many passwords for a user, and nobody can lock
    // a user out from elsewhere.
    let who = format!("{} {}", peer.ip(), name.expose());
    limit::check(&app, app.config.login_limit, "login", &who).await?;

    let user = app.store.user(name.expose()).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = app.passwords.right(hash, password.clone()).await;
    let Some(user) = user.filter(|_| right) else {
        app.log.line("login: refused");
        // One answer for both, so that it does not tell which names exist.
        return Err(answer::error(
            StatusCode::UNAUTHORIZED,
            "invalid_credentials",
            "The user name or the password is wrong.",
        )
        .into());
    };

    // In this order: see `Tokens::issue`.
    let access_revision = access_revision(&app, &user.name, client).await?;
    let family = Family {
        id: random::id(),
        user: user.name.clone(),
        client: client.to_owned(),
        revision: refresh_revision(&app, &user.name, client).await?,
    };
    let refresh = random::token();
    let now = app.clock.now();
    let expires_at = now + app.config.refresh_ttl.as_millis() as u64;
    app.store.open_family(&family, &random::digest(refresh.expose()), now, expires_at).await?;
    let access = app.tokens.issue(&app, &family, user.roles.clone(), access_revision).await?;

    app.counters.logins.add();
    app.log.line(&format!("login: {}", user.name));
    let shown = json!({ "name": user.name, "roles": user.roles });
    Ok(token_answer(&app, &access, &refresh, Some(shown)))
}

fn is_client_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}
