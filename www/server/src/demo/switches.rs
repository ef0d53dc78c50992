//! The addresses under /demo.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Bytes,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::{
    Demo,
    faults::{Faults, Target},
};
use crate::{
    answer::{self, Failure},
    app::App,
    store::Group,
};

const PATIENCE: Duration = Duration::from_secs(10);

pub async fn counters(State(app): State<Arc<App>>) -> Response {
    answer::ok(&app.counters)
}

/// The last requests as they arrived, oldest first.
pub async fn log(Extension(demo): Extension<Arc<Demo>>) -> Response {
    answer::ok(demo.log.all())
}

pub async fn faults(Extension(demo): Extension<Arc<Demo>>) -> Response {
    answer::ok(demo.faults.get())
}

/// Sets all faults: those not named become `ok`.
pub async fn set_faults(Extension(demo): Extension<Arc<Demo>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Faults>(&body) {
        Ok(faults) => {
            demo.faults.set(faults);
            answer::ok(faults)
        }
        Err(error) => answer::bad_request(&error.to_string()),
    }
}

#[derive(Deserialize)]
pub struct Held {
    of: Option<Target>,
    count: Option<usize>,
}

/// How many answers are held. With `?of=api&count=3` it answers as soon as three are.
pub async fn held(Extension(demo): Extension<Arc<Demo>>, Query(wanted): Query<Held>) -> Response {
    if let (Some(of), Some(count)) = (wanted.of, wanted.count) {
        let waiting = demo.faults.until_held(of, count);
        if timeout(PATIENCE, waiting).await.is_err() {
            return answer::error(
                StatusCode::REQUEST_TIMEOUT,
                "timeout",
                "So many answers were not held in ten seconds.",
            );
        }
    }
    let held: Map<String, Value> = demo
        .faults
        .held()
        .into_iter()
        .map(|(target, count)| (target.to_owned(), json!(count)))
        .collect();
    answer::ok(held)
}

#[derive(Deserialize)]
pub struct Release {
    of: Option<Target>,
}

/// Releases the answers to all held requests that have arrived, of one target with `?of=refresh`. The switch stays as
/// it is.
pub async fn release(
    Extension(demo): Extension<Arc<Demo>>,
    Query(wanted): Query<Release>,
) -> Response {
    demo.faults.release(wanted.of);
    answer::no_content()
}

/// Resets counters and log, turns all faults off, releases held answers. Sessions live on.
pub async fn reset(State(app): State<Arc<App>>, Extension(demo): Extension<Arc<Demo>>) -> Response {
    demo.faults.set(Faults::default());
    demo.faults.release(None);
    demo.log.clear();
    app.counters.reset();
    answer::no_content()
}

#[derive(Deserialize)]
pub struct Forward {
    seconds: u32,
}

/// Moves the server's own clock forward: nonces expire. Tokens and sessions follow the store's clock.
pub async fn forward(State(app): State<Arc<App>>, Query(by): Query<Forward>) -> Response {
    app.clock.forward(Duration::from_secs(by.seconds.into()));
    answer::no_content()
}

/// Revokes every access token issued until now; refresh tokens live on.
pub async fn revoke(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    app.store.revoke(Group::Everybody, false).await?;
    Ok(answer::no_content())
}

/// Ends every session.
pub async fn end(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    app.store.revoke(Group::Everybody, true).await?;
    Ok(answer::no_content())
}
