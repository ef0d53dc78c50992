//! Rate limits: counted in the store, told with 429 and `Retry-After`.

use std::time::Duration;

use axum::http::StatusCode;
use tokenkeep_server::config::Limit;

use crate::{
    harness::{ADMIN, ALICE, Setup},
    on_all_stores,
};

on_all_stores!(
    too_many_logins_have_to_wait_as_long_as_they_are_told,
    a_login_limit_is_that_of_one_address_and_one_user,
    too_many_refreshes_have_to_wait_and_keep_their_session,
    a_refresh_limit_is_that_of_one_session,
    guessed_cookies_are_limited_by_address,
);

async fn too_many_logins_have_to_wait_as_long_as_they_are_told(setup: Setup) {
    let server = setup.server_with(|config| config.login_limit = Limit::per_minute(3)).await;
    for _ in 0..3 {
        let answer = server.try_login("alice", "wrong").send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    setup.pass(Duration::from_millis(20_500));
    // The right password does not help: what is limited is guessing.
    let answer = server.try_login(ALICE.0, ALICE.1).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.error(), "too_many_requests");
    assert_eq!(answer.header("retry-after"), "40");
    assert_eq!(answer.header("cache-control"), "no-store");

    setup.pass(Duration::from_secs(40));
    server.login().await;
}

async fn a_login_limit_is_that_of_one_address_and_one_user(setup: Setup) {
    let server = setup.server_with(|config| config.login_limit = Limit::per_minute(1)).await;
    server.login().await;
    let again = server.try_login(ALICE.0, ALICE.1);
    assert_eq!(again.send().await.status, StatusCode::TOO_MANY_REQUESTS);
    server.login_as(ADMIN).await;
    let elsewhere = server.try_login(ALICE.0, ALICE.1).from([10, 0, 0, 1]);
    assert_eq!(elsewhere.send().await.status, StatusCode::OK);
}

async fn too_many_refreshes_have_to_wait_and_keep_their_session(setup: Setup) {
    let server = setup.server_with(|config| config.refresh_limit = Limit::per_minute(2)).await;
    let mut session = server.login().await;
    for _ in 0..2 {
        session = server.refresh(&session.cookie).send().await.session();
    }
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(answer.set_cookie(), "");

    // The cookie was not used up by the refused try.
    setup.pass(Duration::from_secs(60));
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

async fn a_refresh_limit_is_that_of_one_session(setup: Setup) {
    let server = setup.server_with(|config| config.refresh_limit = Limit::per_minute(1)).await;
    for _ in 0..3 {
        let session = server.login().await;
        let answer = server.refresh(&session.cookie).send().await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

async fn guessed_cookies_are_limited_by_address(setup: Setup) {
    let server = setup.server_with(|config| config.refresh_limit = Limit::per_minute(2)).await;
    for guess in ["one", "two"] {
        let answer = server.refresh(guess).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = server.refresh("three").send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let answer = server.refresh("three").from([10, 0, 0, 1]).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}
