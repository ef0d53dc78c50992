//! Endpoints for other servers: introspection and revocation. Each caller must authenticate.

pub mod introspect;
pub mod revoke;

use axum::{
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    response::Response,
};
use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{answer, answer::Failure, app::App, secret::Secret};

/// The calling client, by HTTP Basic (RFC 6749 section 2.3.1). The ids and secrets that the flags accept need
/// no percent-encoding.
pub fn client(app: &App, headers: &HeaderMap) -> Result<String, Failure> {
    let known = basic(headers).filter(|(id, secret)| {
        // Digests have a fixed length and are compared in constant time, whatever was sent. Every client is
        // compared, so that the time does not reveal which ids exist.
        let sent = digest(id, secret.expose());
        app.config.clients.iter().fold(false, |found, client| {
            let same = sent.ct_eq(&digest(&client.id, client.secret.expose()));
            found | bool::from(same)
        })
    });
    known.map(|(id, _)| id).ok_or_else(|| refused().into())
}

fn basic(headers: &HeaderMap) -> Option<(String, Secret)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = Base64::decode_vec(credentials.trim()).ok()?;
    let credentials = Secret::new(String::from_utf8(credentials).ok()?);
    let (id, secret) = credentials.expose().split_once(':')?;
    Some((id.to_owned(), Secret::new(secret.to_owned())))
}

fn digest(id: &str, secret: &str) -> [u8; 32] {
    Sha256::digest(format!("{id}:{secret}")).into()
}

fn refused() -> Response {
    let mut response = answer::error(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "This address is for known clients: authenticate with HTTP Basic.",
    );
    response
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="tokenkeep clients""#));
    response
}
