//! POST /auth/login: exchanges name and password for an access token, and a refresh token in a cookie.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::Response,
};

use super::{
    guess::Guess,
    opening::Opening,
    second_factor,
    session::{PASSWORD, Session},
};
use crate::{
    answer::{self, Failure},
    app::App,
    body,
    config::account_name,
    csrf,
    dpop::{self, Brought},
    observe::audit::{About, Event},
    secret::Secret,
    serve::Peer,
    store::Account,
};

/// The client if the login names none. The name is for revocation by client and proves nothing: a page can
/// keep no secret (a public client, RFC 6749 section 2.1).
const CLIENT: &str = "web";

pub async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    brought: Brought,
    request: Request,
) -> Result<Response, Failure> {
    csrf::not_foreign(request.headers(), &app.config.origins)?;
    let headers = request.headers().clone();
    let from = app.client(peer, &headers);
    let fields = body::fields(request).await?;
    let (name, password) = (fields.need("username")?, fields.need("password")?);
    let name = account_name(name.expose());
    let client = fields.get("client_id").map_or(CLIENT, Secret::expose);
    if !is_client_name(client) {
        return Err(answer::bad_request("The field `client_id` is no client's name.").into());
    }

    // Checked before the password: a wrong proof is not a guess.
    let proof = brought.for_login(&app)?;
    let guess = Guess::allow(&app, from.clone(), &name).await?;
    let user = match app.account(&name).await? {
        Account::Known(user) => Some(user),
        Account::Unknown | Account::Forgotten => None,
    };
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = guess.check(&app, hash, password.clone()).await?;
    let known = user.as_ref().map(|user| user.name.clone());
    let Some(user) = user.filter(|_| right) else {
        app.log.line("login: refused");
        let about = About { user: known.as_deref(), from: Some(&from), ..About::default() };
        app.tell(Event::LoginRefused, about);
        return Err(invalid_credentials());
    };
    let remember = fields.get("remember").map(|remember| remember.expose() == "true");
    if !user.second_factor.is_empty() {
        return Ok(second_factor::asked(&app, user.name, client.to_owned(), remember));
    }

    let session = Session::new(app.clock.now(), PASSWORD, remember, &headers);
    let session = session.bound_to(dpop::key(&app, proof).await?);
    let opening = Opening { user: &user.name, client, session, from: &from, event: Event::Login };
    // The account was removed while its password was checked.
    opening.log_in(&app, &headers).await?.ok_or_else(invalid_credentials)
}

/// The same answer for a wrong name and a wrong password, so that it does not reveal which names exist.
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
