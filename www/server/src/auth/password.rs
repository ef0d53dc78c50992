//! POST /auth/password, with an access token: `current` and `new`. A new password ends all existing sessions
//! and tokens, and opens a session for the user who changed it: everyone who knew the old password is signed
//! out.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::Response,
};

use super::{
    guess::Guess,
    opening::Opening,
    session::{PASSWORD, Session},
};
use crate::{
    answer::{self, Failure},
    app::App,
    body, csrf,
    limit::too_many,
    observe::audit::Event,
    password::Turn,
    serve::Peer,
    store::{Account, Group, User},
    tokens::Access,
};

/// NIST SP 800-63B section 3.1.1.2 asks for at least eight characters, and for no other rule.
const SHORTEST: usize = 8;

pub async fn change(
    State(app): State<Arc<App>>,
    Extension(access): Extension<Access>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Result<Response, Failure> {
    csrf::proof(request.headers(), &app.config.origins)?;
    let from = app.client(peer, request.headers());
    let headers = request.headers().clone();
    let fields = body::fields(request).await?;
    let (current, new) = (fields.need("current")?, fields.need("new")?);
    if new.expose().chars().count() < SHORTEST {
        return Err(answer::bad_request("A password has 8 characters or more.").into());
    }
    let guess = Guess::allow(&app, from.clone(), &access.sub).await?;
    let Account::Known(user) = app.account(&access.sub).await? else {
        return Err(wrong());
    };
    let hash = Some(user.password_hash.clone());
    if !guess.check(&app, hash, current.clone()).await? {
        return Err(wrong());
    }
    let turn = Turn { from: from.clone(), known: true };
    let password_hash = app.passwords.hash(turn, new.clone()).await.map_err(|_| too_many(1))?;
    app.store.put_user(&User { password_hash, ..user }).await?;
    app.store.revoke(Group::User(&access.sub), true).await?;

    // The caller has shown the key that the access token is bound to.
    let jkt = access.cnf.map(|key| key.jkt);
    let session = Session::new(app.clock.now(), PASSWORD, None, &headers).bound_to(jkt);
    let opening = Opening {
        user: &access.sub,
        client: &access.client_id,
        session,
        from: &from,
        event: Event::PasswordChanged,
    };
    app.log.line(&format!("password: {}", access.sub));
    opening.open(&app).await?.ok_or_else(wrong)
}

fn wrong() -> Failure {
    let message = "The current password is wrong.";
    answer::error(StatusCode::FORBIDDEN, "invalid_credentials", message).into()
}
