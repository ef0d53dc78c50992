//! `--demo`: the addresses with which the demo page and the tests switch the server's faults on and off, and
//! watch the server. They need no password, so they are served on loopback only, and no other site's page may
//! use them.

pub mod faults;
pub mod log;
pub mod plain_cookie;
mod switches;
pub mod wire;

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, header::HOST, uri::Authority},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    answer,
    app::App,
    config::{Client, NewUser},
    csrf,
    secret::Secret,
    serve::Peer,
};

#[derive(Default)]
pub struct Demo {
    faults: faults::Board,
    log: log::Requests,
    wires: wire::Wires,
}

impl Demo {
    /// At the server's end: releases all held answers, and holds no more.
    pub fn release_for_good(&self) {
        self.faults.release_for_good();
    }
}

pub fn accounts() -> [NewUser; 3] {
    [
        ("alice", "wonderland", vec!["user"], None),
        ("admin", "correct-horse", vec!["user", "admin"], None),
        ("carol", "looking-glass", vec!["user"], Some("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
    ]
    .map(|(name, password, roles, second_factor)| NewUser {
        name: name.into(),
        password: Secret::new(password.into()),
        roles: roles.into_iter().map(str::to_owned).collect(),
        second_factor: second_factor.map(|secret| Secret::new(secret.into())),
    })
}

/// A resource server that may introspect and revoke.
pub fn client() -> Client {
    Client { id: "resource-server".into(), secret: Secret::new("let-me-introspect".into()) }
}

pub fn routes(app: &Arc<App>, demo: &Arc<Demo>) -> Router<Arc<App>> {
    Router::new()
        .route("/demo/counters", get(switches::counters))
        .route("/demo/log", get(switches::log))
        .route("/demo/faults", get(switches::faults).put(switches::set_faults))
        .route("/demo/held", get(switches::held))
        .route("/demo/release", post(switches::release))
        .route("/demo/reset", post(switches::reset))
        .route("/demo/forward", post(switches::forward))
        .route("/demo/revoke", post(switches::revoke))
        .route("/demo/end", post(switches::end))
        .layer(from_fn_with_state(app.clone(), local))
        .layer(axum::Extension(demo.clone()))
}

async fn local(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if !peer.ip().is_loopback() || !names_this_machine(request.headers()) {
        return answer::not_found();
    }
    match csrf::not_foreign(request.headers(), &app.config.origins) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// DNS rebinding: a page of `evil.example` makes its own name point to 127.0.0.1, and then has the same
/// origin as this server. Its requests still say `Host: evil.example`.
pub fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let Some(host) = host.parse::<Authority>().ok().filter(|_| !host.contains('@')) else {
        return false;
    };
    let name = host.host();
    let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    // RFC 6761 section 6.3: names that end in `localhost` mean this machine.
    address.is_some_and(|address| address.is_loopback())
        || name == "localhost"
        || name.ends_with(".localhost")
}
