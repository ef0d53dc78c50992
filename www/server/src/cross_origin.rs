//! CORS: which other origins' pages may call, and which headers of the answer their scripts may read.

use axum::http::{
    HeaderValue, Method,
    header::{DATE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use std::time::Duration;
use tower_http::cors::{AllowHeaders, CorsLayer};

use crate::dpop;

/// Origins are listed one by one, never `*`: with credentials the wildcard is forbidden, and mirroring
/// whatever comes would let any page refresh. What is listed is trusted, so it may send any header.
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
        // Unless exposed these are null to a script: it could tell no challenge, no waiting time and no nonce.
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER, DATE, dpop::NONCE])
        .max_age(Duration::from_secs(600))
}
