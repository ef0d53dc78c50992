//! Traces: one span for each request, named by OpenTelemetry's conventions for HTTP servers, and sent as OTLP
//! (JSON over HTTP) to a collector. A caller's `traceparent` (W3C Trace Context) is continued.

use axum::http::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::exporter;
use crate::{app::App, random};

/// Beyond this number, waiting spans are dropped: a collector that is down costs no memory.
const MOST_WAITING: usize = 2_048;

pub struct Traces(mpsc::Sender<Value>);

/// A request in progress.
pub struct Span {
    trace: String,
    parent: Option<String>,
    begun: u64,
}

impl Traces {
    /// `collector` is `http://HOST:PORT`, which accepts OTLP at `/v1/traces`.
    pub fn to(collector: &str) -> Self {
        let (sender, spans) = mpsc::channel(MOST_WAITING);
        tokio::spawn(exporter::run(collector.to_owned(), spans));
        Self(sender)
    }

    pub fn begin(&self, app: &App, headers: &HeaderMap) -> Span {
        let parent = headers.get("traceparent").and_then(|value| parent(value.to_str().ok()?));
        let begun = app.clock.now();
        match parent {
            Some((trace, span)) => Span { trace: trace.into(), parent: Some(span.into()), begun },
            None => Span { trace: random::hex(&random::bytes()[..16]), parent: None, begun },
        }
    }

    pub fn end(&self, span: Span, now: u64, method: &str, route: Option<&str>, status: u16) {
        let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
        let text = |key, value| json!({ "key": key, "value": { "stringValue": value } });
        let mut attributes = vec![
            text("http.request.method", method),
            json!({ "key": "http.response.status_code", "value": { "intValue": status.to_string() } }),
            text("network.protocol.name", "http"),
        ];
        attributes.extend(route.map(|route| text("http.route", route)));
        let mut told = json!({
            "traceId": span.trace,
            "spanId": random::hex(&random::bytes()[..8]),
            "name": name,
            // The kind "server".
            "kind": 2,
            "startTimeUnixNano": format!("{}000000", span.begun),
            "endTimeUnixNano": format!("{}000000", now.max(span.begun)),
            "attributes": attributes,
            // Only the server's own errors count: a 4xx is the client's.
            "status": if status >= 500 { json!({ "code": 2 }) } else { json!({}) },
        });
        if let Some(parent) = span.parent {
            told["parentSpanId"] = parent.into();
        }
        let _ = self.0.try_send(told);
    }
}

/// The ids of a `traceparent`.
fn parent(value: &str) -> Option<(&str, &str)> {
    let mut parts = value.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, length| {
        text.len() == length
            && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && text.bytes().any(|byte| byte != b'0')
    };
    let known = version.len() == 2 && version != "ff" && flags.len() == 2;
    (known && hex(trace, 32) && hex(span, 16)).then_some((trace, span))
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn a_valid_traceparent_is_continued() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        assert_eq!(parent(&format!("00-{trace}-{span}-01")), Some((trace, span)));
        for wrong in [
            String::new(),
            format!("00-{trace}-{span}"),
            format!("ff-{trace}-{span}-01"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}-{}-01", &span[1..]),
        ] {
            assert_eq!(parent(&wrong), None, "{wrong}");
        }
    }
}
