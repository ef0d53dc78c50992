//! Login, logout, and which user a token belongs to (rule 9).

use js_sys::JSON;
use tokenkeep::{Code, Endpoint, Event, Notice, Status};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Response;

use crate::support::{
    Heard, Server, json, lull, own, refused, request, start, text, token, token_error, tokens,
};

const LOGIN: &str = r#"{"access_token":"one","refresh_token":"r1","expires_in":300,"user":{"name":"alice"},"list":[1]}"#;

#[wasm_bindgen_test]
async fn a_login_takes_the_tokens_out_and_resolves_to_the_rest() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let login = server.login(&auth);
    let call = server.call("login").await;
    assert_eq!(call.token(), None);
    assert_eq!(call.text().await, r#"{"password":"wonderland"}"#);
    call.answer(&json(200, LOGIN));
    let rest = JSON::stringify(&login.outcome().await.unwrap()).unwrap();
    assert_eq!(rest, r#"{"expires_in":300,"user":{"name":"alice"},"list":[1]}"#);
    assert_eq!(auth.state().status, Status::SignedIn);
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
}

#[wasm_bindgen_test]
async fn a_wrong_password_is_rejected_with_the_answer_and_keeps_the_session() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let login = server.login(&auth);
    server.call("login").await.answer(&json(401, r#"{"message":"Wrong password."}"#));
    let error = login.outcome().await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Code::Rejected, Some(401)));
    assert!(!error.is_retryable());
    let response: &Response = error.cause().unwrap().dyn_ref().expect("the answer");
    assert_eq!(text(response).await, r#"{"message":"Wrong password."}"#);
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
}

#[wasm_bindgen_test]
async fn a_login_that_reaches_no_server_is_an_outage() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let login = server.login(&auth);
    let reason: JsValue = js_sys::TypeError::new("Load failed").into();
    server.call("login").await.fail(&reason);
    let error = login.outcome().await.unwrap_err();
    assert_eq!((error.code(), error.cause()), (Code::Network, Some(&reason)));
    assert_eq!(auth.state().status, Status::SignedIn);
}

#[wasm_bindgen_test]
async fn a_login_waits_for_the_refresh_on_the_wire() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let _refreshed = server.refresh(&auth);
    let refresh = server.call("refresh").await;
    let _login = server.login(&auth);
    server.is_left_alone().await;
    refresh.answer(&token("two"));
    server.call("login").await;
}

#[wasm_bindgen_test]
async fn a_logout_ends_the_session_at_the_call() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let heard = Heard::of(&auth);
    lull().await;
    let out = request("POST", &server.url("logout"), &JsValue::UNDEFINED);
    let mut told = Box::pin(auth.logout(Some(&out)));
    assert!(futures::future::poll_immediate(&mut told).await.is_none());
    assert_eq!(auth.state().status, Status::SignedOut);
    assert_eq!(heard.words(), ["signed out", "SignOut(Logout)"]);
    server.call("logout").await.answer(&json(200, "{}"));
    told.await.unwrap();
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_logout_waits_for_its_turn_on_the_wire_and_a_late_refresh_commits_nothing() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let heard = Heard::of(&auth);
    let refreshed = server.refresh(&auth);
    let refresh = server.call("refresh").await;
    let clone = auth.clone();
    let out = request("POST", &server.url("logout"), &JsValue::UNDEFINED);
    let told = start(async move { clone.logout(Some(&out)).await });
    assert_eq!(refreshed.outcome().await.unwrap_err().code(), Code::SessionChanged);
    assert_eq!(auth.state().status, Status::SignedOut);
    server.is_left_alone().await;
    assert!(!refresh.request.signal().aborted(), "what sets the cookie is let finish");
    refresh.answer(&token("two"));
    let logout = server.call("logout").await;
    logout.answer(&json(200, "{}"));
    told.outcome().await.unwrap();
    assert_eq!(auth.state().status, Status::SignedOut);
    assert_eq!(heard.words(), ["signed out", "SignOut(Logout)"]);
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token(), None);
}

