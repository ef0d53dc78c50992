//! A second factor at the login, and step-up (RFC 9470).

use std::time::Duration;

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;

use crate::{
    harness::{ALICE, Answer, CAROL, CAROLS_APP, Call, Server, Session, Setup},
    login::contains,
    on_all_stores,
};

on_all_stores!(
    a_login_with_a_second_factor_first_answers_without_a_token,
    a_code_is_valid_once,
    a_ticket_is_valid_for_its_login_and_for_a_limited_time,
    codes_cannot_be_guessed,
    a_step_up_gives_a_new_session_that_opens_the_vault,
    a_step_up_without_a_second_factor_fails,
);

/// The current code in her authenticator app.
pub fn code(setup: &Setup) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(b"12345678901234567890").expect("a key");
    mac.update(&(setup.now() / 30_000).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest[19] & 15);
    let word = u32::from_be_bytes(digest[offset..offset + 4].try_into().expect("four bytes"));
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

async fn ticket(server: &Server) -> String {
    ticket_of(server.try_login(CAROL.0, CAROL.1)).await
}

pub async fn ticket_of(login: Call) -> String {
    let answer = login.send().await;
    assert_eq!((answer.status, answer.set_cookie()), (StatusCode::OK, ""));
    answer.json()["ticket"].as_str().expect("a ticket").to_owned()
}

async fn finish(server: &Server, ticket: &str, code: &str) -> Answer {
    server.post("/auth/login/code").form(&[("ticket", ticket), ("code", code)]).send().await
}

pub async fn carol(server: &Server, setup: &Setup) -> Session {
    let answer = finish(server, &ticket(server).await, &code(setup)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.session()
}

async fn a_login_with_a_second_factor_first_answers_without_a_token(setup: Setup) {
    let server = setup.server().await;
    let answer = server.try_login(CAROL.0, CAROL.1).send().await;
    let body = answer.json();
    assert_eq!(body["second_factor"], "totp");
    assert_eq!(body["access_token"], Value::Null);
    let session = carol(&server, &setup).await;
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
    let wrong = server.try_login(CAROL.0, "wrong").send().await;
    assert_eq!(wrong.error(), "invalid_credentials", "nobody learns who has a second factor");
    assert!(!contains(&setup.store_bytes(), CAROLS_APP));
}

async fn a_code_is_valid_once(setup: Setup) {
    let server = setup.server().await;
    carol(&server, &setup).await;
    let again = finish(&server, &ticket(&server).await, &code(&setup)).await;
    assert_eq!((again.status, again.error()), (StatusCode::UNAUTHORIZED, "invalid_code".into()));
    setup.pass(Duration::from_secs(30));
    carol(&server, &setup).await;
}

async fn a_ticket_is_valid_for_its_login_and_for_a_limited_time(setup: Setup) {
    let (server, other) = (setup.server().await, setup.server().await);
    let good = ticket(&server).await;
    for made_up in ["", "plain.e30", "sealed.AAAA", &good[..good.len() - 2]] {
        let answer = finish(&server, made_up, &code(&setup)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{made_up}");
    }
    // Another instance accepts it, too.
    assert_eq!(finish(&other, &good, &code(&setup)).await.status, StatusCode::OK);
    let late = ticket(&server).await;
    setup.pass(Duration::from_secs(5 * 60));
    assert_eq!(finish(&server, &late, &code(&setup)).await.status, StatusCode::UNAUTHORIZED);
}

async fn codes_cannot_be_guessed(setup: Setup) {
    let server = setup.server().await;
    let ticket = ticket(&server).await;
    for _ in 0..5 {
        assert_eq!(finish(&server, &ticket, "x").await.status, StatusCode::UNAUTHORIZED);
    }
    let answer = finish(&server, &ticket, &code(&setup)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

async fn a_step_up_gives_a_new_session_that_opens_the_vault(setup: Setup) {
    let server = setup.server().await;
    let vault =
        async |session: &Session| server.get("/api/vault").bearer(&session.access).send().await;
    let session = carol(&server, &setup).await;
    assert_eq!(vault(&session).await.status, StatusCode::OK);
    setup.pass(Duration::from_secs(5 * 60 + 1));
    let session = server.refresh(&session.cookie).send().await.session();
    let refused = vault(&session).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.header("www-authenticate"),
        r#"Bearer realm="tokenkeep", error="insufficient_user_authentication", acr_values="mfa", max_age="300""#
    );

    let stepped = server.post("/auth/stepup").proof().cookie(&session.cookie);
    let stepped = stepped.form(&[("code", &code(&setup))]).send().await.session();
    assert_eq!(vault(&stepped).await.status, StatusCode::OK);
    assert_eq!(server.me_status(&session.access).await, StatusCode::UNAUTHORIZED);
    let old = server.refresh(&session.cookie).send().await;
    assert_eq!(old.error(), "invalid_grant");
    let newer = server.refresh(&stepped.cookie).send().await.session();
    assert_eq!(vault(&newer).await.status, StatusCode::OK, "a refresh keeps what was shown");
}

async fn a_step_up_without_a_second_factor_fails(setup: Setup) {
    let server = setup.server().await;
    let session = server.login_as(ALICE).await;
    let answer = server.post("/auth/stepup").proof().cookie(&session.cookie);
    let answer = answer.form(&[("code", "123456")]).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let unproven = server.post("/auth/stepup").cookie(&session.cookie);
    let unproven = unproven.form(&[("code", "123456")]).send().await;
    assert_eq!(unproven.error(), "csrf");
    assert_eq!(server.get("/api/vault").bearer(&session.access).send().await.status, 401);
}
