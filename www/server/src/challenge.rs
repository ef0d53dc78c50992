//! The `WWW-Authenticate` header of the API's refusals, RFC 6750 section 3.

use axum::{
    http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE},
    response::Response,
};

use crate::answer;

const REALM: &str = "tokenkeep";

/// No token came: the plain challenge. Section 3.1: such an answer should carry no error code.
pub fn no_token() -> Response {
    let response =
        answer::error(StatusCode::UNAUTHORIZED, "no_token", "This address needs an access token.");
    with_challenge(response, "")
}

/// The token is expired, revoked, malformed or not ours. A new one may help.
pub fn invalid_token(why: &'static str) -> Response {
    let response = answer::error(StatusCode::UNAUTHORIZED, "invalid_token", why);
    with_challenge(response, &format!(r#", error="invalid_token", error_description="{why}""#))
}

/// The token is good, its user may not do this. A new one would not help.
pub fn insufficient_scope(scope: &str) -> Response {
    let response =
        answer::error(StatusCode::FORBIDDEN, "insufficient_scope", "This user may not do this.");
    with_challenge(response, &format!(r#", error="insufficient_scope", scope="{scope}""#))
}

/// RFC 9470 section 3: the token is good, but its user must show once more who he is, and how.
pub fn insufficient_user_authentication(acr: &str, max_age: u64) -> Response {
    const CODE: &str = "insufficient_user_authentication";
    let response =
        answer::error(StatusCode::UNAUTHORIZED, CODE, "A fresh second factor is needed.");
    let parameters = format!(r#", error="{CODE}", acr_values="{acr}", max_age="{max_age}""#);
    with_challenge(response, &parameters)
}

fn with_challenge(mut response: Response, parameters: &str) -> Response {
    let value = format!(r#"Bearer realm="{REALM}"{parameters}"#);
    let value = HeaderValue::from_str(&value).expect("a challenge of visible characters");
    response.headers_mut().insert(WWW_AUTHENTICATE, value);
    response
}
