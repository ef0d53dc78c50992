//! An outage signs nobody out, fails every waiting call alike, and is not made worse (rules 8 and 10).

use js_sys::{Function, Object, Reflect};
use tokenkeep::{Code, Status};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{ReadableStream, Response};

use crate::support::{
    Heard, Server, Timers, answer, json, lull, refused, start, token, token_error,
};

/// Ten calls get a 401, and then a refresh that fails with this reason.
async fn ten_callers_are_failed_by(reason: JsValue) {
    let server = Server::new();
    let auth = server.signed_in("one");
    let heard = Heard::of(&auth);
    let responses: Vec<_> = (0..10).map(|_| server.get(&auth, "api/me")).collect();
    for _ in 0..10 {
        server.call("api/me").await.answer(&refused("expired"));
    }
    server.call("refresh").await.fail(&reason);
    for response in responses {
        let error = token_error(response.outcome().await);
        assert_eq!(error.code(), Code::Network);
        assert!(error.is_retryable());
        assert_eq!(error.cause(), Some(&reason), "the platform's own error, the same object");
    }
    assert_eq!(auth.state().status, Status::SignedIn);
    assert_eq!(heard.words().len(), 1, "one event: {:?}", heard.words());
    assert!(heard.words()[0].starts_with("RefreshError("), "{:?}", heard.words());
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_refresh_that_reaches_no_server_fails_every_waiting_call_and_keeps_the_session() {
    ten_callers_are_failed_by(js_sys::TypeError::new("Failed to fetch").into()).await;
}

#[wasm_bindgen_test]
async fn a_refresh_may_be_failed_by_a_string() {
    ten_callers_are_failed_by("a service worker's mood".into()).await;
}

#[wasm_bindgen_test]
async fn a_refresh_may_be_failed_by_undefined() {
    ten_callers_are_failed_by(JsValue::UNDEFINED).await;
}

#[wasm_bindgen_test]
async fn a_fetch_that_throws_is_an_outage_too() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let throws = Function::new_no_args("throw 'out of order'");
    let real = Reflect::get(&js_sys::global(), &"fetch".into()).unwrap();
    Reflect::set(&js_sys::global(), &"fetch".into(), &throws).unwrap();
    let error = server.refresh(&auth).outcome().await.unwrap_err();
    Reflect::set(&js_sys::global(), &"fetch".into(), &real).unwrap();
    assert_eq!(error.code(), Code::Network);
    assert_eq!(error.cause(), Some(&"out of order".into()));
}

#[wasm_bindgen_test]
async fn an_answer_that_breaks_off_is_an_outage() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let refreshed = server.refresh(&auth);
    let source = Object::new();
    let breaks_off = Function::new_with_args("controller", "controller.error('cut')");
    Reflect::set(&source, &"start".into(), &breaks_off).unwrap();
    let stream = ReadableStream::new_with_underlying_source(&source).unwrap();
    let cut = Response::new_with_opt_readable_stream(Some(&stream)).unwrap();
    server.call("refresh").await.answer(&cut);
    let error = refreshed.outcome().await.unwrap_err();
    assert_eq!(error.code(), Code::Network);
    assert!(error.cause().is_some(), "in each engine's own words");
    assert_eq!(auth.state().status, Status::SignedIn);
}

#[wasm_bindgen_test]
async fn a_refresh_that_takes_too_long_is_aborted() {
    let timers = Timers::new();
    let server = Server::new();
    let auth = server.signed_in("one");
    let refreshed = server.refresh(&auth);
    let call = server.call("refresh").await;
    timers.run_out(10_000.0);
    let error = refreshed.outcome().await.unwrap_err();
    assert_eq!(error.code(), Code::Timeout);
    assert!(error.is_retryable());
    assert!(call.request.signal().aborted(), "it holds no connection any longer");
    assert_eq!(auth.state().status, Status::SignedIn);
    call.answer(&token("late"));
    server.is_left_alone().await;
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("two"));
    refreshed.outcome().await.expect("the turn is free again");
}

#[wasm_bindgen_test]
async fn a_body_that_never_ends_has_the_same_time_limit() {
    let timers = Timers::new();
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    let endless = ReadableStream::new_with_underlying_source(&Object::new()).unwrap();
    let endless = Response::new_with_opt_readable_stream(Some(&endless)).unwrap();
    server.call("refresh").await.answer(&endless);
    // The answer arrives, and its body is awaited.
    lull().await;
    timers.run_out(10_000.0);
    assert_eq!(refreshed.outcome().await.unwrap_err().code(), Code::Timeout);
}

#[wasm_bindgen_test]
async fn a_login_that_takes_too_long_gives_its_turn_back() {
    let timers = Timers::new();
    let server = Server::new();
    let auth = server.manager(|_| {});
    let login = server.login(&auth);
    let held = server.call("login").await;
    timers.run_out(30_000.0);
    assert_eq!(login.outcome().await.unwrap_err().code(), Code::Timeout);
    assert!(held.request.signal().aborted(), "late, its answer would set the cookie");
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn after_an_outage_the_next_callers_get_the_same_error_at_once() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let first = server.get(&auth, "api/me");
    let unavailable = [("Retry-After", "60"), ("Content-Type", "text/plain")];
    server.call("refresh").await.answer(&answer(503, &unavailable, Some("later")));
    let first = token_error(first.outcome().await);
    let second = token_error(server.get(&auth, "api/me").outcome().await);
    assert_eq!((first.code(), first.status()), (Code::BadStatus, Some(503)));
    assert_eq!(second.failure(), first.failure());
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn an_explicit_refresh_skips_the_back_off() {
    let server = Server::new();
    let auth = server.signed_in("one");
    for _ in 0..3 {
        let refreshed = server.refresh(&auth);
        server.call("refresh").await.fail(&"down".into());
        refreshed.outcome().await.unwrap_err();
    }
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("two"));
    refreshed.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn an_explicit_refresh_does_not_skip_retry_after() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&answer(429, &[("Retry-After", "60")], Some("later")));
    assert_eq!(refreshed.outcome().await.unwrap_err().status(), Some(429));
    assert_eq!(server.refresh(&auth).outcome().await.unwrap_err().status(), Some(429));
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn simultaneous_refreshes_are_one_call() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let refreshes: Vec<_> = (0..10).map(|_| server.refresh(&auth)).collect();
    server.call("refresh").await.answer(&token("two"));
    for refreshed in refreshes {
        refreshed.outcome().await.unwrap();
    }
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_caller_that_stops_waiting_does_not_stop_the_refresh() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let clone = auth.clone();
    let impatient = start(async move {
        let refresh = Box::pin(clone.refresh());
        let tick = Box::pin(lull());
        futures::future::select(refresh, tick).await;
    });
    let call = server.call("refresh").await;
    impatient.outcome().await;
    call.answer(&token("two"));
    lull().await;
    let response = server.get(&auth, "api/me");
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Bearer two"));
    call.answer(&json(200, "{}"));
    response.outcome().await.unwrap();
}
