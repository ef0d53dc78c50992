//! A 401, one refresh, and sending again (rules 4 to 6).

use futures::channel::oneshot;
use js_sys::{Object, Reflect, Uint8Array};
use tokenkeep::{AnswerRule, Field};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{ReadableStream, Response, ResponseInit};

use crate::support::{Server, answer, json, refused, request, text, token, tokens, within_bound};

#[wasm_bindgen_test]
async fn ten_401s_cause_one_refresh_and_all_are_sent_again_with_the_new_token() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let responses: Vec<_> = (0..10).map(|_| server.get(&auth, "api/me")).collect();
    for _ in 0..10 {
        let call = server.call("api/me").await;
        assert_eq!(call.token().as_deref(), Some("Bearer one"));
        call.answer(&refused("expired"));
    }
    let refresh = server.call("refresh").await;
    server.is_left_alone().await;
    refresh.answer(&token("two"));
    for _ in 0..10 {
        let call = server.call("api/me").await;
        assert_eq!(call.token().as_deref(), Some("Bearer two"));
        call.answer(&json(200, "{}"));
    }
    for response in responses {
        assert_eq!(response.outcome().await.unwrap().status(), 200);
    }
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_late_401_for_an_older_token_is_sent_again_without_a_refresh() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let (quick, slow) = (server.get(&auth, "api/quick"), server.get(&auth, "api/slow"));
    let (quick_call, slow_call) = (server.call("api/quick").await, server.call("api/slow").await);
    quick_call.answer(&refused("expired"));
    server.call("refresh").await.answer(&token("two"));
    server.call("api/quick").await.answer(&json(200, "{}"));
    quick.outcome().await.unwrap();
    slow_call.answer(&refused("expired"));
    let again = server.call("api/slow").await;
    assert_eq!(again.token().as_deref(), Some("Bearer two"));
    again.answer(&json(200, "{}"));
    assert_eq!(slow.outcome().await.unwrap().status(), 200);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn the_second_401_goes_to_the_caller_with_its_body() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let response = server.get(&auth, "api/me");
    server.call("api/me").await.answer(&refused("the first"));
    server.call("refresh").await.answer(&token("two"));
    server.call("api/me").await.answer(&refused("the second"));
    let response = response.outcome().await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(text(&response).await, "the second");
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_stream_is_sent_once_and_its_401_goes_to_the_caller() {
    if !Reflect::has(&js_sys::global(), &"Request".into()).unwrap()
        || !js_sys::eval("'duplex' in Request.prototype").unwrap().is_truthy()
    {
        // This engine cannot upload streams.
        return;
    }
    let server = Server::new();
    let auth = server.signed_in("one");
    let make = js_sys::Function::new_with_args(
        "url",
        "const body = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('abc')); c.close() } })
         return new Request(url, { method: 'POST', body, duplex: 'half' })",
    );
    let stream = make.call1(&JsValue::NULL, &server.url("api/stream").into()).unwrap();
    let stream: web_sys::Request = stream.unchecked_into();
    let response = server.send(&auth, stream);
    let call = server.call("api/stream").await;
    assert_eq!(call.token().as_deref(), Some("Bearer one"));
    assert_eq!(call.text().await, "abc");
    call.answer(&refused("expired"));
    assert_eq!(response.outcome().await.unwrap().status(), 401);
    server.call("refresh").await.answer(&token("two"));
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_call_during_a_refresh_waits_for_the_new_token() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let _first = server.get(&auth, "api/first");
    server.call("api/first").await.answer(&refused("expired"));
    let refresh = server.call("refresh").await;
    let _second = server.get(&auth, "api/second");
    server.is_left_alone().await;
    refresh.answer(&token("two"));
    let mut arrived = Vec::new();
    for path in ["api/first", "api/second"] {
        let call = server.call(path).await;
        arrived.push(call.token());
    }
    assert_eq!(arrived, [Some("Bearer two".to_owned()), Some("Bearer two".to_owned())]);
}

#[wasm_bindgen_test]
async fn a_body_is_sent_twice_with_the_same_bytes() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let put = request("PUT", &server.url("api/file"), &Uint8Array::from(&*bytes));
    put.headers().set("Content-Type", "application/x-thing").unwrap();
    put.headers().set("X-Part", "7").unwrap();
    let response = server.send(&auth, put);
    let check = async |expected: &str| {
        let call = server.call("api/file").await;
        assert_eq!(call.token().as_deref(), Some(expected));
        assert_eq!(call.request.method(), "PUT");
        assert_eq!(call.header("Content-Type").as_deref(), Some("application/x-thing"));
        assert_eq!(call.header("X-Part").as_deref(), Some("7"));
        assert!(call.bytes().await == bytes, "the bytes sent with {expected}");
        call
    };
    check("Bearer one").await.answer(&refused("expired"));
    server.call("refresh").await.answer(&token("two"));
    check("Bearer two").await.answer(&json(200, "{}"));
    assert_eq!(response.outcome().await.unwrap().status(), 200);
}

