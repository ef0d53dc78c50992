//! Two managers in one page behave like two tabs.

use futures::StreamExt as _;
use futures::channel::mpsc;
use js_sys::{Function, Object, Reflect};
use tokenkeep::{Options, Status, Tabs, TokenManager};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::support::{
    Clock, Console, Heard, Server, Timers, json, jwt, lull, microtasks, refused, request, share_of,
    start, text, token, tokens, within_bound, without,
};

/// Two tabs, of which the first signs in and the second hears of it.
async fn two_tabs(server: &Server) -> (TokenManager, TokenManager) {
    let (first, second) = (server.manager(|_| {}), server.manager(|_| {}));
    let mut heard = Heard::of(&second);
    first.set_tokens(tokens("one")).unwrap();
    heard.next().await;
    (first, second)
}

#[wasm_bindgen_test]
async fn refreshes_of_two_tabs_never_overlap() {
    let server = Server::new();
    let lock = |options: &mut Options| options.tabs = Tabs::Lock;
    let (first, second) = (server.manager(lock), server.manager(lock));
    let refreshes = [server.refresh(&first), server.refresh(&second)];
    let refresh = server.call("refresh").await;
    server.is_left_alone().await;
    refresh.answer(&token("first"));
    server.call("refresh").await.answer(&token("second"));
    for refreshed in refreshes {
        refreshed.outcome().await.unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_logout_waits_for_the_refresh_of_another_tab() {
    let server = Server::new();
    let (first, second) = (server.manager(|_| {}), server.manager(|_| {}));
    let _refreshed = server.refresh(&first);
    let refresh = server.call("refresh").await;
    let out = request("POST", &server.url("logout"), &JsValue::UNDEFINED);
    let _told = start(async move { second.logout(Some(&out)).await });
    server.is_left_alone().await;
    refresh.answer(&token("late"));
    server.call("logout").await;
    assert_eq!(first.state().status, Status::SignedOut);
}

#[wasm_bindgen_test]
async fn a_tab_that_had_to_wait_takes_the_others_token() {
    let server = Server::new();
    let clock = Clock::new();
    let (first, second) = two_tabs(&server).await;
    let refreshes = [server.refresh(&first), server.refresh(&second)];
    // Both have asked. The lock, and so the refresh, comes later: only such a refresh counts for both.
    microtasks().await;
    clock.advance(1.0);
    server.call("refresh").await.answer(&token("two"));
    for refreshed in refreshes {
        refreshed.outcome().await.unwrap();
    }
    for tab in [&first, &second] {
        let _response = server.get(tab, "api/me");
        assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer two"));
    }
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_renewed_token_is_shared_with_all_tabs() {
    let server = Server::new();
    let (first, second) = two_tabs(&server).await;
    let mut heard = Heard::of(&second);
    let _refreshed = server.refresh(&first);
    server.call("refresh").await.answer(&token("two"));
    heard.next().await;
    let _response = server.get(&second, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer two"));
}

#[wasm_bindgen_test]
async fn a_starting_tab_takes_the_current_token() {
    let server = Server::new();
    let first = server.signed_in("one");
    let second = server.manager(|_| {});
    Heard::of(&second).next().await;
    let _response = server.get(&second, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
    server.is_left_alone().await;
    drop(first);
}

#[wasm_bindgen_test]
async fn a_logout_applies_to_all_tabs() {
    let server = Server::new();
    let (first, second) = two_tabs(&server).await;
    let mut heard = Heard::of(&second);
    first.logout(None).await.unwrap();
    heard.next().await;
    lull().await;
    assert_eq!(heard.words(), ["signed out", "SignOut(OtherTab)"]);
    let _response = server.get(&second, "api/me");
    assert_eq!(server.call("api/me").await.token(), None);
}

#[wasm_bindgen_test]
async fn another_users_login_removes_the_old_token_from_all_tabs_and_old_requests_stay_old() {
    let server = Server::new();
    let (first, second) = two_tabs(&server).await;
    let response = server.get(&second, "api/transfer");
    let call = server.call("api/transfer").await;
    let mut heard = Heard::of(&second);
    first.set_tokens(tokens(&jwt(r#"{"sub":"bob"}"#))).unwrap();
    heard.next().await;
    assert_eq!(second.state().claims.as_deref(), Some(r#"{"sub":"bob"}"#));
    call.answer(&refused("expired"));
    assert_eq!(text(&response.outcome().await.unwrap()).await, "expired");
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn tabs_that_only_take_turns_request_their_own_token() {
    let server = Server::new();
    let clock = Clock::new();
    let lock = |options: &mut Options| options.tabs = Tabs::Lock;
    let (first, second) = (server.manager(lock), server.manager(lock));
    second.set_tokens(tokens("the-last-users")).unwrap();
    let mut heard = Heard::of(&second);
    clock.advance(10.0);
    first.set_tokens(tokens("one")).unwrap();
    heard.next().await;
    assert_eq!(heard.words(), ["unknown"], "the last user's token is gone");
    let _response = server.get(&second, "api/me");
    server.call("refresh").await.answer(&token("own"));
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer own"));
    drop(first);
}

#[wasm_bindgen_test]
async fn tabs_with_tabs_off_tell_each_other_nothing() {
    let server = Server::new();
    let off = |options: &mut Options| options.tabs = Tabs::Off;
    let (first, second) = (server.manager(off), server.manager(off));
    let refreshes = [server.refresh(&first), server.refresh(&second)];
    let calls = [server.call("refresh").await, server.call("refresh").await];
    calls.into_iter().for_each(|call| call.answer(&token("own")));
    for refreshed in refreshes {
        refreshed.outcome().await.unwrap();
    }
    first.logout(None).await.unwrap();
    lull().await;
    assert_eq!(second.state().status, Status::SignedIn);
}

#[wasm_bindgen_test]
async fn a_closed_tab_neither_hears_nor_answers() {
    let server = Server::new();
    let (first, second) = two_tabs(&server).await;
    drop((first, second));
    // A tab that is still there would answer before a third tab does.
    let asks = server.manager(|_| {});
    let third = server.manager(|_| {});
    let mut heard = Heard::of(&asks);
    lull().await;
    third.set_tokens(tokens("three")).unwrap();
    heard.next().await;
    let _response = server.get(&asks, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer three"));
}

#[wasm_bindgen_test]
async fn a_closed_tab_answers_nothing_even_with_its_refresh_on_the_wire() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refresh = Box::pin(auth.refresh());
    drop(futures::future::select(refresh, Box::pin(lull())).await);
    let _on_the_wire = server.call("refresh").await;
    drop(auth);
    let live = server.signed_in("live");
    let channel = BroadcastChannel::new(&share_of(&server, |_| {})).unwrap();
    let (replied, mut replies) = mpsc::unbounded();
    let reply = Closure::<dyn FnMut(JsValue)>::new(move |event| {
        replied.unbounded_send(event).expect("somebody counts");
    });
    lull().await;
    channel.set_onmessage(Some(reply.as_ref().unchecked_ref()));
    // Questions that come together get one answer.
    for _ in 0..3 {
        channel.post_message(&message("ask", "", 0.0)).unwrap();
        within_bound(replies.next(), "a reply").await.unwrap();
    }
    lull().await;
    assert!(replies.try_recv().is_err(), "the live tab answers each, and nobody else does");
    drop(live);
    channel.set_onmessage(None);
    channel.close();
}

#[wasm_bindgen_test]
async fn an_unavailable_lock_is_not_waited_for_without_end() {
    let server = Server::new();
    let lock = |options: &mut Options| options.tabs = Tabs::Lock;
    let (first, second) = (server.manager(lock), server.manager(lock));
    let _held = server.refresh(&first);
    let _call = server.call("refresh").await;
    let timers = Timers::new();
    let refreshed = server.refresh(&second);
    server.is_left_alone().await;
    // Thirty seconds, plus the longest permitted hold.
    timers.run_out(60_250.0);
    let error = refreshed.outcome().await.unwrap_err();
    assert_eq!(error.code(), tokenkeep::Code::Timeout);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn without_locks_and_channels_a_tab_works_alone() {
    let server = Server::new();
    let _locks = without(["navigator", "locks"]);
    let _channels = without(["globalThis", "BroadcastChannel"]);
    let console = Console::new();
    let auth = server.manager(|_| {});
    let refreshes = [server.refresh(&auth), server.refresh(&auth)];
    server.call("refresh").await.answer(&token("one"));
    for refreshed in refreshes {
        refreshed.outcome().await.unwrap();
    }
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
    let _another = server.manager(|_| {});
    let told = console.text();
    // Once per page: an earlier test may have caused it.
    assert!(told.matches("each tab refreshes on its own").count() <= 1, "{told}");
}

#[wasm_bindgen_test]
async fn a_page_that_returns_from_the_history_asks_what_it_missed() {
    let server = Server::new();
    let auth = server.signed_in("one");
    lull().await;
    let mut other_tab = OtherTab::of(&server);
    page_is_shown(false);
    page_is_shown(true);
    assert_eq!(other_tab.next_kind().await, "missed");
    let mut heard = Heard::of(&auth);
    other_tab.post(&message("left", "", js_sys::Date::now() + 2.0));
    heard.next().await;
    assert_eq!(auth.state().status, Status::SignedOut);
}

#[wasm_bindgen_test]
async fn a_page_that_was_away_hears_of_the_logout() {
    let server = Server::new();
    let auth = server.signed_in("one");
    auth.logout(None).await.unwrap();
    lull().await;
    let mut other_tab = OtherTab::of(&server);
    other_tab.post(&message("missed", "", 1.0));
    assert_eq!(other_tab.next_kind().await, "left");
}

#[wasm_bindgen_test]
async fn a_refused_refresh_is_compared_with_another_tabs_news() {
    let server = Server::new();
    let auth = server.signed_in("one");
    lull().await;
    let mut heard = Heard::of(&auth);
    let other_tab = OtherTab::of(&server);
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&json(401, "{}"));
    other_tab.post(&message("renewed", "two", js_sys::Date::now() + 1.0));
    refreshed.outcome().await.unwrap();
    heard.next().await;
    assert_eq!(heard.words(), ["signed in", "Refresh"]);
}

/// The page is shown for the first time, or returns from the back/forward cache.
fn page_is_shown(persisted: bool) {
    let event = format!("Object.assign(new Event('pageshow'), {{ persisted: {persisted} }})");
    let show = Function::new_no_args(&format!("dispatchEvent({event})"));
    show.call0(&JsValue::UNDEFINED).unwrap();
}

/// Another tab, simulated by its messages.
struct OtherTab {
    channel: BroadcastChannel,
    messages: mpsc::UnboundedReceiver<JsValue>,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

impl OtherTab {
    fn of(server: &Server) -> Self {
        let channel = BroadcastChannel::new(&share_of(server, |_| {})).unwrap();
        let (told, messages) = mpsc::unbounded();
        // The test may be over.
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            let _ = told.unbounded_send(event.data());
        });
        channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        Self { channel, messages, _heard: heard }
    }

    fn post(&self, message: &JsValue) {
        self.channel.post_message(message).unwrap();
    }

    async fn next_kind(&mut self) -> String {
        loop {
            let message = within_bound(self.messages.next(), "a message").await.unwrap();
            let kind = Reflect::get(&message, &"kind".into()).unwrap().as_string().unwrap();
            // Meant for the manager that was made to learn the channel's name.
            if kind != "here" {
                return kind;
            }
        }
    }
}

impl Drop for OtherTab {
    fn drop(&mut self) {
        self.channel.set_onmessage(None);
        self.channel.close();
    }
}

/// A message with a token, as another tab sends it.
fn message(kind: &str, token: &str, stamp: f64) -> Object {
    let message = Object::new();
    let now = js_sys::Date::now();
    let members: [(&str, JsValue); 7] = [
        ("tokenkeep", 2.into()),
        ("kind", kind.into()),
        ("stamp", stamp.into()),
        ("session", 0.into()),
        ("accessToken", token.into()),
        ("life", 300_000.into()),
        ("at", now.into()),
    ];
    for (name, value) in members {
        Reflect::set(&message, &name.into(), &value).unwrap();
    }
    message
}

/// The same with one member changed.
fn with(message: Object, name: &str, value: impl Into<JsValue>) -> JsValue {
    Reflect::set(&message, &name.into(), &value.into()).unwrap();
    message.into()
}

#[wasm_bindgen_test]
async fn only_exact_messages_of_another_tab_change_anything() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let mut heard = Heard::of(&auth);
    lull().await;
    let channel = BroadcastChannel::new(&share_of(&server, |_| {})).unwrap();
    let later = js_sys::Date::now() + 60_000.0;
    let evil = |kind| message(kind, "evil", later);
    let bad: Vec<JsValue> = vec![
        JsValue::UNDEFINED,
        JsValue::NULL,
        "renewed".into(),
        1.into(),
        js_sys::Array::of1(&"renewed".into()).into(),
        Object::new().into(),
        with(evil("renewed"), "tokenkeep", 1),
        with(evil("renewed"), "tokenkeep", "2"),
        with(evil("renewed"), "tokenkeep", JsValue::UNDEFINED),
        with(evil("renewed"), "kind", "Renewed"),
        with(evil("renewed"), "kind", 1),
        with(evil("renewed"), "kind", JsValue::UNDEFINED),
        with(evil("renewed"), "stamp", later.to_string()),
        with(evil("renewed"), "stamp", f64::NAN),
        with(evil("renewed"), "stamp", f64::INFINITY),
        with(evil("renewed"), "stamp", -1),
        with(evil("renewed"), "stamp", 1e300),
        with(evil("renewed"), "stamp", 9_007_199_254_740_991.0),
        with(evil("renewed"), "stamp", JsValue::UNDEFINED),
        with(evil("renewed"), "session", "0"),
        with(evil("renewed"), "session", JsValue::UNDEFINED),
        with(evil("renewed"), "accessToken", "evil\r\nX-Evil: 1"),
        with(evil("renewed"), "accessToken", "evil\n"),
        with(evil("renewed"), "accessToken", ""),
        with(evil("renewed"), "accessToken", 7),
        with(evil("renewed"), "accessToken", "e".repeat(1 << 20)),
        with(evil("renewed"), "accessToken", JsValue::UNDEFINED),
        with(evil("renewed"), "at", "now"),
        with(evil("renewed"), "at", JsValue::UNDEFINED),
        with(evil("entered"), "stamp", 9_007_199_254_740_991.0),
        with(evil("entered"), "stamp", later.to_string()),
        with(evil("left"), "stamp", "0"),
        with(evil("left"), "stamp", JsValue::UNDEFINED),
    ];
    for bad in &bad {
        channel.post_message(bad).unwrap();
    }
    // Messages arrive in order: when this good one has arrived, all before it have been judged.
    channel.post_message(&message("renewed", "good", js_sys::Date::now() + 1.0)).unwrap();
    heard.next().await;
    assert_eq!(heard.words().len(), 2, "{:?}", heard.words());
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer good"));
    server.is_left_alone().await;
    channel.close();
}

#[wasm_bindgen_test]
async fn an_odd_life_in_a_message_does_no_harm() {
    for life in [JsValue::UNDEFINED, "soon".into(), 1e300.into(), f64::INFINITY.into()] {
        let server = Server::new();
        let auth = server.signed_in("one");
        let mut heard = Heard::of(&auth);
        lull().await;
        let channel = BroadcastChannel::new(&share_of(&server, |_| {})).unwrap();
        let odd = message("renewed", "two", js_sys::Date::now() + 1.0);
        channel.post_message(&with(odd, "life", life)).unwrap();
        heard.next().await;
        assert_eq!(auth.state().status, Status::SignedIn);
        let _response = server.get(&auth, "api/me");
        assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer two"));
        channel.close();
    }
}
