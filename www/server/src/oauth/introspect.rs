//! POST /oauth/introspect (RFC 7662): whether an access token is good, and whose it is. Resource servers call
//! this; the server's own API reads the store itself.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde_json::json;

use crate::{
    answer::{self, Failure},
    app::App,
    body,
    tokens::Refused,
};

pub async fn introspect(
    State(app): State<Arc<App>>,
    request: Request,
) -> Result<Response, Failure> {
    super::client(&app, request.headers())?;
    let fields = body::fields(request).await?;
    let token = fields.need("token")?;
    match app.tokens.check(&app, token.expose()).await {
        Ok(access) => {
            let mut said = json!({
                "active": true,
                "token_type": access.scheme().name(),
                "iss": access.iss,
                "aud": access.aud,
                "sub": access.sub,
                "username": access.sub,
                "client_id": access.client_id,
                "scope": access.roles.join(" "),
                "roles": access.roles,
                "jti": access.jti,
                "iat": access.iat,
                "exp": access.exp,
            });
            // RFC 9449 section 6.2: the caller must check that there is a proof by this key.
            if let Some(key) = access.cnf {
                said["cnf"] = json!(key);
            }
            Ok(answer::ok(said))
        }
        // Section 2.2: no reason is given.
        Err(Refused::Invalid(_)) => Ok(answer::ok(json!({ "active": false }))),
        Err(Refused::Store(error)) => Err(error.into()),
    }
}
