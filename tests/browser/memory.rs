//! A refresh token that no cookie holds is held in memory, is sent to the refresh endpoint only, and rotates.

use js_sys::Reflect;
use tokenkeep::{Carrier, Code, Content, Endpoint, Options, Secret, Tokens};
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Call, Server, answer, json, start, token};

/// Refreshes three times. The answers have a new refresh token, an empty one, and none: the last two keep the
/// current one.
async fn rotates(change: impl FnOnce(&mut Options), carried: impl AsyncFn(&Call) -> String) {
    let server = Server::new();
    let auth = server.manager(change);
    let secret = |text: &str| Secret::new(text.to_owned()).unwrap();
    auth.set_tokens(Tokens {
        access_token: secret("one"),
        expires_in: None,
        refresh_token: Some(secret("r&1")),
    })
    .unwrap();
    let answers = [r#","refresh_token":"r&2""#, r#","refresh_token":"""#, ""];
    for (sent, next) in ["r&1", "r&2", "r&2"].into_iter().zip(answers) {
        let refreshed = server.refresh(&auth);
        let call = server.call("refresh").await;
        assert_eq!(carried(&call).await, sent);
        call.answer(&json(200, &format!(r#"{{"access_token":"new"{next}}}"#)));
        refreshed.outcome().await.unwrap();
    }
    let _response = server.get(&auth, "api/me");
    let call = server.call("api/me").await;
    assert_eq!(call.token().as_deref(), Some("Bearer new"));
    assert_eq!(call.header("X-Refresh"), None);
}

#[wasm_bindgen_test]
async fn the_refresh_token_is_sent_in_a_json_field() {
    let json = |options: &mut Options| options.refresh_token = Carrier::Json("token".into());
    rotates(json, async |call| {
        assert_eq!(call.header("Content-Type").as_deref(), Some("application/json"));
        let body = call.text().await;
        let token = body.strip_prefix(r#"{"token":""#).and_then(|rest| rest.strip_suffix("\"}"));
        token.expect("the one field").to_owned()
    })
    .await;
}

#[wasm_bindgen_test]
async fn the_refresh_token_is_sent_in_a_form_field_beside_others() {
    let form = |options: &mut Options| {
        options.refresh_token = Carrier::Form("refresh_token".into());
        let grant = ("grant_type".into(), "refresh_token".into());
        options.refresh.content = Content::Fields(vec![grant]);
    };
    rotates(form, async |call| {
        let media_type = call.header("Content-Type").unwrap();
        assert!(media_type.starts_with("application/x-www-form-urlencoded"), "{media_type}");
        let body = call.text().await;
        let token = body.strip_prefix("grant_type=refresh_token&refresh_token=");
        token.expect("both fields").replace("%26", "&")
    })
    .await;
}

#[wasm_bindgen_test]
async fn the_refresh_token_is_sent_in_a_header_field() {
    let header = |o: &mut Options| o.refresh_token = Carrier::Header("X-Refresh".into(), None);
    rotates(header, async |call| call.header("X-Refresh").unwrap()).await;
}

#[wasm_bindgen_test]
async fn the_refresh_token_is_sent_in_a_header_field_after_a_scheme() {
    let header = |options: &mut Options| {
        options.refresh_token = Carrier::Header("Authorization".into(), Some("Bearer".into()));
    };
    rotates(header, async |call| {
        call.token().unwrap().strip_prefix("Bearer ").expect("the scheme").to_owned()
    })
    .await;
}

#[wasm_bindgen_test]
async fn a_logout_forgets_the_refresh_token() {
    let server = Server::new();
    let auth = server.manager(|options| {
        options.refresh_token = Carrier::Header("X-Refresh".into(), None);
    });
    auth.set_tokens(Tokens {
        access_token: Secret::new("one".into()).unwrap(),
        expires_in: None,
        refresh_token: Some(Secret::new("r1".into()).unwrap()),
    })
    .unwrap();
    auth.logout(None).await.unwrap();
    let error = server.refresh(&auth).outcome().await.unwrap_err();
    assert_eq!(error.code(), Code::SignedOut, "there is nothing left to ask with");
}

#[wasm_bindgen_test]
async fn refresh_and_logout_outlive_their_page_if_they_are_short() {
    let server = Server::new();
    let auth = server.manager(|options| {
        options.refresh_token = Carrier::Json("token".into());
        options.logout = Some(Endpoint::new(server.url("logout")));
    });
    let outlives =
        |call: &Call| Reflect::get(&call.request, &"keepalive".into()).unwrap().is_truthy();
    for (length, is_short) in [(10, true), (20_000, false)] {
        auth.set_tokens(Tokens {
            access_token: Secret::new("one".into()).unwrap(),
            expires_in: None,
            refresh_token: Some(Secret::new("r".repeat(length)).unwrap()),
        })
        .unwrap();
        let refreshed = server.refresh(&auth);
        let call = server.call("refresh").await;
        assert_eq!(outlives(&call), is_short, "{length}");
        call.answer(&token("two"));
        refreshed.outcome().await.unwrap();
    }
    let told = start(async move { auth.logout(None).await });
    let call = server.call("logout").await;
    assert!(outlives(&call));
    call.answer(&answer(204, &[], None));
    told.outcome().await.unwrap();
}
