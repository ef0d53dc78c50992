//! Rate limits. Counted in the store, so that several instances share them.

use axum::http::{HeaderValue, StatusCode, header::RETRY_AFTER};

use crate::{
    answer::{self, Failure},
    app::App,
    config::Limit,
    random,
};

/// Counts one more for `key`; an error is the 429 to answer with. Fixed windows: at most twice the
/// limit in a time as long as the window, and only one number to keep.
pub async fn check(app: &App, limit: Limit, what: &str, key: &str) -> Result<(), Failure> {
    let now = app.clock.now();
    let window = limit.window.as_millis() as u64;
    let start = now - now % window;
    // The key may hold what somebody typed for a user name: only its digest is stored.
    let name = format!("{what}:{}:{start}", random::digest(key));
    let count = app.store.hit(&name, now, start + window).await?;
    if count <= limit.count {
        return Ok(());
    }
    app.log.line(&format!("{what}: rate limit reached"));
    let mut response = answer::error(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "Too many tries. Wait, then try again.",
    );
    let seconds = (start + window - now).div_ceil(1000);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    Err(response.into())
}
