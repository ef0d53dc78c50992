//! The possible answers of a refresh endpoint, and the possible tokens: none breaks the manager.

use tokenkeep::{Code, Status};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Response;

use crate::support::{Server, answer, json, jwt, token};

/// A 2xx without a usable token is an outage, and the session stays.
async fn is_a_bad_answer(bad: Response) -> String {
    let server = Server::new();
    let auth = server.signed_in("one");
    let status = bad.status();
    let refreshed = server.refresh(&auth);
    server.call("refresh").await.answer(&bad);
    let error = refreshed.outcome().await.unwrap_err();
    assert_eq!((error.code(), error.status()), (Code::BadAnswer, Some(status)));
    assert!(error.is_retryable());
    let response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer one"));
    drop(response);
    error.to_string()
}

#[wasm_bindgen_test]
async fn an_html_page_is_no_token() {
    let page = answer(200, &[("Content-Type", "text/html")], Some("<h1>Welcome to Wi-Fi</h1>"));
    is_a_bad_answer(page).await;
}

#[wasm_bindgen_test]
async fn broken_json_is_no_token() {
    is_a_bad_answer(json(200, r#"{"access_token":"two""#)).await;
}

#[wasm_bindgen_test]
async fn an_empty_answer_is_no_token() {
    is_a_bad_answer(answer(200, &[], Some(""))).await;
    is_a_bad_answer(answer(204, &[], None)).await;
}

#[wasm_bindgen_test]
async fn json_of_another_shape_is_no_token() {
    for body in ["[]", "0", "\"two\"", r#"{"access_token":2}"#, r#"{"ok":true}"#] {
        let words = is_a_bad_answer(json(200, body)).await;
        assert!(words.contains("no string at `access_token`"), "{body}: {words}");
    }
}

#[wasm_bindgen_test]
async fn json_that_says_there_is_no_session_ends_the_session() {
    for body in ["{}", "null", r#"{"access_token":null}"#] {
        let server = Server::new();
        let auth = server.signed_in("one");
        let refreshed = server.refresh(&auth);
        server.call("refresh").await.answer(&json(200, body));
        assert_eq!(refreshed.outcome().await.unwrap_err().code(), Code::Rejected, "{body}");
        assert_eq!(auth.state().status, Status::SignedOut, "{body}");
    }
}

#[wasm_bindgen_test]
async fn a_token_of_a_megabyte_is_no_token() {
    let words = is_a_bad_answer(token(&"a".repeat(1 << 20))).await;
    assert!(words.len() < 300, "the token is not told again");
}

#[wasm_bindgen_test]
async fn a_token_that_is_invalid_in_a_header_is_no_token() {
    for bad in ["", "two\\r\\nX-Evil: 1", "two\\n", "t wo", "tw\u{f6}", "\\u0000"] {
        is_a_bad_answer(token(bad)).await;
    }
}

#[wasm_bindgen_test]
async fn the_tokens_are_read_where_the_options_say() {
    let server = Server::new();
    let auth = server.manager(|options| {
        options.access_token_at = "data.token.value".into();
        options.expires_in_at = "data.token.ttl".into();
    });
    let refreshed = server.refresh(&auth);
    let nested = json(200, r#"{"data":{"token":{"value":"deep","ttl":300}},"access_token":"no"}"#);
    server.call("refresh").await.answer(&nested);
    refreshed.outcome().await.unwrap();
    assert!(auth.state().expires_at.is_some());
    let _response = server.get(&auth, "api/me");
    assert_eq!(server.call("api/me").await.token().as_deref(), Some("Bearer deep"));
}

/// The life that the manager assumes for a token, in milliseconds, if the answer says this.
async fn life(expires_in: &str) -> Option<u64> {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    let before = js_sys::Date::now() as u64;
    let body = format!(r#"{{"access_token":"one","expires_in":{expires_in}}}"#);
    server.call("refresh").await.answer(&json(200, &body));
    refreshed.outcome().await.unwrap();
    let state = auth.state();
    assert_eq!(state.status, Status::SignedIn);
    // The answer was received a moment after `before`.
    Some((state.expires_at? - before) / 10_000 * 10_000)
}

#[wasm_bindgen_test]
async fn a_life_may_be_a_number_a_string_or_a_fraction() {
    assert_eq!(life("3600").await, Some(3_600_000));
    assert_eq!(life("\"3600\"").await, Some(3_600_000));
    assert_eq!(life("3600.5").await, Some(3_600_000));
    assert_eq!(life("3.6e3").await, Some(3_600_000));
}

#[wasm_bindgen_test]
async fn an_invalid_life_is_unknown_and_the_token_is_used_all_the_same() {
    for odd in ["-1", "0", "\"soon\"", "\"\"", "null", "[]", "{}", "true", "1e999"] {
        assert_eq!(life(odd).await, None, "{odd}");
    }
}

#[wasm_bindgen_test]
async fn an_excessive_life_is_cut() {
    assert!(life("1e300").await.unwrap() <= 10 * 366 * 24 * 60 * 60 * 1_000);
}

/// The claims in a token with this payload. Whatever the payload is, the token is valid.
async fn claims(payload: &str) -> Option<String> {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    let made = jwt(payload);
    server.call("refresh").await.answer(&token(&made));
    refreshed.outcome().await.unwrap();
    let _response = server.get(&auth, "api/me");
    let sent = server.call("api/me").await.token();
    assert_eq!(sent, Some(format!("Bearer {made}")));
    auth.state().claims.map(|claims| claims.to_string())
}

#[wasm_bindgen_test]
async fn the_claims_of_a_jwt_can_be_read_as_json() {
    let payload = r#"{"sub":"alice","roles":["user"],"nested":{"a":1}}"#;
    assert_eq!(claims(payload).await.as_deref(), Some(payload));
}

#[wasm_bindgen_test]
async fn a_payload_that_is_no_object_has_no_claims() {
    for payload in ["[1,2]", "null", "\"text\"", "7", "", "{broken", "{}{}"] {
        assert_eq!(claims(payload).await, None, "{payload}");
    }
}

#[wasm_bindgen_test]
async fn a_payload_that_is_not_utf_8_has_no_claims() {
    assert_eq!(claims("{\"a\":\"\u{ff}\u{fe}\"}").await, None);
}

#[wasm_bindgen_test]
async fn a_deeply_nested_payload_does_no_harm() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(24_000), "]".repeat(24_000));
    assert_eq!(claims(&deep).await.map(|claims| claims.len()), Some(deep.len()));
}

#[wasm_bindgen_test]
async fn claims_of_the_wrong_type_are_ignored() {
    for payload in [
        r#"{"exp":1e999,"iat":-1e999,"sub":{}}"#,
        r#"{"exp":"tomorrow","iat":"today","sub":7}"#,
        r#"{"exp":[4102444800],"iat":{},"sub":null}"#,
        r#"{"__proto__":{"exp":1},"constructor":1,"toString":1}"#,
    ] {
        let server = Server::new();
        let auth = server.manager(|_| {});
        let refreshed = server.refresh(&auth);
        let body = format!(r#"{{"access_token":"{}"}}"#, jwt(payload));
        server.call("refresh").await.answer(&json(200, &body));
        refreshed.outcome().await.unwrap();
        let state = auth.state();
        assert_eq!(state.claims.as_deref(), Some(payload));
        assert_eq!(state.expires_at, None, "{payload}");
    }
}

#[wasm_bindgen_test]
async fn the_life_of_a_jwt_is_the_time_between_its_claims_whatever_the_local_clock_says() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let refreshed = server.refresh(&auth);
    let before = js_sys::Date::now() as u64;
    let body = format!(r#"{{"access_token":"{}"}}"#, jwt(r#"{"iat":1000,"exp":1600}"#));
    server.call("refresh").await.answer(&json(200, &body));
    refreshed.outcome().await.unwrap();
    let after = js_sys::Date::now() as u64;
    let expires_at = auth.state().expires_at.unwrap();
    assert!((before + 600_000..=after + 600_000).contains(&expires_at), "{expires_at}");
}