#[wasm_bindgen_test]
async fn a_login_overtaken_by_a_logout_commits_nothing() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let login = server.login(&auth);
    let call = server.call("login").await;
    let clone = auth.clone();
    let _told = start(async move { clone.logout(None).await });
    lull().await;
    call.answer(&token("one"));
    assert_eq!(login.outcome().await.unwrap_err().code(), Code::SessionChanged);
    assert_eq!(auth.state().status, Status::SignedOut);
}

#[wasm_bindgen_test]
async fn a_request_of_the_last_user_never_meets_the_next_ones_token() {
    let server = Server::new();
    let auth = server.signed_in("alices");
    let response = server.get(&auth, "api/transfer");
    let call = server.call("api/transfer").await;
    let login = server.login(&auth);
    server.call("login").await.answer(&token("bobs"));
    login.outcome().await.unwrap();
    call.answer(&refused("expired"));
    let response = response.outcome().await.unwrap();
    assert_eq!((response.status(), text(&response).await.as_str()), (401, "expired"));
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_request_that_waits_while_its_user_signs_out_is_not_sent() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let response = server.get(&auth, "api/transfer");
    let refresh = server.call("refresh").await;
    let clone = auth.clone();
    let _told = start(async move { clone.logout(None).await });
    assert_eq!(token_error(response.outcome().await).code(), Code::SessionChanged);
    refresh.answer(&token("one"));
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_logout_is_sent_where_the_options_say() {
    let server = Server::new();
    let auth = server.manager(|options| {
        let mut logout = Endpoint::new(server.url("sign-out"));
        logout.method = "delete".into();
        options.logout = Some(logout);
    });
    auth.set_tokens(tokens("one")).unwrap();
    let told = start(async move { auth.logout(None).await });
    let call = server.call("sign-out").await;
    assert_eq!(call.request.method(), "DELETE");
    call.answer(&json(200, "{}"));
    told.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_logout_without_an_endpoint_sends_nothing() {
    let server = Server::new();
    let auth = server.signed_in("one");
    auth.logout(None).await.unwrap();
    assert_eq!(auth.state().status, Status::SignedOut);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_logout_that_the_server_fails_rejects_with_its_answer_and_ends_the_session_here() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let out = request("POST", &server.url("logout"), &JsValue::UNDEFINED);
    let clone = auth.clone();
    let told = start(async move { clone.logout(Some(&out)).await });
    server.call("logout").await.answer(&json(503, r#"{"why":"maintenance"}"#));
    let error = own(told.outcome().await.unwrap_err());
    assert_eq!((error.code(), error.status()), (Code::BadStatus, Some(503)));
    let response: &Response = error.cause().unwrap().dyn_ref().expect("the answer");
    assert_eq!(text(response).await, r#"{"why":"maintenance"}"#);
    assert_eq!(auth.state().status, Status::SignedOut);
}

#[wasm_bindgen_test]
async fn the_apps_own_login_hands_its_tokens_over() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let heard = Heard::of(&auth);
    auth.set_tokens(tokens("one")).unwrap();
    assert_eq!(heard.words(), ["signed in"], "at the call");
    assert!(auth.state().expires_at.is_some());
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
}

#[wasm_bindgen_test]
async fn the_token_is_not_exposed_to_the_app_by_default() {
    let server = Server::new();
    let auth = server.signed_in("one");
    assert_eq!(auth.access_token().await.unwrap_err().code(), Code::NotExposed);
}

#[wasm_bindgen_test]
async fn the_token_is_exposed_to_the_app_if_it_says_so() {
    let server = Server::new();
    let auth = server.manager(|options| options.expose_token = true);
    let clone = auth.clone();
    let exposed = start(async move { clone.access_token().await });
    server.call("refresh").await.answer(&token("one"));
    assert_eq!(exposed.outcome().await.unwrap().reveal(), "one");
    auth.logout(None).await.unwrap();
    assert_eq!(auth.access_token().await.unwrap_err().code(), Code::SignedOut);
}

#[wasm_bindgen_test]
async fn a_renewal_is_reported_as_an_event() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let events = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = std::rc::Rc::clone(&events);
    let _subscription = auth.subscribe(move |notice| {
        if matches!(notice, Notice::Event(Event::Refresh, _)) {
            count.set(count.get() + 1);
        }
    });
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("two"));
    refreshed.outcome().await.unwrap();
    assert_eq!(events.get(), 1);
}
