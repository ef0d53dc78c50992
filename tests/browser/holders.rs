//! The lock around the calls that set the cookie, and holders that sleep past their time.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Promise;
use tokenkeep::{Code, Options, Tabs, TokenError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Clock, Server, Started, Timers, json, lull, token};

#[wasm_bindgen(inline_js = "
export function hold(name, mode) {
  return new Promise((held) => {
    const gone = navigator.locks.request(name, { mode }, () => new Promise(() => held([gone]))).catch(() => {})
  })
}
export function steal(name) {
  return navigator.locks.request(name, { steal: true }, () => {})
}
")]
extern "C" {
    /// Holds a lock and never releases it. Resolves when it is held, to a promise that resolves when it is
    /// lost.
    fn hold(name: &str, mode: &str) -> Promise;

    /// Takes a lock away from its holder.
    fn steal(name: &str) -> Promise;
}

fn lock_of(server: &Server) -> String {
    format!("tokenkeep {}", server.url("refresh"))
}

/// A page that has the lock, and does nothing any more. Its time is over in `ms` milliseconds. Returns
/// whether it has lost the lock.
async fn frozen_holder(server: &Server, ms: f64) -> Rc<Cell<bool>> {
    let lease = format!("{} until {}", lock_of(server), js_sys::Date::now() + ms);
    JsFuture::from(hold(&lease, "shared")).await.unwrap();
    let gone = JsFuture::from(hold(&lock_of(server), "exclusive")).await.unwrap();
    let gone: Promise = gone.unchecked_into::<js_sys::Array>().get(0).unchecked_into();
    let is_lost = Rc::<Cell<bool>>::default();
    let lost = Rc::clone(&is_lost);
    spawn_local(async move {
        let _ = JsFuture::from(gone).await;
        lost.set(true);
    });
    is_lost
}

#[wasm_bindgen_test]
async fn a_lock_is_taken_if_its_holder_sleeps_past_its_time() {
    let server = Server::new();
    let is_lost = frozen_holder(&server, -1.0).await;
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
    assert!(is_lost.get());
}

#[wasm_bindgen_test]
async fn a_lock_whose_holder_has_time_left_is_waited_for() {
    let server = Server::new();
    let clock = Clock::new();
    let is_lost = frozen_holder(&server, 10_000.0).await;
    let auth = server.manager(|_| {});
    let timers = Timers::new();
    let refreshed = server.refresh(&auth);
    server.is_left_alone().await;
    timers.go_off(9_500.0..=10_500.0);
    server.is_left_alone().await;
    assert!(!is_lost.get(), "its time is not over");
    clock.advance(60_000.0);
    timers.go_off(9_500.0..=10_500.0);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn of_two_tabs_that_find_the_lock_overdue_one_takes_it_and_the_other_waits() {
    let server = Server::new();
    let _lost = frozen_holder(&server, -1.0).await;
    let lock = |options: &mut Options| options.tabs = Tabs::Lock;
    let (first, second) = (server.manager(lock), server.manager(lock));
    let refreshes = [server.refresh(&first), server.refresh(&second)];
    let refresh = server.call("refresh").await;
    server.is_left_alone().await;
    refresh.answer(&token("one"));
    server.call("refresh").await.answer(&token("two"));
    for refreshed in refreshes {
        refreshed.outcome().await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_tab_that_slept_past_its_time_and_lost_the_lock_commits_nothing() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let refreshed = server.refresh(&auth);
    let refresh = server.call("refresh").await;
    let clock = Clock::new();
    clock.advance(60_000.0);
    JsFuture::from(steal(&lock_of(&server))).await.unwrap();
    refresh.answer(&token("late"));
    assert_eq!(refreshed.outcome().await.unwrap_err().code(), Code::Timeout);
    let _response = server.get(&auth, "api/me");
    lull().await;
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
}

#[wasm_bindgen_test]
async fn a_jumping_clock_costs_no_tab_its_lock() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    let refresh = server.call("refresh").await;
    let clock = Clock::new();
    clock.advance(86_400_000.0);
    refresh.answer(&token("one"));
    refreshed.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_lease_until_the_far_future_is_not_believed() {
    let server = Server::new();
    let is_lost = frozen_holder(&server, 1e13).await;
    let auth = server.manager(|_| {});
    let (timers, steady) = (Timers::new(), Clock::steady());
    let refreshed = server.refresh(&auth);
    server.is_left_alone().await;
    assert!(!is_lost.get());
    // The longest hold that these options permit, and a moment more.
    steady.advance(31_000.0);
    timers.go_off(30_000.0..=31_000.0);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
    assert!(is_lost.get());
}

/// A refresh that has got the lock from another tab, which had no news, and listens for news.
async fn listening(server: &Server) -> Started<Result<(), TokenError>> {
    let (first, second) = (server.manager(|_| {}), server.manager(|_| {}));
    let failed = server.refresh(&first);
    let call = server.call("refresh").await;
    let refreshed = server.refresh(&second);
    server.is_left_alone().await;
    call.fail(&"down".into());
    failed.outcome().await.unwrap_err();
    lull().await;
    refreshed
}

#[wasm_bindgen_test]
async fn a_busy_page_that_has_used_up_its_time_extends_it_and_sends() {
    let server = Server::new();
    let clock = Clock::new();
    let refreshed = listening(&server).await;
    clock.advance(5_000.0);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_tab_that_lost_the_lock_before_sending_waits_for_it_again() {
    let server = Server::new();
    let clock = Clock::new();
    let refreshed = listening(&server).await;
    clock.advance(20_000.0);
    JsFuture::from(steal(&lock_of(&server))).await.unwrap();
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_live_holder_extends_its_lease() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let (timers, clock) = (Timers::new(), Clock::new());
    let refreshed = server.refresh(&auth);
    let refresh = server.call("refresh").await;
    // Half of the call's time.
    clock.advance(5_200.0);
    timers.go_off(5_100.0..=5_250.0);
    lull().await;
    clock.advance(5_400.0);
    let other = server.manager(|_| {});
    let waiting = server.get(&other, "api/me");
    lull().await;
    // The other tab would take the lock now if the lease had not been extended.
    timers.go_off(5_230.0..=5_310.0);
    server.is_left_alone().await;
    refresh.answer(&token("one"));
    refreshed.outcome().await.unwrap();
    server.call("api/me").await.answer(&json(200, "{}"));
    waiting.outcome().await.unwrap();
}
