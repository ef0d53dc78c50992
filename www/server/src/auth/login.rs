//! POST /auth/login: name and password against an access token, and a refresh token in a cookie.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::Response,
};
use serde_json::json;

use super::{end_family_of, guess::Guess, token_answer};
use crate::{
    answer::{self, Failure},
    app::App,
    body,
    config::account_name,
    cookie, csrf, random,
    secret::Secret,
    serve::Peer,
    store::{Account, Family, Key, NewFamily, place},
    tokens::Draft,
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
    let before = cookie::read(request.headers());
    let from = app.client(peer, request.headers());
    let fields = body::fields(request).await?;
    let (name, password) = (fields.need("username")?, fields.need("password")?);
    let name = account_name(name.expose());
    let client = fields.get("client_id").map_or(CLIENT, Secret::expose);
    if !is_client_name(client) {
        return Err(answer::bad_request("The field `client_id` is no client's name.").into());
    }

    let guess = Guess::allow(&app, from, &name).await?;
    let user = match app.account(&name).await? {
        Account::Known(user) => Some(user),
        Account::Unknown | Account::Forgotten => None,
    };
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = guess.check(&app, hash, password.clone()).await?;
    let Some(user) = user.filter(|_| right) else {
        app.log.line("login: refused");
        return Err(invalid_credentials());
    };

    // The browser is about to lose this session's cookie: whoever else has it must not keep it.
    if let Some(before) = before {
        end_family_of(&app, &before).await?;
    }
    let family = Family { id: random::id(), user: user.name.clone(), client: client.to_owned() };
    let refresh = place::token(&user.name);
    let draft = Draft::new(&app, &user.name);
    let opened = app
        .store
        .open_family(NewFamily {
            family: &family,
            refresh: &Key::of(refresh.expose()),
            refresh_ttl: app.config.refresh_ttl.as_millis() as u64,
            access: draft.access(),
        })
        .await?;
    // The account went away while its password was checked.
    let grant = opened.ok_or_else(invalid_credentials)?;
    let access = draft.issue(&app, &grant);

    app.counters.logins.add();
    app.log.line(&format!("login: {}", user.name));
    let shown = json!({ "name": user.name, "roles": grant.roles });
    Ok(token_answer(&app, &access, &refresh, Some(shown)))
}

/// One answer for a wrong name and a wrong password, so that it does not tell which names exist.
fn invalid_credentials() -> Failure {
    answer::error(
        StatusCode::UNAUTHORIZED,
        "invalid_credentials",
        "The user name or the password is wrong.",
    )
    .into()
}

fn is_client_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}
