//! POST /auth/refresh: exchanges the cookie's refresh token for a new access token and a new cookie.
//!
//! Each refresh token is good for one use (rotation, RFC 9700 section 4.14.2). A second use means that two
//! parties have it, and nobody can tell which is the thief: the whole family ends, and with it every access
//! token issued in it. With `--reuse-grace` an early second use leads to the same successor: both parties
//! then have the same token again, and the one who uses it second and late ends the family.
//!
//! The refresh token of a key-bound session needs a proof by that key (RFC 9449 section 5). The proof is
//! checked before the exchange, so that someone with only the token can neither use it up nor end the owner's
//! session.
//!
//! The store decides all of it in one step. Checks before that change nothing, and no checks follow: so no
//! failure can leave the old token used without the client having the new one.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{session::Session, successor, token_answer};
use crate::{
    answer::{self, Failure},
    app::App,
    cookie, csrf,
    dpop::{self, Brought, Refusal},
    limit,
    observe::audit::{About, Event},
    serve::Peer,
    store::{Exchange, Exchanged, Key, StoreError, place},
    tokens::Draft,
};

pub async fn refresh(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    brought: Brought,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    csrf::proof(&headers, &app.config.origins)?;
    let Some(token) = cookie::read(&headers) else {
        // The normal state at a first visit, so it has its own error code.
        return Err(answer::error(
            StatusCode::UNAUTHORIZED,
            "no_session",
            "There is no session: log in.",
        )
        .into());
    };
    let now = app.clock.now();
    let old = Key::of(token.expose());

    let known = app.store.family(&old).await?;
    // If a token belongs to no living family, it is refused or a reuse, whatever its lifetimes and its key
    // are.
    let session = known.as_ref().map_or_else(
        || Session { begun_at: now, ..Session::default() },
        |family| Session::read(&family.details),
    );
    let proof = match &known {
        Some(_) => brought.for_session(&app, session.jkt.as_deref()),
        None => Ok(None),
    };

    // Counted by family, so that many users behind one address do not share a limit. A guessed token has no
    // family, and someone with a token but without its key must not use up the owner's limit.
    let from = app.client(peer, &headers);
    let has_key = matches!(proof, Ok(_) | Err(Refusal::Nonce));
    let who = known.as_ref().filter(|_| has_key).map_or(&from, |family| &family.id);
    limit::check(&app, app.config.refresh_limit, "refresh", who).await?;
    let about = About {
        user: known.as_ref().map(|family| family.user.as_str()),
        client: known.as_ref().map(|family| family.client.as_str()),
        session: known.as_ref().map(|family| family.id.as_str()),
        from: Some(&from),
    };
    let proof = proof.inspect_err(|refusal| {
        // A client that has the key and only lacks a nonce is an ordinary client.
        if !matches!(refusal, Refusal::Nonce) {
            app.log.line("refresh: refused, without a proof by the session's key");
            app.tell(Event::ProofRefused, about);
        }
    })?;
    let lives = session.lives(&app.config, now).ok_or_else(invalid_grant)?;
    let user = about.user.unwrap_or_default();
    // The last check that leaves the session untouched.
    dpop::key(&app, proof).await?;

    let draft = Draft::new(&app, user, lives.access);
    let attempt = app.in_doubt.attempt(&old, || place::token_in(old.place));
    let sealed = successor::seal(&token, attempt.successor.expose()).ok_or_else(unreadable)?;
    let exchanged = app
        .store
        .exchange(Exchange {
            old: &old,
            new: &Key::of(attempt.successor.expose()),
            sealed: sealed.expose(),
            refresh_ttl: lives.refresh.as_millis() as u64,
            grace: app.config.reuse_grace.as_millis() as u64,
            access: draft.access(),
        })
        .await?;
    let (grant, sealed, again) = match exchanged {
        Exchanged::Granted { grant, sealed, again } => (grant, sealed, again),
        Exchanged::Reused { now_ended } => {
            attempt.settle();
            app.counters.reuses.add();
            app.tell(Event::Reuse, about);
            if now_ended {
                app.counters.revoked_families.add();
            }
            app.log.line("refresh: a used token came again, its family has ended");
            return Err(invalid_grant());
        }
        Exchanged::Refused { now_ended } => {
            attempt.settle();
            if now_ended {
                app.counters.revoked_families.add();
            }
            return Err(invalid_grant());
        }
    };
    let refresh = successor::seal(&token, &sealed).ok_or_else(unreadable)?;
    let access = draft.issue(&app, &grant);
    app.counters.refreshes.add();
    app.tell(Event::Refresh, about);
    if again {
        app.counters.graced.add();
        app.log.line(&format!("refresh: {}, again within the grace", grant.family.user));
    } else {
        app.log.line(&format!("refresh: {}", grant.family.user));
    }
    attempt.settle();
    Ok(token_answer(&session, lives, &access, &refresh, None))
}

fn unreadable() -> StoreError {
    StoreError("a refresh token's successor cannot be read".into())
}

/// The code from RFC 6749 section 5.2, but with 401, because a cookie failed. The cookie is useless now.
fn invalid_grant() -> Failure {
    let mut response =
        answer::error(StatusCode::UNAUTHORIZED, "invalid_grant", "The session has ended: log in.");
    cookie::clear(response.headers_mut());
    response.into()
}
