//! A refresh token in memory passes to other tabs without any other script of the origin seeing it.

use futures::StreamExt as _;
use futures::channel::mpsc;
use tokenkeep::{Carrier, Options, Secret, TokenManager, Tokens};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::support::{Heard, Server, json, share_of, token, within_bound};

fn in_memory(options: &mut Options) {
    options.refresh_token = Carrier::Header("X-Refresh".into(), None);
}

fn signs_in(auth: &TokenManager, token: &str, refresh_token: &str) {
    let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
    auth.set_tokens(Tokens {
        access_token: secret(token),
        expires_in: Some(300.0),
        refresh_token: Some(secret(refresh_token)),
    })
    .unwrap();
}

/// A tab that is open when the user signs in, or one that starts later, continues when the first is closed.
async fn goes_on(is_there: bool) {
    let server = Server::new();
    let first = server.manager(in_memory);
    let there = is_there.then(|| server.manager(in_memory));
    signs_in(&first, "one", "r3fr3sh");
    let second = there.unwrap_or_else(|| server.manager(in_memory));
    let mut heard = Heard::of(&second);
    heard.next().await;
    // The refresh token comes with the access token, or right after it.
    for _ in 0..100 {
        let refreshed = server.refresh(&second);
        let Some(call) = server.maybe_call().await else { continue };
        assert_eq!(call.header("X-Refresh").as_deref(), Some("r3fr3sh"));
        drop(first);
        call.answer(&token("two"));
        return refreshed.outcome().await.unwrap();
    }
    panic!("it has nothing to refresh with");
}

#[wasm_bindgen_test]
async fn an_open_tab_continues_with_the_refresh_token() {
    goes_on(true).await;
}

#[wasm_bindgen_test]
async fn a_tab_that_starts_later_continues_with_the_refresh_token() {
    goes_on(false).await;
}

#[wasm_bindgen(
    inline_js = "export const spelled = (message) => JSON.stringify(message, (_, value) =>
  value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? new TextDecoder('latin1').decode(value) : value)"
)]
extern "C" {
    /// A message as JSON, its bytes as characters: an unencrypted token would show there, too.
    fn spelled(message: &JsValue) -> String;
}

#[wasm_bindgen_test]
async fn no_script_of_the_origin_can_read_the_token_on_the_channel() {
    let server = Server::new();
    let channel = BroadcastChannel::new(&share_of(&server, in_memory)).unwrap();
    let (told, mut messages) = mpsc::unbounded();
    let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let _ = told.unbounded_send(event.data());
    });
    channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    let (first, _second) = (server.manager(in_memory), server.manager(in_memory));
    signs_in(&first, "one", "r3fr3sh");
    let refreshed = server.refresh(&first);
    let answer = r#"{"access_token":"two","refresh_token":"r3fr3sh-2","expires_in":300}"#;
    server.call("refresh").await.answer(&json(200, answer));
    refreshed.outcome().await.unwrap();
    let mut has_token = false;
    while !has_token {
        let message = within_bound(messages.next(), "a message").await.unwrap();
        let text = spelled(&message);
        assert!(!text.contains("r3fr3sh"), "{text}");
        has_token = text.contains("two");
    }
    channel.set_onmessage(None);
    channel.close();
}
