//! Sends spans to the collector in batches. Spans that the collector does not accept are lost: traces must
//! not cost the server anything that its users would notice.

use std::time::Duration;

use axum::{body::Bytes, http::header};
use http_body_util::Full;
use hyper::Request;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};

const MOST_AT_ONCE: usize = 256;
/// How long spans are gathered for a batch.
const GATHER: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn run(collector: String, mut spans: mpsc::Receiver<Value>) {
    let mut failing = false;
    while let Some(first) = spans.recv().await {
        let mut batch = vec![first];
        let gathering = async {
            while batch.len() < MOST_AT_ONCE {
                let Some(span) = spans.recv().await else { break };
                batch.push(span);
            }
        };
        let _ = timeout(GATHER, gathering).await;
        let sent = timeout(PATIENCE, send(&collector, &batch)).await;
        let fails = !matches!(sent, Ok(Some(())));
        if fails && !failing {
            eprintln!("traces: the collector does not take them");
        }
        failing = fails;
    }
}

async fn send(collector: &str, batch: &[Value]) -> Option<()> {
    let body = json!({ "resourceSpans": [{
        "resource": { "attributes": [
            { "key": "service.name", "value": { "stringValue": "tokenkeep-server" } },
            { "key": "service.version", "value": { "stringValue": env!("CARGO_PKG_VERSION") } },
        ] },
        "scopeSpans": [{ "scope": { "name": "tokenkeep-server" }, "spans": batch }],
    }] });
    let host = collector.strip_prefix("http://")?;
    let stream = TcpStream::connect(host).await.ok()?;
    let (mut client, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let connection = tokio::spawn(connection);
    let request = Request::post("/v1/traces")
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .ok()?;
    let response = client.send_request(request).await.ok();
    connection.abort();
    response?.status().is_success().then_some(())
}
