//! The same manager without `window` and `document`: in a dedicated worker.

#![cfg(target_arch = "wasm32")]

#[expect(dead_code, unused_imports, reason = "the support is built for the page's tests")]
mod support;

use support::{Heard, Server, json, refused, token};
use tokenkeep::Status;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
async fn a_worker_signs_in_refreshes_and_sends_again() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let heard = Heard::of(&auth);
    let login = server.login(&auth);
    server.call("login").await.answer(&token("one"));
    login.outcome().await.unwrap();
    let response = server.get(&auth, "api/me");
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Bearer one"));
    call.answer(&refused("expired"));
    server.call("refresh").await.answer(&token("two"));
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Bearer two"));
    call.answer(&json(200, "{}"));
    assert_eq!(response.outcome().await.unwrap().status(), 200);
    auth.logout(None).await.unwrap();
    assert_eq!(auth.state().status, Status::SignedOut);
    assert_eq!(
        heard.words(),
        ["signed in", "signed in", "Refresh", "signed out", "SignOut(Logout)"]
    );
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_relative_url_is_resolved_against_the_worker() {
    let _server = Server::new();
    let auth = tokenkeep::TokenManager::new(tokenkeep::Options::new("/auth/refresh"));
    assert!(auth.is_ok());
}

#[wasm_bindgen_test]
async fn workers_pass_a_token_on_as_tabs_do() {
    let server = Server::new();
    let first = server.signed_in("one");
    let second = server.manager(|_| {});
    Heard::of(&second).next().await;
    assert_eq!(second.state().status, Status::SignedIn);
    drop(first);
}
