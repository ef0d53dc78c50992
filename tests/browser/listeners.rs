//! What listeners are told, what they may do, and the end of a manager.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokenkeep::{Notice, Options, Status, TokenManager};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Heard, Server, Timers, json, lull, token, tokens};

#[wasm_bindgen_test]
async fn notices_come_once_each_in_the_order_of_events() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let heard = Heard::of(&auth);
    let login = server.login(&auth);
    server.call("login").await.answer(&token("one"));
    login.outcome().await.unwrap();
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("two"));
    refreshed.outcome().await.unwrap();
    auth.logout(None).await.unwrap();
    auth.logout(None).await.unwrap();
    assert_eq!(
        heard.words(),
        ["signed in", "signed in", "Refresh", "signed out", "SignOut(Logout)"]
    );
}

#[wasm_bindgen_test]
async fn the_state_matches_the_notice() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let states = Rc::<RefCell<Vec<bool>>>::default();
    let (clone, list) = (auth.clone(), Rc::clone(&states));
    let subscription = auth.subscribe(move |notice| {
        if let Notice::Changed(snapshot) = notice {
            list.borrow_mut().push(*snapshot == clone.state());
        }
    });
    auth.set_tokens(tokens("one")).unwrap();
    auth.logout(None).await.unwrap();
    assert_eq!(*states.borrow(), [true, true]);
    drop(subscription);
}

#[wasm_bindgen_test]
async fn a_listener_that_signs_out_does_no_harm() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let clone = auth.clone();
    let first = auth.subscribe(move |notice| {
        if let Notice::Changed(snapshot) = notice
            && snapshot.status == Status::SignedIn
        {
            let clone = clone.clone();
            wasm_bindgen_futures::spawn_local(async move { clone.logout(None).await.unwrap() });
        }
    });
    let second = Heard::of(&auth);
    auth.set_tokens(tokens("one")).unwrap();
    lull().await;
    assert_eq!(second.words(), ["signed in", "signed out", "SignOut(Logout)"]);
    assert_eq!(auth.state().status, Status::SignedOut);
    drop(first);
}

#[wasm_bindgen_test]
async fn an_event_caused_by_a_listener_is_reported_after_the_current_one() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let clone = auth.clone();
    let first = auth.subscribe(move |notice| {
        if let Notice::Changed(snapshot) = notice
            && snapshot.status == Status::SignedIn
        {
            // The session is over in the turn of the call, and nobody has to be told.
            drop(clone.logout(None));
        }
    });
    let second = Heard::of(&auth);
    auth.set_tokens(tokens("one")).unwrap();
    assert_eq!(second.words(), ["signed in", "signed out", "SignOut(Logout)"]);
    drop(first);
}

#[wasm_bindgen_test]
async fn a_listener_may_unsubscribe_while_it_is_called() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let slot = Rc::<RefCell<Option<tokenkeep::Subscription>>>::default();
    let told = Rc::new(Cell::new(0));
    let (inner, count) = (Rc::clone(&slot), Rc::clone(&told));
    slot.replace(Some(auth.subscribe(move |_| {
        count.set(count.get() + 1);
        inner.take();
    })));
    auth.set_tokens(tokens("one")).unwrap();
    auth.set_tokens(tokens("two")).unwrap();
    assert_eq!(told.get(), 1);
}

#[wasm_bindgen_test]
async fn a_dropped_subscription_hears_nothing_more() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let told = Rc::new(Cell::new(0));
    let count = Rc::clone(&told);
    let subscription = auth.subscribe(move |_| count.set(count.get() + 1));
    auth.set_tokens(tokens("one")).unwrap();
    drop(subscription);
    auth.set_tokens(tokens("two")).unwrap();
    assert_eq!(told.get(), 1);
}

#[wasm_bindgen_test]
async fn clones_are_the_same_manager() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let clone = auth.clone();
    assert!(clone == auth);
    assert!(clone != server.manager(|_| {}));
    auth.set_tokens(tokens("one")).unwrap();
    drop(auth);
    assert_eq!(clone.state().status, Status::SignedIn);
    let _response = server.get(&clone, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
}

#[wasm_bindgen_test]
async fn the_last_clone_removes_the_timers() {
    let timers = Timers::new();
    let server = Server::new();
    let auth = server.signed_in("one");
    lull().await;
    // Five minutes, less the margin of half a minute, spread by a twentieth.
    let renewal = 260_000.0..=300_000.0;
    assert_eq!(timers.count(renewal.clone()), 1);
    drop(auth);
    lull().await;
    assert_eq!(timers.count(renewal), 0);
}

/// A manager that is dropped while its own refresh is on the wire.
async fn dropped_during(server: &Server, answered_with: impl FnOnce(crate::support::Call)) {
    let auth = TokenManager::new(Options::new(server.url("refresh"))).unwrap();
    let told = Rc::new(Cell::new(0));
    let count = Rc::clone(&told);
    let _subscription = auth.subscribe(move |_| count.set(count.get() + 1));
    {
        // The future is dropped with the manager.
        let refresh = Box::pin(auth.refresh());
        futures::future::select(refresh, Box::pin(lull())).await;
    }
    let refresh = server.call("refresh").await;
    drop(auth);
    assert!(!refresh.request.signal().aborted(), "what sets the cookie is let finish");
    answered_with(refresh);
    server.is_left_alone().await;
    assert_eq!(told.get(), 0);
}

#[wasm_bindgen_test]
async fn an_answer_after_the_end_does_no_harm() {
    let server = Server::new();
    dropped_during(&server, |refresh| refresh.answer(&token("late"))).await;
    dropped_during(&server, |refresh| refresh.answer(&json(401, "{}"))).await;
    dropped_during(&server, |refresh| refresh.fail(&"late".into())).await;
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("next"));
    refreshed.outcome().await.expect("the lock was given back");
}
