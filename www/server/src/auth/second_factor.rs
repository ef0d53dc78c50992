//! A second factor: a code from an authenticator app (`totp.rs`), required at the login, and again for
//! actions that need a fresh proof (step-up, RFC 9470).
//!
//! A login to an account with a second factor answers 200 with a ticket and without a token. The ticket is
//! sealed with the keys that all instances share, so unfinished logins need no storage.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    end_family,
    opening::Opening,
    session::{Session, TWO_FACTORS},
};
use crate::{
    answer::{self, Failure},
    app::App,
    body,
    config::Limit,
    cookie, csrf,
    dpop::{self, Brought},
    limit,
    observe::audit::{About, Event},
    serve::Peer,
    store::{Account, Key, User},
    totp,
};

const PURPOSE: &str = "second-factor";
/// How long a ticket is valid.
const TICKET: Duration = Duration::from_secs(5 * 60);
/// The limit of wrong codes for one account. Whoever gets here knows its password, or has one of its
/// sessions.
const CODES: Limit = Limit { count: 5, window: Duration::from_secs(5 * 60) };
/// A code is valid for three steps of thirty seconds; its use is remembered for longer.
const REMEMBERED: u64 = 5 * 60 * 1000;

#[derive(Serialize, Deserialize)]
struct Ticket {
    user: String,
    client: String,
    remember: Option<bool>,
    until: u64,
}

/// The purpose under which an account's second factor is sealed: it opens for no other account.
pub fn purpose(user: &str) -> String {
    format!("totp:{user}")
}

/// The first answer of a login in two steps.
pub fn asked(app: &App, user: String, client: String, remember: Option<bool>) -> Response {
    let until = app.clock.now() + TICKET.as_millis() as u64;
    let ticket = Ticket { user, client, remember, until };
    let text = serde_json::to_vec(&ticket).expect("plain data");
    answer::ok(json!({
        "second_factor": "totp",
        "ticket": app.tokens.keys().sealing().seal(PURPOSE, &text),
        "expires_in": TICKET.as_secs(),
    }))
}

/// POST /auth/login/code: exchanges the ticket and a code for tokens.
pub async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    brought: Brought,
    request: Request,
) -> Result<Response, Failure> {
    csrf::not_foreign(request.headers(), &app.config.origins)?;
    let from = app.client(peer, request.headers());
    let headers = request.headers().clone();
    let fields = body::fields(request).await?;
    let (ticket, code) = (fields.need("ticket")?, fields.need("code")?);
    let ticket = app.tokens.keys().sealing().open(PURPOSE, ticket.expose()).ok();
    let ticket: Option<Ticket> = ticket.and_then(|text| serde_json::from_slice(&text).ok());
    let now = app.clock.now();
    let Some(ticket) = ticket.filter(|ticket| now < ticket.until) else {
        return Err(refused("The login has taken too long: begin again."));
    };
    let proof = brought.for_login(&app)?;
    let user = account(&app, &ticket.user).await?;
    check(&app, &user, code.expose(), &from).await?;

    let session = Session::new(now, TWO_FACTORS, ticket.remember, &headers);
    let session = session.bound_to(dpop::key(&app, proof).await?);
    let opening = Opening {
        user: &user.name,
        client: &ticket.client,
        session,
        from: &from,
        event: Event::Login,
    };
    opening.log_in(&app, &headers).await?.ok_or_else(gone)
}

/// POST /auth/stepup: exchanges a session and a code for a session with two factors, authenticated now. It is
/// a new session, as after every change of what a session may do: the old one is worth nothing to anyone who
/// has it.
pub async fn step_up(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    brought: Brought,
    request: Request,
) -> Result<Response, Failure> {
    csrf::proof(request.headers(), &app.config.origins)?;
    let from = app.client(peer, request.headers());
    let headers = request.headers().clone();
    let fields = body::fields(request).await?;
    let code = fields.need("code")?;
    let family = match cookie::read(&headers) {
        Some(token) => app.store.family(&Key::of(token.expose())).await?,
        None => None,
    };
    let family = family.ok_or_else(|| refused("There is no session: log in."))?;
    let before = Session::read(&family.details);
    // Checked before the code: someone with the cookie but without its key must not use up the owner's tries.
    let proof = brought.for_session(&app, before.jkt.as_deref())?;
    let user = account(&app, &family.user).await?;
    check(&app, &user, code.expose(), &from).await?;

    let session = Session {
        begun_at: before.begun_at,
        ..Session::new(app.clock.now(), TWO_FACTORS, before.remember, &headers)
    };
    let session = session.bound_to(dpop::key(&app, proof).await?);
    let opening = Opening {
        user: &user.name,
        client: &family.client,
        session,
        from: &from,
        event: Event::SecondFactor,
    };
    let answer = opening.open(&app).await?.ok_or_else(gone)?;
    end_family(&app, &family.user, &family.id).await?;
    Ok(answer)
}

async fn account(app: &App, name: &str) -> Result<User, Failure> {
    match app.account(name).await? {
        Account::Known(user) if !user.second_factor.is_empty() => Ok(user),
        _ => Err(gone()),
    }
}

/// A wrong code and a used code get the same answer.
async fn check(app: &App, user: &User, code: &str, from: &str) -> Result<(), Failure> {
    let hit = limit::check(app, CODES, "code", &user.name).await?;
    let secret = app
        .sealing
        .open(&purpose(&user.name), &user.second_factor)
        .map_err(|_| crate::store::StoreError("a second factor cannot be read".into()))?;
    let step = totp::step_of(&secret, code, app.clock.now());
    let fresh = match step {
        Some(step) => {
            let used = format!("totp:{}:{step}", crate::random::digest(&user.name));
            app.store.hit(&used, 1, REMEMBERED).await?.count == 1
        }
        None => false,
    };
    if fresh {
        return Ok(limit::take_back(app, [hit]).await?);
    }
    let about = About { user: Some(&user.name), from: Some(from), ..About::default() };
    app.tell(Event::SecondFactorRefused, about);
    Err(refused("The code is wrong, or was used before."))
}

fn gone() -> Failure {
    refused("This account has no second factor.")
}

fn refused(message: &str) -> Failure {
    answer::error(StatusCode::UNAUTHORIZED, "invalid_code", message).into()
}
