//! The server's metadata, for programs (RFC 8414). Section 5 also allows OpenID Connect's address, where many
//! resource servers look for the keys; this server issues no ID tokens, and does not claim to.

use std::sync::Arc;

use axum::{extract::State, response::Response};
use serde_json::json;

use super::session::{PASSWORD, TWO_FACTORS};
use crate::{answer, app::App, config::Dpop, dpop};

/// Only if the issuer is an address: otherwise a resource server could not check it (section 3.3).
pub async fn metadata(State(app): State<Arc<App>>) -> Response {
    let Some(issuer) = app.config.issuer.as_deref() else {
        return answer::not_found();
    };
    let at = |path| format!("{issuer}{path}");
    let basic = ["client_secret_basic"];
    let mut metadata = json!({
        "issuer": issuer,
        "jwks_uri": at("/auth/jwks.json"),
        "introspection_endpoint": at("/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": basic,
        "revocation_endpoint": at("/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": basic,
        // There is no authorization or token endpoint: pages log in at /auth/login.
        "response_types_supported": [],
        "grant_types_supported": [],
        "scopes_supported": [],
        "acr_values_supported": [PASSWORD, TWO_FACTORS],
    });
    if app.config.dpop != Dpop::Off {
        metadata["dpop_signing_alg_values_supported"] = json!([dpop::ALGORITHM]);
    }
    answer::ok(metadata)
}
