//! A refused refresh ends the session, once (rule 8).

use tokenkeep::{Code, Status};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Heard, Server, answer, json, refused, text};

#[wasm_bindgen_test]
async fn every_caller_of_a_refused_refresh_gets_its_own_401_and_the_session_ends_once() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let heard = Heard::of(&auth);
    let responses: Vec<_> = (0..10).map(|n| server.get(&auth, &format!("api/{n}"))).collect();
    for n in 0..10 {
        server.call(&format!("api/{n}")).await.answer(&refused(&format!("body {n}")));
    }
    server.call("refresh").await.answer(&json(401, r#"{"error":"invalid_grant"}"#));
    for (n, response) in responses.into_iter().enumerate() {
        let response = response.outcome().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(text(&response).await, format!("body {n}"));
    }
    assert_eq!(heard.words(), ["signed out", "SignOut(Rejected)"]);
    assert_eq!(auth.state().status, Status::SignedOut);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_refused_restore_ends_no_session() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let heard = Heard::of(&auth);
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&json(401, r#"{"error":"no_session"}"#));
    let error = refreshed.outcome().await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Code::Rejected, Some(401)));
    assert!(!error.is_retryable());
    assert_eq!(heard.words(), ["signed out"]);
}

#[wasm_bindgen_test]
async fn a_refusal_needs_no_body() {
    let server = Server::new();
    for status in [400, 401, 403] {
        let auth = server.signed_in("one");
        let refreshed = server.refresh(&auth);
        server.call("refresh").await.answer(&answer(status, &[], None));
        assert_eq!(refreshed.outcome().await.unwrap_err().code(), Code::Rejected, "{status}");
        assert_eq!(auth.state().status, Status::SignedOut, "{status}");
    }
}

#[wasm_bindgen_test]
async fn an_html_page_instead_of_a_refusal_ends_nothing() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let refreshed = server.refresh(&auth);
    let page = answer(403, &[("Content-Type", "text/html")], Some("<h1>Blocked</h1>"));
    server.call("refresh").await.answer(&page);
    let error = refreshed.outcome().await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Code::BadStatus, Some(403)));
    assert!(error.is_retryable());
    assert_eq!(auth.state().status, Status::SignedIn);
}