#[wasm_bindgen_test]
async fn the_caller_may_consume_its_request_meanwhile() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let mine = request("POST", &server.url("api/note"), &"as it was".into());
    let response = server.send(&auth, Clone::clone(&mine));
    let call = server.call("api/note").await;
    mine.headers().set("X-Late", "1").unwrap();
    call.answer(&refused("expired"));
    server.call("refresh").await.answer(&token("two"));
    let again = server.call("api/note").await;
    assert_eq!(again.header("X-Late"), None);
    assert_eq!(again.text().await, "as it was");
    again.answer(&json(200, "{}"));
    response.outcome().await.unwrap();
}

#[wasm_bindgen_test]
async fn the_unread_body_of_a_401_occupies_no_connection() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let response = server.get(&auth, "api/me");
    let source = Object::new();
    let (cancelled, was_cancelled) = oneshot::channel();
    let cancel = Closure::once(move || cancelled.send(()).unwrap());
    Reflect::set(&source, &"cancel".into(), cancel.as_ref()).unwrap();
    let unread = ReadableStream::new_with_underlying_source(&source).unwrap();
    let init = ResponseInit::new();
    init.set_status(401);
    let refusal = Response::new_with_opt_readable_stream_and_init(Some(&unread), &init).unwrap();
    server.call("api/me").await.answer(&refusal);
    server.call("refresh").await.answer(&token("two"));
    server.call("api/me").await.answer(&json(200, "{}"));
    response.outcome().await.unwrap();
    within_bound(was_cancelled, "the end of the body").await.expect("it was let go");
}

#[wasm_bindgen_test]
async fn a_challenge_that_a_new_token_cannot_cure_goes_to_the_caller() {
    let server = Server::new();
    let auth = server.signed_in("one");
    for error in ["insufficient_scope", "insufficient_user_authentication"] {
        let response = server.get(&auth, "api/admin");
        let challenge = format!("Bearer error=\"{error}\"");
        let refusal = answer(401, &[("WWW-Authenticate", &challenge)], Some("not you"));
        server.call("api/admin").await.answer(&refusal);
        assert_eq!(text(&response.outcome().await.unwrap()).await, "not you");
    }
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn a_body_field_can_say_that_the_token_has_ended() {
    let server = Server::new();
    let auth = server.manager(|options| {
        let body = Some(Field { path: "code".into(), equals: vec!["40101".into()], absent: false });
        options.unauthorized.push(AnswerRule { body, ..AnswerRule::default() });
    });
    auth.set_tokens(tokens("one")).unwrap();
    let response = server.get(&auth, "api/me");
    server.call("api/me").await.answer(&json(200, r#"{"code":40101}"#));
    server.call("refresh").await.answer(&token("two"));
    let again = server.call("api/me").await;
    assert_eq!(again.token().as_deref(), Some("Bearer two"));
    again.answer(&json(200, r#"{"code":0,"name":"alice"}"#));
    let body = text(&response.outcome().await.unwrap()).await;
    assert_eq!(body, r#"{"code":0,"name":"alice"}"#, "read here, and the caller's still");
}

#[wasm_bindgen(inline_js = "
export function body(read) {
  let left = 100
  const pull = (to) => {
    if (left--) return to.enqueue(new Uint8Array(10_000).fill(120))
    to.close()
    read()
  }
  return new ReadableStream({ pull }, { highWaterMark: 0 })
}
")]
extern "C" {
    /// A body of a million letters, generated while it is read. Tells when it has been read to its end.
    fn body(read: &JsValue) -> ReadableStream;
}

#[wasm_bindgen_test]
async fn a_401_that_waits_for_the_refresh_occupies_no_connection_and_stays_complete() {
    let server = Server::new();
    let auth = server.signed_in("one");
    let response = server.get(&auth, "api/me");
    let (told, read) = oneshot::channel();
    let init = ResponseInit::new();
    init.set_status(401);
    let all_read = Closure::once_into_js(move || told.send(()).expect("the test waits for it"));
    let long = Response::new_with_opt_readable_stream_and_init(Some(&body(&all_read)), &init);
    server.call("api/me").await.answer(&long.unwrap());
    let refresh = server.call("refresh").await;
    within_bound(read, "the end of the body").await.unwrap();
    refresh.answer(&json(401, "{}"));
    let response = response.outcome().await.unwrap();
    assert_eq!(text(&response).await.len(), 1_000_000);
}
