//! The switches of --demo: each fault does what its name says, and tests can use the faults to order events.

use std::net::SocketAddr;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tokenkeep_server::serve;

use crate::{
    access::KINDS,
    harness::{
        Server, Setup,
        wire::{self, between},
    },
    on_all_stores,
};

on_all_stores!(
    every_access_token_can_be_revoked_while_sessions_live_on,
    every_session_can_be_ended,
    the_counters_count_and_can_be_reset,
);

async fn demo(setup: &Setup) -> Server {
    setup.server_with(|config| config.demo = true).await
}

impl Server {
    async fn faults(&self, faults: Value) {
        let answer = self.call(Method::PUT, "/demo/faults").json(faults).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }

    async fn until_held(&self, of: &str, count: usize) {
        let path = format!("/demo/held?of={of}&count={count}");
        let answer = self.get(&path).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
}

async fn every_access_token_can_be_revoked_while_sessions_live_on(setup: Setup) {
    for kind in KINDS {
        let server = setup
            .server_with(|config| {
                config.demo = true;
                config.tokens = kind;
            })
            .await;
        let session = server.login().await;
        let answer = server.post("/demo/revoke").send().await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        let answer = server.me(&session.access).send().await;
        assert_eq!(answer.error(), "invalid_token");
        // Issued in the same millisecond, and valid all the same.
        let newer = server.refresh(&session.cookie).send().await.session();
        assert_eq!(server.me_status(&newer.access).await, StatusCode::OK);
    }
}

async fn every_session_can_be_ended(setup: Setup) {
    let server = demo(&setup).await;
    let session = server.login().await;
    server.post("/demo/end").send().await;
    assert_eq!(server.me_status(&session.access).await, StatusCode::UNAUTHORIZED);
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
}

async fn the_counters_count_and_can_be_reset(setup: Setup) {
    let server = demo(&setup).await;
    let session = server.login().await;
    let session = server.refresh(&session.cookie).send().await.session();
    server.me(&session.access).send().await;
    server.me("made-up").send().await;
    let logout = server.post("/auth/logout").proof().cookie(&session.cookie);
    logout.send().await;
    assert_eq!(
        server.get("/demo/counters").send().await.json(),
        json!({
            "logins": 1, "refreshes": 1, "reuses": 0, "logouts": 1, "api_ok": 1, "api_401": 1,
            "revoked_families": 1,
        })
    );
    server.post("/demo/reset").send().await;
    assert_eq!(server.counter("logins").await, 0);
    assert_eq!(server.get("/demo/log").send().await.json(), json!([]));
}

/// DNS rebinding: a foreign name that points to this machine gives a foreign page the same origin as this
/// server.
#[tokio::test]
async fn the_switches_answer_only_to_this_machines_own_names() {
    let setup = Setup::sqlite();
    let server = demo(&setup).await;
    for (host, status) in [
        ("evil.example:8080", StatusCode::NOT_FOUND),
        ("127.0.0.1.evil.example", StatusCode::NOT_FOUND),
        ("localhost.evil.example", StatusCode::NOT_FOUND),
        ("10.0.0.1", StatusCode::NOT_FOUND),
        ("evil@127.0.0.1:evil", StatusCode::NOT_FOUND),
        ("", StatusCode::NOT_FOUND),
        ("127.0.0.1:8080", StatusCode::NO_CONTENT),
        ("localhost:8080", StatusCode::NO_CONTENT),
        ("app.localhost:8080", StatusCode::NO_CONTENT),
        ("[::1]:8080", StatusCode::NO_CONTENT),
    ] {
        let origin = format!("http://{host}");
        let call = server.post("/demo/reset").host(host).header("origin", &origin);
        assert_eq!(call.send().await.status, status, "{host}");
    }
}

#[tokio::test]
async fn a_fault_answers_in_place_of_the_server() {
    let setup = Setup::sqlite();
    let server = demo(&setup).await;
    let session = server.login().await;
    for (fault, status, kind) in [
        ("down", 503, "application/json"),
        ("limited", 429, "application/json"),
        ("html", 200, "text/html; charset=utf-8"),
        ("broken", 200, "application/json"),
    ] {
        server.faults(json!({ "refresh": fault, "delay_ms": 2500 })).await;
        let answer = server.refresh(&session.cookie).send().await;
        assert_eq!(answer.status.as_u16(), status, "{fault}");
        assert_eq!(answer.header("content-type"), kind, "{fault}");
        assert_eq!(answer.set_cookie(), "", "{fault}");
        if fault == "limited" {
            assert_eq!(answer.header("retry-after"), "3");
        }
        // The other addresses work as usual.
        assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
    }
    server.faults(json!({})).await;
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_held_call_is_carried_out_and_its_answer_waits_for_the_release() {
    let setup = Setup::sqlite();
    let server = demo(&setup).await;
    let session = server.login().await;
    server.faults(json!({ "refresh": "hold", "api": "hold" })).await;
    let refresh = tokio::spawn(server.refresh(&session.cookie).send());
    let me = tokio::spawn(server.me(&session.access).send());
    server.until_held("refresh", 1).await;
    server.until_held("api", 1).await;
    assert_eq!(server.counter("refreshes").await, 1);
    assert!(!refresh.is_finished() && !me.is_finished());

    server.post("/demo/release?of=refresh").send().await;
    let answer = refresh.await.expect("a call");
    assert_eq!(answer.status, StatusCode::OK);
    assert!(!me.is_finished());
    let held = server.get("/demo/held").send().await.json();
    assert_eq!(held, json!({ "login": 0, "refresh": 0, "logout": 0, "api": 1 }));
    server.post("/demo/release").send().await;
    assert_eq!(me.await.expect("a call").status, StatusCode::OK);
}

#[tokio::test]
async fn the_log_shows_which_calls_to_the_auth_endpoints_overlap() {
    let setup = Setup::sqlite();
    let server = demo(&setup).await;
    let session = server.login().await;
    server.faults(json!({ "refresh": "hold" })).await;
    let held = tokio::spawn(server.refresh(&session.cookie).send());
    server.until_held("refresh", 1).await;
    server.login().await;
    server.me(&session.access).send().await;
    server.post("/demo/release").send().await;
    held.await.expect("a call");
    server.login().await;

    let log = server.get("/demo/log").send().await.json();
    let beside: Vec<_> =
        log.as_array().expect("a list").iter().map(|entry| entry["beside"].as_u64()).collect();
    assert_eq!(beside, [Some(0), Some(0), Some(1), Some(1), Some(0)]);
}

#[tokio::test]
async fn a_wrong_switch_gets_a_clear_400() {
    let setup = Setup::sqlite();
    let server = demo(&setup).await;
    for body in [r#"{"refresh":"sideways"}"#, r#"{"refesh":"down"}"#, "{"] {
        let answer =
            server.call(Method::PUT, "/demo/faults").body("application/json", body).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let faults = server.get("/demo/faults").send().await.json();
    assert_eq!(faults["refresh"], "ok");
}

#[tokio::test]
async fn only_this_machine_and_this_page_may_use_the_switches() {
    let setup = Setup::sqlite();
    let server = demo(&setup).await;
    let away = server.get("/demo/log").from([192, 0, 2, 1]).send().await;
    assert_eq!(away.status, StatusCode::NOT_FOUND);
    let other = server.post("/demo/end").header("origin", "https://evil.example");
    assert_eq!(other.send().await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_log_distinguishes_tokens_and_shows_none() {
    let setup = Setup::sqlite();
    let server = demo(&setup).await;
    let session = server.login().await;
    server.me(&session.access).send().await;
    let newer = server.refresh(&session.cookie).send().await.session();
    server.me(&newer.access).send().await;

    let answer = server.get("/demo/log").send().await;
    let log = answer.json();
    let seen: Vec<_> = log
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| (entry["method"].as_str(), entry["path"].as_str(), entry["status"].as_u64()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("POST"), Some("/auth/login"), Some(200)),
            (Some("GET"), Some("/api/me"), Some(200)),
            (Some("POST"), Some("/auth/refresh"), Some(200)),
            (Some("GET"), Some("/api/me"), Some(200)),
        ]
    );
    let token = |n: usize| log[n]["token"].as_str().map(str::len);
    assert_eq!((token(0), token(1), token(3)), (None, Some(8), Some(8)));
    assert_ne!(log[1]["token"], log[3]["token"]);
    assert_eq!(log[0]["at_ms"], setup.now());
    for secret in [session.access, session.cookie, newer.access] {
        assert!(!answer.text().contains(&secret));
    }
}

#[tokio::test]
async fn a_cut_connection_carries_no_answer() {
    let setup = Setup::sqlite();
    let running = running(&setup).await;
    let at = running.address;
    let cookie = wire::login(at).await;

    put_faults(at, r#"{"refresh":"reset"}"#).await;
    assert!(wire::refresh(at, &cookie).await.is_err());
    // Not carried out: the cookie is still good.
    put_faults(at, r#"{"refresh":"ok"}"#).await;
    let answer = wire::refresh(at, &cookie).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let log = wire::send(at, "GET /demo/log", &[], "").await.expect("an answer");
    assert!(log.contains(r#""path":"/auth/refresh","status":null"#), "{log}");
    running.stop().await;
}

#[tokio::test]
async fn a_call_with_a_lost_answer_was_carried_out_and_its_repeat_is_no_reuse() {
    let setup = Setup::sqlite();
    let running = running(&setup).await;
    let at = running.address;
    let cookie = wire::login(at).await;

    put_faults(at, r#"{"refresh":"lost"}"#).await;
    // As a browser repeats it by itself.
    for _ in 0..2 {
        assert!(wire::refresh(at, &cookie).await.is_err());
    }
    let counters = wire::send(at, "GET /demo/counters", &[], "").await.expect("an answer");
    assert_eq!(between(&counters, r#""refreshes":"#, ","), "1");
    assert_eq!(between(&counters, r#""reuses":"#, ","), "0");
    // But a blind retry is a reuse.
    put_faults(at, "{}").await;
    let answer = wire::refresh(at, &cookie).await.expect("an answer");
    assert!(answer.contains("invalid_grant"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_held_answer_does_not_delay_the_stop() {
    let setup = Setup::sqlite();
    let running = running(&setup).await;
    let at = running.address;
    let cookie = wire::login(at).await;
    put_faults(at, r#"{"refresh":"hold"}"#).await;
    let held = tokio::spawn(async move { wire::refresh(at, &cookie).await });
    wire::send(at, "GET /demo/held?of=refresh&count=1", &[], "").await.expect("an answer");
    running.stop().await;
    // It was released, not cut off.
    let answer = held.await.expect("a call").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn the_plain_cookie_works_over_http_and_counts_as_the_strict_one() {
    let setup = Setup::sqlite();
    let server = setup
        .server_with(|config| {
            config.demo = true;
            config.plain_cookie = true;
        })
        .await;
    let login = server
        .post("/auth/login")
        .proof()
        .json(json!({ "username": "alice", "password": "wonderland" }))
        .send()
        .await;
    let cookie = login.set_cookie();
    let attributes = "; HttpOnly; SameSite=Strict; Path=/; Max-Age=604800";
    assert!(cookie.starts_with("refresh=") && cookie.ends_with(attributes), "{cookie}");
    let pair = cookie.split(';').next().expect("a pair");
    let again = server.post("/auth/refresh").proof().header("cookie", &format!("a=b; {pair}"));
    assert_eq!(again.send().await.status, StatusCode::OK);
}

async fn running(setup: &Setup) -> serve::Running {
    let mut config = setup.config();
    config.demo = true;
    serve::start(config).await.expect("the server starts")
}

async fn put_faults(at: SocketAddr, faults: &str) {
    let answer = wire::send(at, "PUT /demo/faults", &[], faults).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
