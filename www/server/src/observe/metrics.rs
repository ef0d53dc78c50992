//! `GET /metrics`, in the text format of Prometheus, for known clients (HTTP Basic). Names follow its
//! conventions: a unit at the end, `_total` for counters. Each instance counts for itself; Prometheus adds
//! up.

use std::{
    collections::BTreeMap,
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::State,
    http::{HeaderMap, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::{
    answer::{Failure, no_store},
    app::App,
    oauth,
};

const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The buckets in OpenTelemetry's conventions for `http.server.request.duration`.
const BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

#[derive(Default)]
pub struct Metrics(Mutex<BTreeMap<Labels, Durations>>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Labels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Default)]
struct Durations {
    within: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Metrics {
    pub fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let labels = Labels { route: route.to_owned(), method, status };
        let durations = all.entry(labels).or_default();
        let seconds = took.as_secs_f64();
        durations.count += 1;
        durations.sum += seconds;
        for (within, bound) in durations.within.iter_mut().zip(BUCKETS) {
            *within += u64::from(seconds <= bound);
        }
    }

    fn write(&self, text: &mut String) {
        const NAME: &str = "http_server_request_duration_seconds";
        let _ = writeln!(text, "# HELP {NAME} How long requests took.\n# TYPE {NAME} histogram");
        for (labels, durations) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let Labels { route, method, status } = labels;
            let labels = format!(
                r#"http_request_method="{method}",http_response_status_code="{status}",http_route="{route}""#
            );
            for (within, bound) in durations.within.iter().zip(BUCKETS) {
                let _ = writeln!(text, r#"{NAME}_bucket{{{labels},le="{bound}"}} {within}"#);
            }
            let (count, sum) = (durations.count, durations.sum);
            let _ = writeln!(text, r#"{NAME}_bucket{{{labels},le="+Inf"}} {count}"#);
            let _ =
                writeln!(text, "{NAME}_sum{{{labels}}} {sum}\n{NAME}_count{{{labels}}} {count}");
        }
    }
}

pub async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    oauth::client(&app, &headers)?;
    let mut text = String::new();
    for (name, help, value) in app.counters.all() {
        let _ = writeln!(
            text,
            "# HELP tokenkeep_{name}_total {help}\n# TYPE tokenkeep_{name}_total counter\n\
             tokenkeep_{name}_total {value}"
        );
    }
    app.metrics.write(&mut text);
    Ok(no_store(([(CONTENT_TYPE, FORMAT)], text).into_response()))
}
