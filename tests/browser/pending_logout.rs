//! A logout that has not reached the server outlives the page, as a mark (rule 9).

use tokenkeep::{Code, Endpoint, Options, Sends, Status, TokenManager};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Storage;

use crate::support::{
    Console, Server, answer, json, lull, request, share_of, start, token, tokens,
};

fn storage() -> Storage {
    web_sys::window().unwrap().local_storage().unwrap().expect("a page has it")
}

/// The storage key of the mark, for managers with these options.
fn place(server: &Server, change: impl Fn(&mut Options)) -> String {
    format!("{} logout owed", share_of(server, change))
}

/// The mark of managers with the option `logout`.
fn mark(server: &Server) -> Option<String> {
    storage().get_item(&place(server, with_logout(server))).unwrap()
}

fn with_logout(server: &Server) -> impl Fn(&mut Options) + use<> {
    let url = server.url("logout");
    move |options| options.logout = Some(Endpoint::new(url.as_str()))
}

/// A page whose logout did not reach the server, and which is closed.
async fn a_page_that_went_before_the_server_heard(server: &Server, auth: TokenManager) {
    auth.set_tokens(tokens("s3cr3t-one")).unwrap();
    let out = request("POST", &server.url("logout?all=s3cr3t"), &JsValue::UNDEFINED);
    let told = start(async move { auth.logout(Some(&out)).await });
    server.call("logout?all=s3cr3t").await.fail(&"offline".into());
    told.outcome().await.unwrap_err();
}

#[wasm_bindgen_test]
async fn a_pending_logout_is_finished_at_the_next_start_before_anything_is_restored() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(with_logout(&server))).await;
    let auth = server.manager(with_logout(&server));
    assert_eq!(auth.state().status, Status::SignedOut);
    let logout = server.call("logout").await;
    let _response = server.get(&auth, "api/news");
    let call = server.call("api/news").await;
    assert_eq!(call.token(), None, "nothing is restored");
    logout.answer(&answer(204, &[], None));
    server.is_left_alone().await;
    assert_eq!(mark(&server), None, "the server is told");
    let again = server.manager(with_logout(&server));
    assert_eq!(again.state().status, Status::Unknown);
}

#[wasm_bindgen_test]
async fn a_logout_that_fails_again_stays_pending() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(with_logout(&server))).await;
    for _ in 0..2 {
        let _auth = server.manager(with_logout(&server));
        server.call("logout").await.answer(&answer(503, &[], None));
        lull().await;
    }
    let _auth = server.manager(with_logout(&server));
    server.call("logout").await;
}

#[wasm_bindgen_test]
async fn the_mark_is_set_before_the_server_is_told() {
    let server = Server::new();
    let auth = server.manager(with_logout(&server));
    auth.set_tokens(tokens("one")).unwrap();
    let told = start(async move { auth.logout(None).await });
    let call = server.call("logout").await;
    let name = place(&server, |options| with_logout(&server)(options));
    assert!(storage().get_item(&name).unwrap().is_some(), "the page may be gone any moment");
    call.answer(&json(200, "{}"));
    told.outcome().await.unwrap();
    assert_eq!(storage().get_item(&name).unwrap(), None);
}

#[wasm_bindgen_test]
async fn the_mark_contains_a_time_and_neither_url_nor_secret() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(with_logout(&server))).await;
    let storage = storage();
    let name = place(&server, |_| {});
    assert_eq!(storage.get_item(&name).unwrap(), None, "another manager's");
    let keys: Vec<String> =
        (0..storage.length().unwrap()).filter_map(|at| storage.key(at).unwrap()).collect();
    for key in keys {
        let value = storage.get_item(&key).unwrap().unwrap();
        assert!(!key.contains("://") && !value.contains("://"), "{key}: {value}");
        assert!(!key.contains("s3cr3t") && !value.contains("s3cr3t"), "{key}: {value}");
    }
}

#[wasm_bindgen_test]
async fn an_unreadable_mark_still_counts_and_calls_only_the_options_url() {
    for garbage in ["", "1e400", "POST https://evil.test/", "\u{1f4a9}"] {
        let server = Server::new();
        storage().set_item(&place(&server, with_logout(&server)), garbage).unwrap();
        let auth = server.manager(with_logout(&server));
        assert_eq!(auth.state().status, Status::SignedOut, "{garbage}");
        server.call("logout").await;
        server.is_left_alone().await;
    }
}

#[wasm_bindgen_test]
async fn an_expired_mark_is_ignored() {
    let server = Server::new();
    let name = place(&server, with_logout(&server));
    storage().set_item(&name, "1000000000000").unwrap();
    let auth = server.manager(with_logout(&server));
    assert_eq!(auth.state().status, Status::Unknown);
    server.is_left_alone().await;
    assert_eq!(storage().get_item(&name).unwrap(), None);
}

#[wasm_bindgen_test]
async fn a_logout_that_no_later_page_can_finish_is_marked_untold() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(|_| {})).await;
    let console = Console::new();
    let auth = server.manager(|_| {});
    assert_eq!(auth.state().status, Status::SignedOut, "nothing is restored");
    let told = console.text();
    assert!(told.contains("server was not told of the last logout"), "{told}");
    let error = auth.refresh().await.unwrap_err();
    assert_eq!(error.code(), Code::SignedOut);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_logout_with_a_token_sends_it_again_until_the_server_answers() {
    let server = Server::new();
    let url = server.url("logout");
    let auth = server.manager(|options| {
        let sends = Some(Sends::Access);
        let mut logout = Endpoint::new(url.as_str());
        logout.sends = sends;
        options.logout = Some(logout);
    });
    auth.set_tokens(tokens("one")).unwrap();
    for (status, is_told) in [(503, false), (500, false), (204, true)] {
        let auth = auth.clone();
        let told = start(async move { auth.logout(None).await });
        let call = server.call("logout").await;
        assert_eq!(call.token().as_deref(), Some("Bearer one"), "{status}");
        call.answer(&answer(status, &[], None));
        assert_eq!(told.outcome().await.is_ok(), is_told, "{status}");
    }
    let told = start(async move { auth.logout(None).await });
    let call = server.call("logout").await;
    assert_eq!(call.token(), None, "it is told, and forgotten");
    call.answer(&answer(204, &[], None));
    told.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn a_login_removes_the_mark() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(with_logout(&server))).await;
    let auth = server.manager(with_logout(&server));
    server.call("logout").await.fail(&"offline still".into());
    let login = server.login(&auth);
    server.call("login").await.answer(&token("two"));
    login.outcome().await.unwrap();
    assert_eq!(mark(&server), None);
}

#[wasm_bindgen_test]
async fn a_sign_in_elsewhere_removes_the_mark() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(with_logout(&server))).await;
    let auth = server.manager(with_logout(&server));
    auth.signed_in().unwrap();
    assert_eq!(mark(&server), None);
    let _response = server.get(&auth, "api/me");
    server.call("refresh").await.answer(&token("two"));
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer two"));
}
