//! Which requests get the token, and what happens before they are sent (rules 1 to 3, and 7).

use tokenkeep::{
    AnswerRule, Attach, Carrier, Code, Content, DpopKeys, Endpoint, Field, HeaderField, Options,
    Restore, Sends, Status, TokenManager,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

use crate::support::{Server, answer, json, refused, request, text, token, tokens};

#[wasm_bindgen_test]
async fn the_token_goes_to_the_api() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let response = server.get(&auth, "api/me");
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Bearer one"));
    call.answer(&json(200, r#"{"name":"alice"}"#));
    assert_eq!(text(&response.outcome().await.unwrap()).await, r#"{"name":"alice"}"#);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn the_token_goes_to_no_other_origin_and_a_401_from_there_goes_to_the_caller() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let elsewhere = request("GET", &server.url_elsewhere("api/me"), &JsValue::UNDEFINED);
    let response = server.send(&auth, elsewhere);
    let call = server.call("api/me").await;
    assert_eq!(call.token(), None);
    call.answer(&refused("who are you?"));
    assert_eq!(response.outcome().await.unwrap().status(), 401);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn the_token_goes_to_no_path_that_was_not_named() {
    let server = Server::new();
    let auth = server.manager(|options| options.apis = Some(vec![server.url("api")]));
    auth.set_tokens(tokens("one")).unwrap();
    for (path, expected) in [
        ("api", Some("Bearer one")),
        ("api/me", Some("Bearer one")),
        ("apix", None),
        ("static/api/me", None),
        ("api/../static", None),
    ] {
        let _response = server.get(&auth, path);
        let arrived = if path == "api/../static" { "static" } else { path };
        assert_eq!(server.call(arrived).await.token().as_deref(), expected, "{path}");
    }
}

#[wasm_bindgen_test]
async fn a_request_that_brings_its_own_authorization_is_left_alone() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let own = request("GET", &server.url("api/me"), &JsValue::UNDEFINED);
    own.headers().set("Authorization", "Basic YTpi").unwrap();
    let response = server.send(&auth, own);
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Basic YTpi"));
    call.answer(&refused("no"));
    assert_eq!(response.outcome().await.unwrap().status(), 401);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn the_header_and_its_scheme_are_the_ones_in_the_options() {
    let server = Server::new();
    for (scheme, expected) in [("Token", "Token one"), ("", "one")] {
        let auth = server.manager(|o| o.attach = Attach::Header("X-Access".into(), scheme.into()));
        auth.set_tokens(tokens("one")).unwrap();
        let _response = server.get(&auth, "api/me");
        let call = server.call("api/me").await;
        assert_eq!(call.header("X-Access").as_deref(), Some(expected));
        assert_eq!(call.token(), None);
    }
}

#[wasm_bindgen_test]
async fn the_first_call_refreshes_before_it_is_sent() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    assert_eq!(auth.state().status, Status::Unknown);
    let response = server.get(&auth, "api/me");
    let refresh = server.call("refresh").await;
    assert_eq!(refresh.request.method(), "POST");
    assert_eq!(refresh.token(), None);
    refresh.answer(&token("one"));
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Bearer one"));
    call.answer(&json(200, "{}"));
    response.outcome().await.unwrap();
    assert_eq!(auth.state().status, Status::SignedIn);
}

#[wasm_bindgen_test]
async fn without_a_session_requests_are_sent_without_a_token() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let first = server.get(&auth, "api/news");
    server.call("refresh").await.answer(&json(401, r#"{"error":"no_session"}"#));
    for _ in 0..2 {
        let again = server.get(&auth, "api/news");
        let call = server.call("api/news").await;
        assert_eq!(call.token(), None);
        call.answer(&json(200, "{}"));
        drop(again);
    }
    drop(first);
    server.call("api/news").await;
    server.is_left_alone().await;
    assert_eq!(auth.state().status, Status::SignedOut);
}

#[wasm_bindgen_test]
async fn an_eager_restore_refreshes_before_any_call() {
    let server = Server::new();
    let auth = server.manager(|options| options.restore = Restore::Eager);
    server.call("refresh").await.answer(&token("one"));
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
}

#[wasm_bindgen_test]
async fn a_manual_restore_refreshes_only_when_told_to() {
    let server = Server::new();
    let auth = server.manager(|options| options.restore = Restore::Manual);
    let _response = server.get(&auth, "api/news");
    assert_eq!(server.call("api/news").await.token(), None);
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&token("one"));
    refreshed.outcome().await.unwrap();
    let _response = server.get(&auth, "api/news");
    assert_eq!(server.call("api/news").await.token().as_deref(), Some("Bearer one"));
}

#[wasm_bindgen_test]
async fn a_request_that_the_platform_fails_rejects_with_the_platforms_reason() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let reasons =
        [js_sys::TypeError::new("Load failed").into(), "a string".into(), JsValue::UNDEFINED];
    for reason in reasons {
        let response = server.get(&auth, "api/me");
        server.call("api/me").await.fail(&reason);
        match response.outcome().await {
            Err(tokenkeep::FetchError::Platform(heard)) => assert_eq!(heard, reason),
            other => panic!("{other:?}"),
        }
    }
    server.is_left_alone().await;
}

/// A request with the controller's signal.
fn with_signal(url: &str, controller: &AbortController) -> web_sys::Request {
    let init = web_sys::RequestInit::new();
    init.set_signal(Some(&controller.signal()));
    web_sys::Request::new_with_str_and_init(url, &init).unwrap()
}

fn reason(outcome: Result<web_sys::Response, tokenkeep::FetchError>) -> JsValue {
    match outcome {
        Err(tokenkeep::FetchError::Platform(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[wasm_bindgen_test]
async fn an_abort_settles_a_waiting_call_at_once_and_the_others_continue() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let controller = AbortController::new().unwrap();
    let aborted = server.send(&auth, with_signal(&server.url("api/aborted"), &controller));
    let patient = server.get(&auth, "api/patient");
    let refresh = server.call("refresh").await;
    controller.abort_with_reason(&"lost interest".into());
    assert_eq!(reason(aborted.outcome().await), "lost interest");
    refresh.answer(&token("one"));
    server.call("api/patient").await.answer(&json(200, "{}"));
    assert_eq!(patient.outcome().await.unwrap().status(), 200);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn an_abort_between_a_401_and_the_new_token_settles_at_once() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let controller = AbortController::new().unwrap();
    let aborted = server.send(&auth, with_signal(&server.url("api/aborted"), &controller));
    server.call("api/aborted").await.answer(&refused("expired"));
    let refresh = server.call("refresh").await;
    controller.abort_with_reason(&"lost interest".into());
    assert_eq!(reason(aborted.outcome().await), "lost interest");
    refresh.answer(&token("two"));
    server.is_left_alone().await;
    assert_eq!(auth.state().status, Status::SignedIn, "the refresh was everybody's");
}

#[wasm_bindgen_test]
async fn a_call_aborted_before_it_begins_is_not_sent() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let controller = AbortController::new().unwrap();
    controller.abort_with_reason(&"never mind".into());
    let aborted = server.send(&auth, with_signal(&server.url("api/me"), &controller));
    assert_eq!(reason(aborted.outcome().await), "never mind");
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_call_aborted_before_it_begins_waits_for_no_token() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let controller = AbortController::new().unwrap();
    controller.abort_with_reason(&"never mind".into());
    let aborted = server.send(&auth, with_signal(&server.url("api/me"), &controller));
    assert_eq!(reason(aborted.outcome().await), "never mind");
}

#[wasm_bindgen_test]
async fn an_answer_other_than_401_goes_to_the_caller_untouched() {
    let server = Server::new();
    let auth = server.signed_in("one");
    for status in [200, 204, 403, 419, 500, 503] {
        let response = server.get(&auth, "api/me");
        let given = answer(status, &[], (status != 204).then_some("as it is"));
        server.call("api/me").await.answer(&given);
        assert!(js_sys::Object::is(&response.outcome().await.unwrap(), &given), "{status}");
    }
    server.is_left_alone().await;
}

/// Each error shows that the option is checked, so it has crossed to JavaScript.
#[wasm_bindgen_test]
async fn a_bad_option_is_named_at_once() {
    type Change = fn(&mut Options);
    fn rule() -> AnswerRule {
        AnswerRule::status(99)
    }
    fn body(path: &str, equals: &[&str], absent: bool) -> Vec<AnswerRule> {
        let equals = equals.iter().map(|value| (*value).to_owned()).collect();
        let body = Some(Field { path: path.to_owned(), equals, absent });
        vec![AnswerRule { body, ..AnswerRule::default() }]
    }
    fn logout(change: fn(&mut Endpoint)) -> Option<Endpoint> {
        let mut logout = Endpoint::new("/out");
        change(&mut logout);
        Some(logout)
    }
    fn pair(one: &str, other: &str) -> Option<(String, String)> {
        Some((one.to_owned(), other.to_owned()))
    }
    let wrongs: [(&str, Change); 42] = [
        ("refresh.url", |o| o.refresh.url = "data:,x".into()),
        ("refresh.method", |o| o.refresh.method = "TRACE".into()),
        ("refresh.headers", |o| o.refresh.headers = vec![("a b".into(), "x".into())]),
        ("refresh.body", |o| {
            o.refresh.method = "get".into();
            o.refresh.content = Content::Text("x".into());
        }),
        ("refresh.body", |o| {
            o.refresh.method = "get".into();
            o.refresh.content = Content::Fields(Vec::new());
        }),
        ("refresh.timeout", |o| o.refresh.timeout = f64::NAN),
        ("refresh.csrf.cookie", |o| o.refresh.csrf = pair("", "X")),
        ("refresh.success", |o| o.refresh.success = vec![404]),
        ("refresh.send", |o| o.refresh.sends = Some(Sends::Token)),
        ("logout.url", |o| o.logout = logout(|call| call.url.clear())),
        ("logout.success", |o| o.logout = logout(|call| call.success = vec![42])),
        ("logout.send", |o| {
            o.attach = Attach::Query("token".into());
            o.logout = logout(|call| call.sends = Some(Sends::Access));
        }),
        ("apis", |o| o.apis = Some(vec!["/api".into(), "api.example.com".into()])),
        ("attach.header", |o| o.attach = Attach::Header("X Token".into(), String::new())),
        ("attach.scheme", |o| o.attach = Attach::Header("X".into(), "Be arer".into())),
        ("attach.query", |o| o.attach = Attach::Query("a&b".into())),
        ("attach.csrf.header", |o| o.attach = Attach::Cookie(pair("a", ""))),
        ("exposeToken", |o| (o.attach, o.expose_token) = (Attach::Cookie(None), true)),
        ("exposeToken", |o| (o.dpop, o.expose_token) = (Some(DpopKeys::Stored), true)),
        ("exposeToken", |o| (o.dpop, o.expose_token) = (Some(DpopKeys::Memory), true)),
        ("unauthorized[0].status", |o| o.unauthorized = vec![rule()]),
        ("ended[0].status", |o| o.ended = vec![rule()]),
        ("stepUp[0].status", |o| o.step_up = vec![rule()]),
        ("rejected[0].status", |o| o.rejected = Some(vec![rule()])),
        ("login.incomplete[0].status", |o| o.incomplete = vec![rule()]),
        ("ended[0].networkError", |o| {
            o.ended = vec![AnswerRule { network_error: true, ..AnswerRule::default() }];
        }),
        ("login.incomplete[0].redirected", |o| {
            o.incomplete = vec![AnswerRule { redirected: true, ..AnswerRule::default() }];
        }),
        ("ended[0]", |o| o.ended = vec![AnswerRule::default()]),
        ("ended[0].body.path", |o| o.ended = body("a..b", &[], false)),
        ("ended[0].body.equals", |o| o.ended = body("a", &["1"], true)),
        ("ended[0].header.name", |o| {
            let header = Some(HeaderField { name: "a b".into(), equals: vec![] });
            o.ended = vec![AnswerRule { header, ..AnswerRule::default() }];
        }),
        ("adopt.header", |o| o.adopt = Some("X Token".into())),
        ("response.accessToken", |o| o.access_token_at.clear()),
        ("response.refreshToken", |o| o.refresh_token_at = "a..b".into()),
        ("csrf.cookie", |o| o.csrf = pair("", "X")),
        ("refreshToken.json", |o| o.refresh_token = Carrier::Json(String::new())),
        ("refreshToken.form", |o| o.refresh_token = Carrier::Form(String::new())),
        ("refreshToken.header", |o| o.refresh_token = Carrier::Header("a b".into(), None)),
        ("refreshToken.scheme", |o| {
            o.refresh_token = Carrier::Header("a".into(), Some("a b".into()));
        }),
        ("refreshBefore", |o| o.refresh_before = Some(-1.0)),
        ("login.timeout", |o| o.login_timeout = 0.0),
        ("name", |o| o.name = Some(String::new())),
    ];
    for (name, change) in wrongs {
        let mut options = Options::new("/refresh");
        change(&mut options);
        let error = TokenManager::new(options).map(drop).unwrap_err();
        assert_eq!(error.code(), Code::InvalidOption);
        let text = error.to_string();
        assert!(text.starts_with(&format!("set-up: option `{name}` ")), "{name}: {text}");
    }
}
