//! Rate limits, counted in the store and by its clock, so that several instances share them.

use axum::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::Response,
};

use crate::{
    answer::{self, Failure},
    app::App,
    config::Limit,
    random, store,
};

/// One counted event.
pub struct Hit {
    name: String,
    window: u64,
    /// Over the limit for this many more seconds.
    pub wait: Option<u64>,
}

/// Adds one to the count for `key`. Windows are fixed: a period as long as the window may see at most twice
/// the limit, and only one number is stored.
pub async fn count(app: &App, limit: Limit, what: &str, key: &str) -> store::Result<Hit> {
    // The key may contain a typed user name: only its digest is stored.
    let name = format!("{what}:{}", random::digest(key));
    let window = limit.window.as_millis() as u64;
    let hits = app.store.hit(&name, 1, window).await?;
    let wait = (hits.count > limit.count).then(|| hits.resets_in.div_ceil(1000));
    Ok(Hit { name, window, wait })
}

/// The same; the error is the 429 to answer with.
pub async fn check(app: &App, limit: Limit, what: &str, key: &str) -> Result<Hit, Failure> {
    let hit = count(app, limit, what, key).await?;
    match hit.wait {
        None => Ok(hit),
        Some(seconds) => {
            app.log.line(&format!("{what}: rate limit reached"));
            Err(too_many(seconds).into())
        }
    }
}

/// For limits that count failures only. Each try is counted first and taken back after a success: if it were
/// counted afterwards, any number of parallel tries would see the old count.
pub async fn take_back(app: &App, hits: impl IntoIterator<Item = Hit>) -> store::Result<()> {
    for hit in hits {
        app.store.hit(&hit.name, -1, hit.window).await?;
    }
    Ok(())
}

pub fn too_many(seconds: u64) -> Response {
    let mut response = answer::error(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "Too many tries. Wait, then try again.",
    );
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}
