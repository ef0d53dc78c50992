//! CORS: which other origins' pages may call, and which headers of an answer their scripts may read.

use axum::http::{
    HeaderValue, Method,
    header::{DATE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, CorsLayer};

use crate::dpop;

/// Origins are listed one by one, never `*`: the wildcard is forbidden with credentials, and echoing any
/// origin would let any page refresh. A listed origin is trusted, so it may send any header.
pub fn layer(origins: &[String]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(
            origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect::<Vec<_>>(),
        )
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        // Unless exposed, these headers are null to a script, which then could read no challenge, waiting
        // time or nonce.
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER, DATE, dpop::NONCE])
        .max_age(Duration::from_secs(600))
}
