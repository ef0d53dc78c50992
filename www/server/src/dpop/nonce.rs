//! Nonces (RFC 9449 section 8), which a proof must repeat: so no proof can be made in advance, and clients
//! need no correct clock. Nothing is stored: a nonce is a MAC of the time by the keys that all instances
//! share.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use std::sync::Arc;

use super::{AROUND, PROOF};
use crate::app::App;

pub const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// One step before and after is accepted: clients learn the next nonce from an answer, and the clocks of
/// instances differ.
const STEPS: [i64; 3] = [0, -1, 1];

/// Whether the nonce is current.
pub fn is_good(app: &App, nonce: &str) -> bool {
    let (keys, step) = (app.tokens.keys(), step(app));
    STEPS
        .iter()
        .filter_map(|around| step.checked_add_signed(*around))
        .any(|step| keys.has_made(&text(step), nonce))
}

/// Wraps all addresses that take a proof: each answer to a proof carries the next nonce (section 8.2).
pub async fn give(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let wanted = app.config.dpop_nonce && request.headers().contains_key(PROOF);
    let mut response = next.run(request).await;
    if wanted {
        let nonce = app.tokens.keys().mac(app.clock.now(), &text(step(&app)));
        let nonce = HeaderValue::from_str(&nonce).expect("base64url");
        response.headers_mut().insert(NONCE, nonce);
    }
    response
}

fn step(app: &App) -> u64 {
    app.clock.now() / AROUND
}

fn text(step: u64) -> String {
    format!("tokenkeep nonce: {step}")
}
