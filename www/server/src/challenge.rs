//! The `WWW-Authenticate` header of the API's refusals: RFC 6750 section 3, and RFC 9449 section 7.1.

use axum::{
    http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE},
    response::Response,
};

use crate::{answer, config::Dpop, dpop};

const REALM: &str = "tokenkeep";

/// How an access token is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Bearer,
    /// With a proof (RFC 9449 section 7.1).
    Dpop,
}

impl Scheme {
    /// Also used as `token_type` (RFC 6749 section 7.1).
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// No token was sent: the plain challenge, or one for each accepted scheme. RFC 6750 section 3.1: such an
/// answer should carry no error code.
pub fn no_token(dpop: Dpop) -> Response {
    let response =
        answer::error(StatusCode::UNAUTHORIZED, "no_token", "This address needs an access token.");
    let schemes: &[Scheme] = match dpop {
        Dpop::Off => &[Scheme::Bearer],
        Dpop::Allowed => &[Scheme::Bearer, Scheme::Dpop],
        Dpop::Required => &[Scheme::Dpop],
    };
    schemes.iter().fold(response, |response, scheme| with_challenge(response, *scheme, ""))
}

/// The token is expired, revoked, malformed or not ours. A new token may help.
pub fn invalid_token(scheme: Scheme, why: &'static str) -> Response {
    refused(scheme, "invalid_token", why)
}

pub fn refused(scheme: Scheme, code: &str, why: &'static str) -> Response {
    let response = answer::error(StatusCode::UNAUTHORIZED, code, why);
    with_challenge(response, scheme, &format!(r#"error="{code}", error_description="{why}""#))
}

/// The token is good, but its user may not do this. A new token would not help.
pub fn insufficient_scope(scheme: Scheme, scope: &str) -> Response {
    let response =
        answer::error(StatusCode::FORBIDDEN, "insufficient_scope", "This user may not do this.");
    let parameters = format!(r#"error="insufficient_scope", scope="{scope}""#);
    with_challenge(response, scheme, &parameters)
}

/// RFC 9470 section 3: the token is good, but its user must authenticate again, with the given method.
pub fn insufficient_user_authentication(scheme: Scheme, acr: &str, max_age: u64) -> Response {
    const CODE: &str = "insufficient_user_authentication";
    let response =
        answer::error(StatusCode::UNAUTHORIZED, CODE, "A fresh second factor is needed.");
    let parameters = format!(r#"error="{CODE}", acr_values="{acr}", max_age="{max_age}""#);
    with_challenge(response, scheme, &parameters)
}

/// Adds a challenge to the existing ones.
fn with_challenge(mut response: Response, scheme: Scheme, parameters: &str) -> Response {
    let comma = if parameters.is_empty() { "" } else { ", " };
    let value = match scheme {
        Scheme::Bearer => format!(r#"Bearer realm="{REALM}"{comma}{parameters}"#),
        // Without a realm, as in the RFC's examples.
        Scheme::Dpop => format!(r#"DPoP {parameters}{comma}algs="{}""#, dpop::ALGORITHM),
    };
    let value = HeaderValue::from_str(&value).expect("a challenge of visible characters");
    response.headers_mut().append(WWW_AUTHENTICATE, value);
    response
}
