//! The API that the tokens are for: small, but enough to show every answer that a client has to handle.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Path, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::{
    answer::{self, Failure},
    app::App,
    auth::session::TWO_FACTORS,
    challenge::{self, Scheme},
    config::Dpop,
    dpop::{self, Brought, Refusal},
    random,
    tokens::{Access, Refused},
};

const FRESH_SECONDS: u64 = 5 * 60;

const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// The token in an `Authorization` header: `Bearer` (RFC 6750 section 2.1) or `DPoP` (RFC 9449 section 7.1),
/// in upper or lower case.
pub fn presented(headers: &HeaderMap) -> Option<(Scheme, &str)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (name, token) = value.split_once(' ')?;
    let schemes = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)];
    let (_, scheme) = schemes.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some((scheme, token.trim()))
}

/// Guards every address of the API: lets a request with a good token through, and tells the handler who the
/// user is.
pub async fn need_token(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let brought =
        Brought::by(&app, request.method().as_str(), request.uri().path(), request.headers());
    let checked = match presented(request.headers()) {
        None => Err(challenge::no_token(app.config.dpop)),
        Some((Scheme::Bearer, token)) => bearer(&app, token).await,
        Some((Scheme::Dpop, token)) => bound(&app, token, brought).await,
    };
    let response = match checked {
        Ok(access) => {
            request.extensions_mut().insert(access);
            next.run(request).await
        }
        Err(refusal) => {
            // Read the body to its end: a browser that is still sending when the connection closes reports a
            // network error, and its page never sees the 401.
            let _ = consume(request.into_body(), |_| ()).await;
            refusal
        }
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        app.counters.api_401.add();
    } else if response.status().is_success() {
        app.counters.api_ok.add();
    }
    response
}

async fn bearer(app: &App, token: &str) -> Result<Access, Response> {
    if app.config.dpop == Dpop::Required {
        return Err(Refusal::Unbound.at_api());
    }
    let access = good(app, Scheme::Bearer, token).await?;
    // RFC 9449 section 7.2: otherwise a thief would only have to leave out the proof.
    if access.cnf.is_some() {
        let why = "The access token is bound to a key: it needs a DPoP proof";
        return Err(challenge::invalid_token(Scheme::Dpop, why));
    }
    Ok(access)
}

async fn bound(app: &App, token: &str, brought: Brought) -> Result<Access, Response> {
    let proof = brought.for_token(app, token).map_err(Refusal::at_api)?;
    let access = good(app, Scheme::Dpop, token).await?;
    match &access.cnf {
        None => return Err(Refusal::Unbound.at_api()),
        Some(key) if key.jkt != proof.jkt => return Err(Refusal::OtherKey.at_api()),
        Some(_) => {}
    }
    dpop::spend(app, &proof).await.map_err(Refusal::at_api)?;
    Ok(access)
}

/// The token's contents, if the token is good here and now.
async fn good(app: &App, scheme: Scheme, token: &str) -> Result<Access, Response> {
    match app.tokens.check(app, token).await {
        // RFC 9068 section 4: a token for another API is not valid for this one.
        Ok(access) if access.aud != app.config.audience => {
            Err(challenge::invalid_token(scheme, "The access token is for another API"))
        }
        Ok(access) => Ok(access),
        Err(Refused::Invalid(why)) => Err(challenge::invalid_token(scheme, why)),
        Err(Refused::Store(error)) => Err(Failure::from(error).into_response()),
    }
}

pub async fn me(Extension(access): Extension<Access>) -> Response {
    answer::ok(json!({ "name": access.sub, "roles": access.roles, "jti": access.jti }))
}

pub async fn item(Path(n): Path<String>) -> Response {
    match n.parse::<u64>() {
        Ok(n) => answer::ok(json!({ "n": n })),
        Err(_) => answer::not_found(),
    }
}

/// Returns what arrived, so that tests can check what a client sent.
pub async fn echo(request: Request) -> Response {
    let method = request.method().to_string();
    let content_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let mut hash = Sha256::new();
    match consume(request.into_body(), |chunk| hash.update(chunk)).await {
        Some(bytes) => {
            let sha256 = random::hex(&hash.finalize());
            answer::ok(json!({
                "method": method, "sha256": sha256, "bytes": bytes, "contentType": content_type,
            }))
        }
        None => answer::error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The body is too large, or broke off.",
        ),
    }
}

pub async fn admin(Extension(access): Extension<Access>) -> Response {
    if access.roles.iter().any(|role| role == "admin") {
        answer::ok(json!({ "name": access.sub, "admin": true }))
    } else {
        challenge::insufficient_scope(access.scheme(), "admin")
    }
}

/// For users who have recently shown a second factor (RFC 9470).
pub async fn vault(State(app): State<Arc<App>>, Extension(access): Extension<Access>) -> Response {
    let since = (app.clock.now() / 1000).saturating_sub(access.auth_time);
    if access.acr == TWO_FACTORS && since <= FRESH_SECONDS {
        answer::ok(json!({ "name": access.sub, "vault": true }))
    } else {
        challenge::insufficient_user_authentication(access.scheme(), TWO_FACTORS, FRESH_SECONDS)
    }
}

/// Reads a body piece by piece, up to a limit. Returns its number of bytes.
async fn consume(mut body: Body, mut each: impl FnMut(&[u8])) -> Option<usize> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(chunk) = frame.ok()?.into_data() {
            bytes += chunk.len();
            if bytes > LARGEST_BODY {
                return None;
            }
            each(&chunk);
        }
    }
    Some(bytes)
}
