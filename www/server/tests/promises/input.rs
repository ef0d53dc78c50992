//! Bad input is answered in JSON, which says what is wrong and quotes nothing of the input.

use axum::http::{Method, StatusCode};

use crate::{
    harness::{CLIENT, Setup},
    on_all_stores,
};

on_all_stores!(
    a_broken_body_gets_a_clear_400,
    a_huge_body_gets_a_clear_413,
    a_wrong_content_type_gets_a_clear_415,
    an_unknown_address_and_a_wrong_method_get_json_too,
    only_the_public_key_may_be_cached,
);

const BODIES: [&str; 3] = ["/auth/login", "/oauth/introspect", "/oauth/revoke"];

async fn a_broken_body_gets_a_clear_400(setup: Setup) {
    let server = setup.server().await;
    for path in BODIES {
        for (kind, body) in [
            ("application/json", r#"{"password": "wonderland""#),
            ("application/json", r#"["wonderland"]"#),
            ("application/json", r#"{"password": 7, "token": 7}"#),
            ("application/json", "wonder\u{0}land"),
            ("application/json", ""),
            ("application/x-www-form-urlencoded", "wonderland"),
            ("application/x-www-form-urlencoded", "%ff=wonderland&&="),
            ("multipart/form-data", "wonderland"),
            ("multipart/form-data; boundary=b", "--b\r\nwonderland"),
        ] {
            let answer = server.post(path).basic(CLIENT.0, CLIENT.1).body(kind, body).send().await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {kind} {body}");
            assert_eq!(answer.error(), "invalid_request");
            assert!(!answer.text().contains("wonder"));
        }
    }
}

async fn a_huge_body_gets_a_clear_413(setup: Setup) {
    let server = setup.server().await;
    for path in BODIES {
        for kind in ["application/json", "application/x-www-form-urlencoded"] {
            let answer = server
                .post(path)
                .basic(CLIENT.0, CLIENT.1)
                .body(kind, "x".repeat(17 * 1024))
                .send()
                .await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
            assert_eq!(answer.error(), "too_large");
        }
    }
}

async fn a_wrong_content_type_gets_a_clear_415(setup: Setup) {
    let server = setup.server().await;
    for path in BODIES {
        for kind in ["text/plain", "application/jsonp", ""] {
            let answer = server
                .post(path)
                .basic(CLIENT.0, CLIENT.1)
                .body(kind, r#"{"username":"alice","password":"wonderland"}"#)
                .send()
                .await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
            assert_eq!(answer.error(), "unsupported_media_type");
        }
    }
}

async fn an_unknown_address_and_a_wrong_method_get_json_too(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    for (method, path, status) in [
        (Method::GET, "/nowhere", StatusCode::NOT_FOUND),
        (Method::GET, "/api/nowhere", StatusCode::NOT_FOUND),
        (Method::GET, "/api/items/x", StatusCode::NOT_FOUND),
        (Method::GET, "/auth/login", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/auth/refresh", StatusCode::METHOD_NOT_ALLOWED),
        (Method::DELETE, "/api/me", StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, "/oauth/revoke", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let call = server.call(method, path).bearer(&session.access);
        let answer = call.send().await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["message"].is_string());
    }
    // Without --demo there are no switches.
    for path in ["/demo/counters", "/demo/log", "/demo/faults"] {
        assert_eq!(server.get(path).send().await.status, StatusCode::NOT_FOUND);
    }
}

async fn only_the_public_key_may_be_cached(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    for call in [
        server.try_login("alice", "wonderland"),
        server.try_login("alice", "wrong"),
        server.refresh(&session.cookie),
        server.refresh("made-up"),
        server.post("/auth/refresh"),
        server.post("/auth/refresh").proof(),
        server.post("/auth/logout").proof(),
        server.me(&session.access),
        server.me("made-up"),
        server.get("/api/admin").bearer(&session.access),
        server.get("/nowhere"),
        server.get("/auth/login"),
        server.get("/healthz"),
        server.post("/oauth/introspect"),
        server
            .post("/oauth/introspect")
            .basic(CLIENT.0, CLIENT.1)
            .form(&[("token", &session.access)]),
        server.post("/oauth/revoke").basic(CLIENT.0, CLIENT.1).form(&[("token", &session.access)]),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}
