//! Faults on demand: what a network, a proxy or a broken server does to an answer.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Demo;
use crate::{answer, cookie, random, serve::Peer};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[default]
    Ok,
    /// 503 at once.
    Down,
    /// 429 with `Retry-After`: `delay_ms`, in whole seconds, at least one.
    Limited,
    /// 200 with an HTML page, as from a captive portal or a proxy.
    Html,
    /// 200 with half a JSON object.
    Broken,
    /// Carried out, and answered after `delay_ms`.
    Slow,
    /// Carried out, and the answer is held until released.
    Hold,
    /// Not carried out: the connection is cut without an answer.
    Reset,
    /// Carried out, but the connection is cut without an answer.
    Lost,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    login: Fault,
    refresh: Fault,
    logout: Fault,
    api: Fault,
    delay_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    Login,
    Refresh,
    Logout,
    Api,
}

const TARGETS: [Target; 4] = [Target::Login, Target::Refresh, Target::Logout, Target::Api];

impl Target {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/auth/login" => Some(Self::Login),
            "/auth/refresh" => Some(Self::Refresh),
            "/auth/logout" => Some(Self::Logout),
            path if path.starts_with("/api/") => Some(Self::Api),
            _ => None,
        }
    }

    fn fault(self, faults: &Faults) -> Fault {
        match self {
            Self::Login => faults.login,
            Self::Refresh => faults.refresh,
            Self::Logout => faults.logout,
            Self::Api => faults.api,
        }
    }
}

/// The switches, and the held answers.
#[derive(Default)]
pub struct Board {
    now: Mutex<Faults>,
    gates: [Gate; 4],
    /// Digests of refresh tokens whose answer was lost while the switch was on.
    lost: Mutex<HashSet<String>>,
}

/// Holds back the answers of one target.
#[derive(Default)]
struct Gate {
    held: watch::Sender<usize>,
    /// Counts the releases. A release lets all requests through that have arrived before it, also if their answers are
    /// not held yet; a later request waits for the next one.
    released: watch::Sender<u64>,
    open_for_good: AtomicBool,
}

impl Board {
    pub fn get(&self) -> Faults {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held answers stay held.
    pub fn set(&self, faults: Faults) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = faults;
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub fn release(&self, of: Option<Target>) {
        for target in TARGETS {
            if of.is_none_or(|of| of == target) {
                self.gate(target).release();
            }
        }
    }

    pub fn release_for_good(&self) {
        for gate in &self.gates {
            gate.open_for_good.store(true, Ordering::SeqCst);
            gate.release();
        }
    }

    pub fn held(&self) -> [(&'static str, usize); 4] {
        let held = |target| *self.gate(target).held.borrow();
        [
            ("login", held(Target::Login)),
            ("refresh", held(Target::Refresh)),
            ("logout", held(Target::Logout)),
            ("api", held(Target::Api)),
        ]
    }

    /// Waits until at least `count` answers are held.
    pub async fn until_held(&self, target: Target, count: usize) {
        let mut held = self.gate(target).held.subscribe();
        // This object owns the sender, so the channel is open.
        let _ = held.wait_for(|held| *held >= count).await;
    }

    fn gate(&self, target: Target) -> &Gate {
        &self.gates[target as usize]
    }

    /// Whether this token's answer was lost before.
    fn lose(&self, token: String) -> bool {
        !self.lost.lock().unwrap_or_else(PoisonError::into_inner).insert(token)
    }
}

impl Gate {
    fn release(&self) {
        self.released.send_modify(|count| *count += 1);
    }

    /// Waits for the next release after `arrived`.
    async fn pass(&self, mut arrived: watch::Receiver<u64>) {
        if self.open_for_good.load(Ordering::SeqCst) {
            return;
        }
        let _held = Held::new(&self.held);
        let _ = arrived.changed().await;
    }
}

/// Counts its holder as held; the count drops also when the caller hangs up.
struct Held<'a>(&'a watch::Sender<usize>);

impl<'a> Held<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|held| *held += 1);
        Self(count)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held -= 1);
    }
}

pub async fn apply(
    State(demo): State<Arc<Demo>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let Some(target) = Target::of(request.uri().path()) else {
        return next.run(request).await;
    };
    let faults = demo.faults.get();
    let delay = Duration::from_millis(faults.delay_ms);
    match target.fault(&faults) {
        Fault::Ok => next.run(request).await,
        Fault::Down => answer::error(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "The demo's switch says: down.",
        ),
        Fault::Limited => limited(delay),
        Fault::Html => answer::no_store(
            Html("<!doctype html><p>Please log in to the network.").into_response(),
        ),
        Fault::Broken => answer::no_store(
            ([("content-type", "application/json")], r#"{"access_token":"#).into_response(),
        ),
        Fault::Slow => {
            let response = next.run(request).await;
            tokio::time::sleep(delay).await;
            response
        }
        Fault::Hold => {
            let gate = demo.faults.gate(target);
            let arrived = gate.released.subscribe();
            let response = next.run(request).await;
            gate.pass(arrived).await;
            response
        }
        Fault::Reset => demo.wires.cut(peer),
        Fault::Lost => {
            // A browser whose kept-alive connection is cut repeats the request by itself. That must not look
            // like a thief's reuse: the repeat is lost, too, and nothing else happens.
            let repeated = cookie::read(request.headers())
                .filter(|_| target == Target::Refresh)
                .is_some_and(|token| demo.faults.lose(random::digest(token.expose())));
            if !repeated {
                next.run(request).await;
            }
            demo.wires.cut(peer)
        }
    }
}

fn limited(delay: Duration) -> Response {
    let mut response = answer::error(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_requests",
        "The demo's switch says: limited.",
    );
    let seconds = (delay.as_millis() as u64).div_ceil(1000).max(1);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn is_let_through(passing: impl Future) -> bool {
        matches!(pin!(passing).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(_))
    }

    #[test]
    fn a_release_lets_through_what_has_arrived_before_it() {
        let gate = Gate::default();
        let before = gate.released.subscribe();
        gate.release();
        let after = gate.released.subscribe();
        assert!(is_let_through(gate.pass(before)));
        assert!(!is_let_through(gate.pass(after)));
    }
}
