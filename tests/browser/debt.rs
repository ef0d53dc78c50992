//! A logout that the server has not heard of outlives the page, as a mark (rule 9).

use tokenkeep::{Endpoint, Options, Status, TokenManager};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Storage;

use crate::stage::{Server, answer, json, lull, request, start, token, tokens};

fn storage() -> Storage {
    web_sys::window().unwrap().local_storage().unwrap().expect("a page has it")
}

/// What is stored under names that have this in them.
fn stored(part: &str) -> Vec<String> {
    let storage = storage();
    let keys = (0..storage.length().unwrap()).filter_map(|at| storage.key(at).unwrap());
    keys.filter(|key| key.contains(part))
        .filter_map(|key| storage.get_item(&key).unwrap())
        .collect()
}

fn with_logout(server: &Server) -> impl Fn(&mut Options) {
    let url = server.url("logout");
    move |options| options.logout = Some(Endpoint::new(url.as_str()))
}

/// A page whose logout could not be told to the server, and is gone.
async fn a_page_that_went_before_the_server_heard(server: &Server, auth: TokenManager) {
    auth.set_tokens(tokens("s3cr3t-one")).unwrap();
    let out = request("POST", &server.url("logout?all=s3cr3t"), &JsValue::UNDEFINED);
    let told = start(async move { auth.logout(Some(&out)).await });
    server.call("logout?all=s3cr3t").await.fail(&"offline".into());
    told.outcome().await.unwrap_err();
}

#[wasm_bindgen_test]
async fn an_owed_logout_is_finished_at_the_next_start_before_anything_is_restored() {
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
    assert!(stored(&server.url("refresh")).is_empty(), "the debt is paid");
    let again = server.manager(with_logout(&server));
    assert_eq!(again.state().status, Status::Unknown);
}

#[wasm_bindgen_test]
async fn a_logout_that_fails_again_is_owed_still() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(|_| {})).await;
    for _ in 0..2 {
        let _auth = server.manager(|_| {});
        server.call("logout").await.answer(&answer(503, &[], None));
        lull().await;
    }
    let _auth = server.manager(|_| {});
    server.call("logout").await;
}

#[wasm_bindgen_test]
async fn the_mark_is_set_before_the_server_is_told() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let out = request("POST", &server.url("logout"), &JsValue::UNDEFINED);
    let told = start(async move { auth.logout(Some(&out)).await });
    let call = server.call("logout").await;
    assert_eq!(stored(&server.url("refresh")).len(), 1, "the page may be gone any moment");
    call.answer(&json(200, "{}"));
    told.outcome().await.unwrap();
    assert!(stored(&server.url("refresh")).is_empty());
}

#[wasm_bindgen_test]
async fn nothing_secret_is_stored() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(|_| {})).await;
    assert_eq!(stored(&server.url("refresh")), [format!("POST {}", server.url("logout"))]);
    assert!(stored("").iter().all(|value| !value.contains("s3cr3t")));
}

#[wasm_bindgen_test]
async fn a_mark_that_cannot_be_read_is_a_mark_still() {
    for garbage in ["", "1", "POST javascript:alert(1)", "TRACE https://x.test/", "\u{1f4a9}"] {
        let server = Server::new();
        let key = format!("tokenkeep {} logout owed", server.url("refresh"));
        storage().set_item(&key, garbage).unwrap();
        let auth = server.manager(with_logout(&server));
        assert_eq!(auth.state().status, Status::SignedOut, "{garbage}");
        server.call("logout").await;
    }
}

#[wasm_bindgen_test]
async fn a_login_forgives_the_debt() {
    let server = Server::new();
    a_page_that_went_before_the_server_heard(&server, server.manager(|_| {})).await;
    let auth = server.manager(|_| {});
    server.call("logout").await.fail(&"offline still".into());
    let login = server.login(&auth);
    server.call("login").await.answer(&token("two"));
    login.outcome().await.unwrap();
    assert!(stored(&server.url("refresh")).is_empty());
}
