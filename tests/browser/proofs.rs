//! The header fields that prove to the server that no foreign page made the call, and where they are sent.

use tokenkeep::{Content, Credentials};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{HtmlDocument, RequestCredentials};

use crate::support::{Server, json, pause, token, within_bound};

fn document() -> HtmlDocument {
    web_sys::window().unwrap().document().unwrap().unchecked_into()
}

fn set_cookie(cookie: &str) {
    document().set_cookie(cookie).unwrap();
}

/// WebKit still shows a removed cookie for a moment.
async fn remove_cookie(name: &str) {
    set_cookie(&format!("{name}=; Max-Age=0"));
    let gone = async {
        while document().cookie().unwrap().split("; ").any(|pair| pair.starts_with(name)) {
            pause(0.0).await;
        }
    };
    within_bound(gone, "the end of a cookie").await;
}

#[wasm_bindgen_test]
async fn the_csrf_cookie_is_read_anew_for_each_refresh() {
    let server = Server::new();
    let auth = server.manager(|o| o.csrf = Some(("XSRF-TOKEN".into(), "X-XSRF-TOKEN".into())));
    set_cookie("not-XSRF-TOKEN=wrong");
    for value in ["first", "second=with=signs"] {
        set_cookie(&format!("XSRF-TOKEN={value}"));
        let refreshed = server.refresh(&auth);
        let call = server.call("refresh").await;
        assert_eq!(call.header("X-XSRF-TOKEN").as_deref(), Some(value));
        call.answer(&token("one"));
        refreshed.outcome().await.unwrap();
    }
    remove_cookie("XSRF-TOKEN").await;
    let _refreshed = server.refresh(&auth);
    assert_eq!(server.call("refresh").await.header("X-XSRF-TOKEN"), None);
}

#[wasm_bindgen_test]
async fn a_login_carries_the_proof_too() {
    let server = Server::new();
    let auth = server.manager(|o| o.csrf = Some(("csrf-of-login".into(), "X-CSRF".into())));
    set_cookie("csrf-of-login=value");
    let _login = server.login(&auth);
    let call = server.call("login").await;
    assert_eq!(call.header("X-CSRF").as_deref(), Some("value"));
    assert_eq!(call.header("X-Requested-With").as_deref(), Some("tokenkeep"));
    set_cookie("csrf-of-login=; Max-Age=0");
}

#[wasm_bindgen_test]
async fn the_app_may_set_its_own_proof() {
    let server = Server::new();
    let auth = server.manager(|options| {
        options.refresh.headers = vec![("x-requested-with".into(), "my-app".into())];
    });
    let _refreshed = server.refresh(&auth);
    let call = server.call("refresh").await;
    assert_eq!(call.header("X-Requested-With").as_deref(), Some("my-app"));
}

#[wasm_bindgen_test]
async fn a_refresh_to_another_origin_has_no_header_that_needs_a_preflight() {
    let server = Server::new();
    let auth = server.manager(|options| options.refresh.url = server.url_elsewhere("refresh"));
    let _refreshed = server.refresh(&auth);
    let call = server.call("refresh").await;
    assert_eq!(call.header("X-Requested-With"), None);
    assert_eq!(call.request.credentials(), RequestCredentials::Include);
}

#[wasm_bindgen_test]
async fn the_refresh_is_sent_as_the_options_describe() {
    let server = Server::new();
    let auth = server.manager(|options| {
        options.refresh.method = "PUT".into();
        options.refresh.content = Content::Fields(vec![("client".into(), "s\"pa".into())]);
        options.refresh.credentials = Credentials::SameOrigin;
    });
    let refreshed = server.refresh(&auth);
    let call = server.call("refresh").await;
    assert_eq!(call.request.method(), "PUT");
    assert_eq!(call.request.credentials(), RequestCredentials::SameOrigin);
    assert_eq!(call.header("Content-Type").as_deref(), Some("application/json"));
    assert_eq!(call.text().await, r#"{"client":"s\"pa"}"#);
    call.answer(&json(200, r#"{"access_token":"one"}"#));
    refreshed.outcome().await.unwrap();
}
