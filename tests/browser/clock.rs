//! Early renewal, and the moments at which a page returns (rule 3).

use tokenkeep::{Code, Status};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Event;

use crate::support::{Clock, Server, Timers, json, start, token, tokens};

#[wasm_bindgen_test]
async fn a_token_near_its_end_is_renewed_before_the_request_leaves() {
    let clock = Clock::new();
    let server = Server::new();
    let auth = server.signed_in("one");
    clock.advance(269_000.0);
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
    clock.advance(2_000.0);
    let _response = server.get(&auth, "api/me");
    server.call("refresh").await.answer(&token("two"));
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer two"));
}

#[wasm_bindgen_test]
async fn after_a_failed_early_refresh_the_good_token_is_sent() {
    let clock = Clock::new();
    let server = Server::new();
    let auth = server.signed_in("one");
    clock.advance(280_000.0);
    let response = server.get(&auth, "api/me");
    server.call("refresh").await.fail(&"down".into());
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Bearer one"));
    call.answer(&json(200, "{}"));
    response.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn an_ended_token_is_not_sent_if_there_is_no_new_one() {
    let clock = Clock::new();
    let server = Server::new();
    let auth = server.signed_in("one");
    clock.advance(301_000.0);
    let response = server.get(&auth, "api/me");
    server.call("refresh").await.fail(&"down".into());
    let error = crate::support::token_error(response.outcome().await);
    assert_eq!(error.code(), Code::Network);
    server.is_left_alone().await;
    assert_eq!(auth.state().status, Status::SignedIn);
}

#[wasm_bindgen_test]
async fn a_clock_set_back_by_a_day_changes_nothing() {
    let clock = Clock::new();
    let server = Server::new();
    let auth = server.signed_in("one");
    clock.advance(-86_400_000.0);
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn the_margin_is_the_one_in_the_options() {
    let clock = Clock::new();
    let server = Server::new();
    let auth = server.manager(|options| options.refresh_before = Some(100_000.0));
    auth.set_tokens(tokens("one")).unwrap();
    clock.advance(201_000.0);
    let _response = server.get(&auth, "api/me");
    server.call("refresh").await;
}

/// A token that is near its end while there are no calls.
async fn at_the_end(is_in_use: bool, then: impl FnOnce(&Timers)) -> Server {
    let (clock, timers) = (Clock::new(), Timers::new());
    let server = Server::new();
    let auth = server.signed_in("one");
    if is_in_use {
        let response = server.get(&auth, "api/me");
        server.call("api/me").await.answer(&json(200, "{}"));
        response.outcome().await.unwrap();
    }
    clock.advance(290_000.0);
    then(&timers);
    crate::support::lull().await;
    // The future must live on after this function.
    drop(start(async move {
        let _auth = auth;
        futures::future::pending::<()>().await;
    }));
    server
}

#[wasm_bindgen_test]
async fn the_timer_renews_a_token_in_use() {
    let server = at_the_end(true, |timers| timers.go_off(260_000.0..=300_000.0)).await;
    server.call("refresh").await;
}

#[wasm_bindgen_test]
async fn the_timer_does_not_renew_an_unused_token() {
    let server = at_the_end(false, |timers| timers.go_off(260_000.0..=300_000.0)).await;
    server.is_left_alone().await;
}

fn dispatch(event: &str) {
    let event = Event::new(event).unwrap();
    web_sys::window().unwrap().dispatch_event(&event).unwrap();
}

#[wasm_bindgen_test]
async fn a_page_that_is_online_again_renews_a_token_in_use() {
    let server = at_the_end(true, |_| dispatch("online")).await;
    server.call("refresh").await;
}

#[wasm_bindgen_test]
async fn a_page_that_returns_renews_a_token_in_use() {
    let server = at_the_end(true, |_| dispatch("pageshow")).await;
    server.call("refresh").await;
}

#[wasm_bindgen_test]
async fn a_life_longer_than_a_timer_allows_sets_no_timer_that_fires_at_once() {
    let timers = Timers::new();
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    // Thirty days are more than 2^31 - 1 milliseconds.
    let body = r#"{"access_token":"one","expires_in":2592000}"#;
    server.call("refresh").await.answer(&json(200, body));
    refreshed.outcome().await.unwrap();
    assert_eq!(timers.count(2_000_000_000.0..=2_147_483_647.0), 1);
    assert_eq!(timers.count(2_147_483_648.0..=f64::MAX), 0);
    assert_eq!(timers.count(f64::MIN..=-1.0), 0);
}

#[wasm_bindgen_test]
async fn the_timer_of_a_long_life_fires_inside_the_margin() {
    let timers = Timers::new();
    let server = Server::new();
    let mut managers = Vec::new();
    for _ in 0..20 {
        let auth = server.manager(|options| options.tabs = tokenkeep::Tabs::Off);
        let refreshed = server.refresh(&auth);
        let body = r#"{"access_token":"one","expires_in":3600}"#;
        server.call("refresh").await.answer(&json(200, body));
        refreshed.outcome().await.unwrap();
        managers.push(auth);
    }
    // An hour, less a margin of half a minute, the first half of which is used for jitter.
    assert_eq!(timers.count(3_569_000.0..=3_585_000.0), 20);
    assert_eq!(timers.count(3_585_001.0..=f64::MAX), 0);
}
