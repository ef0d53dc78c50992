//! Locks and channels that exist but are denied, or never answer (rule 10): the tab works alone.

use tokenkeep::{Code, Status};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Server, Timers, lull, pause, token};

#[wasm_bindgen(inline_js = "
const denied = () => { throw new DOMException('denied', 'SecurityError') }
const redefine = (object, name, descriptor) => {
  const own = Object.getOwnPropertyDescriptor(object, name)
  Object.defineProperty(object, name, { configurable: true, ...descriptor })
  return () => own ? Object.defineProperty(object, name, own) : delete object[name]
}
const WAYS = {
  'request throws': () => redefine(navigator.locks, 'request', { value: denied }),
  'request rejects': () => redefine(navigator.locks, 'request', { value: async () => denied() }),
  'navigator.locks throws': () => redefine(navigator, 'locks', { get: denied }),
  'query rejects, and the lock is held': () => redefine(navigator.locks, 'query', { value: async () => denied() }),
  'BroadcastChannel throws': () => redefine(globalThis, 'BroadcastChannel', { get: denied }),
  'new BroadcastChannel throws': () => redefine(globalThis, 'BroadcastChannel', { value: class { constructor() { denied() } } }),
  'postMessage throws': () => redefine(BroadcastChannel.prototype, 'postMessage', { value: denied }),
  'the channel cannot be closed': () => redefine(BroadcastChannel.prototype, 'close', { value: denied }),
}
export const ways = () => Object.keys(WAYS)
export const deny = (way) => WAYS[way]()
export function stick() {
  const grants = []
  const undo = redefine(navigator.locks, 'request', { value: (name, options, grant) => new Promise(() => void grants.push(grant)) })
  return [undo, () => Promise.all(grants.map((grant) => Promise.race([grant({}), new Promise((late) => setTimeout(late, 1000, 'held'))])))]
}
")]
extern "C" {
    fn ways() -> Vec<JsValue>;

    /// Denies something in one of these ways. The returned function ends the denial.
    fn deny(way: &JsValue) -> js_sys::Function;

    /// Locks that never answer. Returns two functions: one ends it, the other grants all requests, and
    /// resolves to the outcome of each.
    fn stick() -> js_sys::Array;
}

#[wasm_bindgen_test]
async fn denied_locks_and_channels_prevent_no_refresh_login_or_logout() {
    for way in ways() {
        let server = Server::new();
        let undo = deny(&way);
        let auth = server.manager(|_| {});
        let refreshed = server.refresh(&auth);
        server.call("refresh").await.answer(&token("one"));
        refreshed.outcome().await.unwrap();
        let login = server.login(&auth);
        server.call("login").await.answer(&token("two"));
        login.outcome().await.unwrap();
        auth.logout(None).await.unwrap();
        assert_eq!(auth.state().status, Status::SignedOut, "{way:?}");
        drop(auth);
        undo.call0(&JsValue::UNDEFINED).unwrap();
    }
}

#[wasm_bindgen_test]
async fn locks_that_never_answer_are_waited_for_ten_seconds_and_given_back_when_late() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let timers = Timers::new();
    let stuck = stick();
    let [undo, grant_all] = [0, 1].map(|n| stuck.get(n).unchecked_into::<js_sys::Function>());
    let refreshed = server.refresh(&auth);
    // The call continues without a lock.
    pause(0.0).await;
    timers.run_out(10_000.0);
    assert_eq!(refreshed.outcome().await.unwrap_err().code(), Code::Timeout);
    let granted = grant_all.call0(&JsValue::UNDEFINED).unwrap();
    let outcomes = JsFuture::from(granted.unchecked_into::<js_sys::Promise>()).await.unwrap();
    for outcome in outcomes.unchecked_into::<js_sys::Array>() {
        assert!(outcome.is_undefined(), "it is given back at once");
    }
    undo.call0(&JsValue::UNDEFINED).unwrap();
    server.is_left_alone().await;
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.expect("the turn is free again");
    lull().await;
}
