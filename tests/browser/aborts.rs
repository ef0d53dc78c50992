//! Logins and logouts whose caller aborts them: they settle at once, wherever they wait (rule 7).

use tokenkeep::{Endpoint, FetchError, Options, Status, TokenManager};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{AbortController, Request, RequestInit};

use crate::support::{Server, Started, answer, start, token, tokens};

/// A call that the controller can abort.
fn torn_by(controller: &AbortController, url: &str) -> Request {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_signal(Some(&controller.signal()));
    Request::new_with_str_and_init(url, &init).unwrap()
}

fn login(
    server: &Server,
    auth: &TokenManager,
    controller: &AbortController,
) -> Started<Result<JsValue, FetchError>> {
    let (auth, request) = (auth.clone(), torn_by(controller, &server.url("login")));
    start(async move { auth.login(&request).await })
}

fn logout(
    server: &Server,
    auth: &TokenManager,
    controller: &AbortController,
) -> Started<Result<(), FetchError>> {
    let (auth, request) = (auth.clone(), torn_by(controller, &server.url("logout")));
    start(async move { auth.logout(Some(&request)).await })
}

fn with_logout(server: &Server) -> impl FnOnce(&mut Options) {
    let url = server.url("logout");
    move |options| options.logout = Some(Endpoint::new(url))
}

async fn reason<T>(started: Started<Result<T, FetchError>>) -> JsValue {
    match started.outcome().await {
        Err(FetchError::Platform(reason)) => reason,
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it went well"),
    }
}

#[wasm_bindgen_test]
async fn a_queued_login_that_is_aborted_settles_at_once_and_leaves_the_queue() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    let refresh = server.call("refresh").await;
    let controller = AbortController::new().unwrap();
    let login = login(&server, &auth, &controller);
    server.is_left_alone().await;
    controller.abort_with_reason(&"closed".into());
    assert_eq!(reason(login).await, "closed");
    refresh.answer(&token("one"));
    refreshed.outcome().await.unwrap();
    server.is_left_alone().await;
    assert_eq!(auth.state().status, Status::SignedIn);
}

#[wasm_bindgen_test]
async fn a_login_waiting_for_another_tabs_lock_settles_at_once_when_aborted() {
    let server = Server::new();
    let (auth, other) = (server.manager(|_| {}), server.manager(|_| {}));
    let _refreshed = server.refresh(&other);
    let refresh = server.call("refresh").await;
    let controller = AbortController::new().unwrap();
    let login = login(&server, &auth, &controller);
    server.is_left_alone().await;
    controller.abort_with_reason(&JsValue::NULL);
    assert!(reason(login).await.is_null(), "a reason may be anything");
    refresh.answer(&token("one"));
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_login_on_the_wire_is_aborted_and_gives_its_turn_back() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let controller = AbortController::new().unwrap();
    let login = login(&server, &auth, &controller);
    let call = server.call("login").await;
    controller.abort_with_reason(&"closed".into());
    assert_eq!(reason(login).await, "closed");
    assert!(call.request.signal().aborted());
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_login_aborted_before_it_begins_is_never_queued() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let controller = AbortController::new().unwrap();
    controller.abort_with_reason(&"closed".into());
    assert_eq!(reason(login(&server, &auth, &controller)).await, "closed");
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn an_aborted_logout_has_ended_the_session_and_stays_pending() {
    for when in ["before it begins", "in line", "on the wire"] {
        let server = Server::new();
        let auth = server.manager(with_logout(&server));
        auth.set_tokens(tokens("one")).unwrap();
        let controller = AbortController::new().unwrap();
        let refreshed = (when == "in line").then(|| server.refresh(&auth));
        let refresh = if refreshed.is_some() { Some(server.call("refresh").await) } else { None };
        if when == "before it begins" {
            controller.abort_with_reason(&"closed".into());
        }
        let logout = logout(&server, &auth, &controller);
        if when == "on the wire" {
            let _torn = server.call("logout").await;
        } else {
            server.is_left_alone().await;
        }
        controller.abort_with_reason(&"closed".into());
        assert_eq!(reason(logout).await, "closed", "{when}");
        assert_eq!(auth.state().status, Status::SignedOut, "{when}");
        if let Some(refresh) = refresh {
            refresh.answer(&token("late"));
        }
        server.is_left_alone().await;
        let _next_page = server.manager(with_logout(&server));
        server.call("logout").await.answer(&answer(204, &[], None));
        server.is_left_alone().await;
    }
}
