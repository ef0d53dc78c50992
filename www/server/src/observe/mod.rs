//! The server seen from outside: metrics for Prometheus, traces for OpenTelemetry, audit events. None of them
//! contains a token, a cookie, a password, a query or a name that is not an account's.

pub mod audit;
mod exporter;
pub mod metrics;
pub mod traces;

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use crate::app::App;

/// Wraps every address: measures how long a request took, and records its outcome.
pub async fn watch(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = known_method(request.method().as_str());
    // The route, not the path: there are few routes, and clients cannot invent more.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = app.traces.as_ref().map(|traces| traces.begin(&app, request.headers()));
    let response = next.run(request).await;
    let route = route.as_ref().map(MatchedPath::as_str);
    let status = response.status().as_u16();
    app.metrics.request(method, route.unwrap_or(""), status, begun.elapsed());
    if let (Some(traces), Some(span)) = (&app.traces, span) {
        traces.end(span, app.clock.now(), method, route, status);
    }
    response
}

/// OpenTelemetry's `http.request.method`: an unknown method becomes `_OTHER`, or clients could invent names.
fn known_method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("_OTHER")
}
