//! The last requests, as the server saw them. A token is shown as the start of its digest: enough to tell two
//! apart, useless for anything else.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use serde::Serialize;

use super::wire::Cut;
use crate::{api, app::App, random};

const MOST: usize = 10_000;

#[derive(Clone, Serialize)]
pub struct Entry {
    n: u64,
    method: String,
    path: String,
    /// `null`: not answered yet, or never.
    status: Option<u16>,
    token: Option<String>,
    at_ms: u64,
    /// How many calls to the auth endpoints were in progress when it arrived.
    beside: usize,
}

#[derive(Default)]
pub struct Requests {
    inner: Mutex<Inner>,
    in_hand: AtomicUsize,
}

#[derive(Default)]
struct Inner {
    count: u64,
    entries: VecDeque<Entry>,
}

/// One call in progress. It is dropped when the call is answered, or its client has left.
struct InHand<'a>(&'a AtomicUsize);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Requests {
    pub fn all(&self) -> Vec<Entry> {
        self.inner().entries.iter().cloned().collect()
    }

    /// The numbering continues, so that the answer to an older request finds no wrong entry.
    pub fn clear(&self) {
        self.inner().entries.clear();
    }

    fn begin(&self, mut entry: Entry) -> u64 {
        let mut inner = self.inner();
        inner.count += 1;
        entry.n = inner.count;
        if inner.entries.len() == MOST {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
        inner.count
    }

    fn end(&self, n: u64, status: u16) {
        let mut inner = self.inner();
        if let Some(entry) = inner.entries.iter_mut().rev().find(|entry| entry.n == n) {
            entry.status = Some(status);
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn record(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let Some(demo) = app.demo.as_ref().filter(|_| path != "/healthz") else {
        return next.run(request).await;
    };
    let token =
        api::presented(request.headers()).map(|(_, token)| random::digest(token)[..8].to_owned());
    let in_hand = &demo.log.in_hand;
    let (beside, _in_hand) = if path.starts_with("/auth/") {
        (in_hand.fetch_add(1, SeqCst), Some(InHand(in_hand)))
    } else {
        (in_hand.load(SeqCst), None)
    };
    let n = demo.log.begin(Entry {
        n: 0,
        method: request.method().to_string(),
        path: path.to_owned(),
        status: None,
        token,
        at_ms: app.clock.now(),
        beside,
    });
    let response = next.run(request).await;
    if response.extensions().get::<Cut>().is_none() {
        demo.log.end(n, response.status().as_u16());
    }
    response
}
