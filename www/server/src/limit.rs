//! Rate limits. Counted in the store and by its clock, so that several instances share them.

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
    // The key may hold what somebody typed for a user name: only its digest is stored.
    let name = format!("{what}:{}", random::digest(key));
    let hits = app.store.hit(&name, limit.window.as_millis() as u64).await?;
    if hits.count <= limit.count {
        return Ok(());
    }
    app.log.line(&format!("{what}: rate limit reached"));
    let mut response = answer::error(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "Too many tries. Wait, then try again.",
    );
    let seconds = hits.resets_in.div_ceil(1000);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    Err(response.into())
}
