//! The server seen from outside: metrics, traces and audit events, none of which contains a secret.

use std::time::Duration;

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::harness::{ADMIN, ALICE, CLIENT, Server, Session, Setup};

/// A scenario with everything in it. Returns the texts that must not be visible.
async fn story(server: &Server) -> Vec<String> {
    server.try_login("a-password-typed-as-a-name", "x").send().await;
    server.try_login(ALICE.0, "wrong-password").send().await;
    let first = server.login().await;
    let second = server.refresh(&first.cookie).send().await.session();
    server.get("/api/me?access_token=in-the-query").bearer(&second.access).send().await;
    server.get("/no/such/in-the-path").send().await;
    server.refresh(&first.cookie).send().await;
    let admin = server.login_as(ADMIN).await;
    let logout = server.post("/auth/logout").proof().cookie(&admin.cookie);
    logout.bearer(&admin.access).send().await;
    let mut secrets: Vec<String> = [
        ALICE.1,
        ADMIN.1,
        CLIENT.1,
        "a-password-typed-as-a-name",
        "wrong-password",
        "in-the-query",
        "in-the-path",
    ]
    .map(str::to_owned)
    .into();
    for Session { access, cookie } in [first, second, admin] {
        secrets.extend([access, cookie]);
    }
    secrets
}

fn holds_none(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{text}");
    }
}

#[tokio::test]
async fn the_metrics_count_events_and_are_for_known_clients_only() {
    let setup = Setup::sqlite();
    let server = setup.server().await;
    let secrets = story(&server).await;
    let answer = server.get("/metrics").send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let answer = server.get("/metrics").basic(CLIENT.0, CLIENT.1).send().await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    for line in [
        "# TYPE tokenkeep_reuses_total counter",
        "tokenkeep_logins_total 2",
        "tokenkeep_reuses_total 1",
        r#"http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="200",http_route="/auth/login"} 2"#,
        r#"http_server_request_duration_seconds_bucket{http_request_method="GET",http_response_status_code="200",http_route="/api/me",le="+Inf"} 1"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
    holds_none(&text, &secrets);
}

#[tokio::test]
async fn audit_events_say_who_did_what() {
    let setup = Setup::sqlite();
    let server = setup.server().await;
    let secrets = story(&server).await;
    let lines = setup.audit_lines();
    let events: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["event"].as_str().expect("a name"), event["user"].as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("login_refused", None),
            ("login_refused", Some("alice")),
            ("login", Some("alice")),
            ("refresh", Some("alice")),
            ("reuse", Some("alice")),
            ("login", Some("admin")),
            ("logout", Some("admin")),
        ]
    );
    assert_eq!(events[2]["session"], events[4]["session"]);
    assert_eq!(events[2]["from"], "127.0.0.1");
    assert_eq!(events[2]["time"], "2027-01-15T08:00:00.000Z");
    holds_none(&lines.join("\n"), &secrets);
}

/// A collector that passes on what it receives.
async fn collector() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (sender, spans) = mpsc::unbounded_channel();
    let hear = async |State(sender): State<mpsc::UnboundedSender<Value>>,
                      Json(body): Json<Value>| {
        let _ = sender.send(body);
        Json(serde_json::json!({}))
    };
    let router = Router::new().route("/v1/traces", post(hear)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), spans)
}

#[tokio::test]
async fn traces_go_to_the_collector_by_their_conventions() {
    let setup = Setup::sqlite();
    let (url, mut sent) = collector().await;
    let server = setup.server_with(|config| config.collector = Some(url)).await;
    let secrets = story(&server).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    server.get("/healthz").header("traceparent", parent).send().await;

    let mut spans = Vec::new();
    while !spans.iter().any(|span: &Value| span["name"] == "GET /healthz") {
        let body = timeout(Duration::from_secs(10), sent.recv()).await.expect("in time");
        let body = body.expect("spans");
        holds_none(&body.to_string(), &secrets);
        let more = body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned();
        spans.extend(more.expect("spans"));
    }
    let named = |name: &str| spans.iter().find(|span| span["name"] == name).expect("a span");
    let health = named("GET /healthz");
    assert_eq!(health["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(health["parentSpanId"], "00f067aa0ba902b7");
    let login = named("POST /auth/login").to_string();
    for part in [
        r#"{"key":"http.request.method","value":{"stringValue":"POST"}}"#,
        r#"{"key":"http.route","value":{"stringValue":"/auth/login"}}"#,
        r#""kind":2"#,
    ] {
        assert!(login.contains(part), "{part} in {login}");
    }
    named("GET");
}
