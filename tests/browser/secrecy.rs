//! Nothing secret is ever printed, logged or stored.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;

use tokenkeep::{Carrier, Content, Endpoint, FetchError, Options, Secret, Tokens};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::support::{Console, Server, json, jwt, refused, request, start, text, token};

const SECRET: &str = "s3cr3t";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned()).unwrap()
}

#[wasm_bindgen_test]
fn types_that_hold_a_secret_do_not_print_it() {
    let tokens = Tokens {
        access_token: secret(SECRET),
        expires_in: Some(1.0),
        refresh_token: Some(secret(SECRET)),
    };
    let mut options = Options::new(format!("/refresh?key={SECRET}"));
    options.refresh.headers = vec![("X-Api-Key".into(), SECRET.into())];
    options.refresh.content = Content::Fields(vec![("client_secret".into(), SECRET.into())]);
    let mut logout = Endpoint::new(format!("/logout#{SECRET}"));
    logout.content = Content::Text(SECRET.into());
    options.logout = Some(logout);
    options.refresh_token = Carrier::Json("refresh_token".into());
    let platform = FetchError::Platform(SECRET.into());
    let printed =
        format!("{tokens:?} {tokens:#?} {options:?} {options:#?} {platform:?} {platform}");
    assert!(printed.contains("Secret(…)"), "it was printed at all");
    assert!(!printed.contains(SECRET), "{printed}");
}

/// A session with everything that can go wrong, in which every token contains the secret. Returns everything
/// that was reported.
async fn a_whole_session() -> String {
    let told = Rc::<RefCell<String>>::default();
    let say = |word: &dyn std::fmt::Debug| {
        write!(told.borrow_mut(), "{word:?} ").unwrap();
    };
    let server = Server::new();
    let auth = server.manager(|options| options.refresh_token = Carrier::Json("rt".into()));
    let list = Rc::clone(&told);
    let subscription = auth.subscribe(move |notice| {
        write!(list.borrow_mut(), "{notice:?} ").unwrap();
    });
    let login = server.login(&auth);
    let call = server.call("login").await;
    let tokens = format!(r#"{{"access_token":"{SECRET}-a","refresh_token":"{SECRET}-r","x":1}}"#);
    call.answer(&json(200, &tokens));
    say(&js_sys::JSON::stringify(&login.outcome().await.unwrap()).unwrap());
    say(&auth.state());

    let response = server.get(&auth, "api/me");
    server.call("api/me").await.answer(&refused("expired"));
    let refresh = server.call("refresh").await;
    assert!(refresh.text().await.contains(SECRET), "the refresh token travels here");
    refresh.answer(&token(&format!("{SECRET}\\n{SECRET}")));
    let error = response.outcome().await.unwrap_err();
    say(&error);
    say(&error.to_string());

    for failing in [
        json(200, &format!(r#"{{"access_token":["{SECRET}"]}}"#)),
        json(503, &format!(r#"{{"error":"{SECRET}"}}"#)),
        json(400, &format!(r#"{{"error":"invalid_grant","error_description":"{SECRET}"}}"#)),
    ] {
        let refreshed = server.refresh(&auth);
        server.call("refresh").await.answer(&failing);
        let error = refreshed.outcome().await.unwrap_err();
        say(&error);
        say(&error.to_string());
        say(error.failure());
    }

    let login = server.login(&auth);
    server.call("login").await.answer(&json(401, r#"{"message":"no"}"#));
    let error = login.outcome().await.unwrap_err();
    say(&error);
    let cause: web_sys::Response = error.cause().unwrap().clone().into();
    say(&text(&cause).await);

    auth.set_tokens(crate::support::tokens(&format!("{SECRET}-b"))).unwrap();
    let clone = auth.clone();
    let out = request("POST", &server.url("logout"), &JsValue::UNDEFINED);
    let out = start(async move { clone.logout(Some(&out)).await });
    server.call("logout").await.fail(&"offline".into());
    say(&out.outcome().await.unwrap_err());
    drop(subscription);
    told.take()
}

#[wasm_bindgen_test]
async fn no_notice_state_or_error_contains_a_token() {
    let told = a_whole_session().await;
    for word in ["SignOut(Rejected)", "RefreshError", "BadAnswer", "Network", "SignedIn"] {
        assert!(told.contains(word), "it has all of the session: {told}");
    }
    assert!(!told.contains(SECRET), "{told}");
}

#[wasm_bindgen_test]
async fn nothing_secret_is_written_to_the_console() {
    let console = Console::new();
    a_whole_session().await;
    web_sys::console::warn_1(&"the console is heard".into());
    let written = console.text();
    drop(console);
    assert!(written.contains("the console is heard"));
    assert!(!written.contains(SECRET), "{written}");
}

#[wasm_bindgen_test]
async fn the_state_prints_neither_the_token_nor_its_user() {
    let server = Server::new();
    let made = jwt(r#"{"sub":"alice"}"#);
    let auth = server.signed_in(&made);
    let state = auth.state();
    assert!(state.claims.as_deref().is_some_and(|claims| claims.contains("alice")));
    let notice = tokenkeep::Notice::Changed(state.clone());
    let printed = format!("{auth:?} {auth:#?} {state:?} {notice:?}");
    assert!(printed.contains("SignedIn"));
    assert!(!printed.contains("alice"), "{printed}");
    for part in made.split('.') {
        assert!(!printed.contains(part), "{printed}");
    }
}

#[wasm_bindgen_test]
async fn an_answer_that_contains_a_token_is_no_errors_cause() {
    let server = Server::new();
    let auth = server.manager(|_| {});
    let login = server.login(&auth);
    let answer = r#"{"access_token":"has a space","refresh_token":"s3cr3t"}"#;
    server.call("login").await.answer(&json(200, answer));
    let error = login.outcome().await.unwrap_err();
    assert_eq!(error.code(), tokenkeep::Code::NoToken);
    assert!(error.cause().is_none());
    // The app may read a challenge for a second factor.
    let login = server.login(&auth);
    server.call("login").await.answer(&json(200, r#"{"challenge":17}"#));
    assert!(login.outcome().await.unwrap_err().cause().is_some());
}
