//! Rate limits: counted in the store, reported with 429 and `Retry-After`.

use std::time::Duration;

use axum::http::StatusCode;
use tokenkeep_server::{
    address::Cidr,
    config::{Config, Limit},
};

use crate::{
    harness::{ADMIN, ALICE, Server, Setup},
    on_all_stores,
};

on_all_stores!(
    too_many_logins_must_wait_for_the_stated_time,
    the_login_limit_applies_to_one_address_and_one_user,
    too_many_refreshes_must_wait_and_keep_their_session,
    the_refresh_limit_applies_to_one_session,
    guessed_cookies_are_limited_by_address,
    one_address_cannot_try_one_password_with_many_names,
    successful_logins_do_not_use_up_an_addresss_limit,
    many_addresses_cannot_try_many_passwords_for_one_name,
    an_account_under_attack_lets_its_owner_in,
    an_account_has_one_spelling,
    behind_a_trusted_proxy_limits_apply_to_the_client,
    a_client_that_is_no_trusted_proxy_cannot_choose_its_address,
    an_ipv6_host_is_limited_by_its_network,
);

async fn too_many_logins_must_wait_for_the_stated_time(setup: Setup) {
    let server = setup.server_with(|config| config.login_limit = Limit::per_minute(3)).await;
    for _ in 0..3 {
        let answer = server.try_login("alice", "wrong").send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    setup.pass(Duration::from_millis(20_500));
    // The right password does not help: the limit is for guessing.
    let answer = server.try_login(ALICE.0, ALICE.1).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.error(), "too_many_requests");
    assert_eq!(answer.header("retry-after"), "40");
    assert_eq!(answer.header("cache-control"), "no-store");

    setup.pass(Duration::from_secs(40));
    server.login().await;
}

async fn the_login_limit_applies_to_one_address_and_one_user(setup: Setup) {
    let server = setup.server_with(|config| config.login_limit = Limit::per_minute(1)).await;
    server.login().await;
    let again = server.try_login(ALICE.0, ALICE.1);
    assert_eq!(again.send().await.status, StatusCode::TOO_MANY_REQUESTS);
    server.login_as(ADMIN).await;
    let elsewhere = server.try_login(ALICE.0, ALICE.1).from([10, 0, 0, 1]);
    assert_eq!(elsewhere.send().await.status, StatusCode::OK);
}

async fn too_many_refreshes_must_wait_and_keep_their_session(setup: Setup) {
    let server = setup.server_with(|config| config.refresh_limit = Limit::per_minute(2)).await;
    let mut session = server.login().await;
    for _ in 0..2 {
        session = server.refresh(&session.cookie).send().await.session();
    }
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(answer.set_cookie(), "");

    // The refused try has not used up the cookie.
    setup.pass(Duration::from_secs(60));
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

async fn the_refresh_limit_applies_to_one_session(setup: Setup) {
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

async fn one_address_cannot_try_one_password_with_many_names(setup: Setup) {
    let server = setup.server().await;
    let mut refused = 0;
    for n in 0..60 {
        let answer = server.try_login(&format!("name-{n}"), "wrong").send().await;
        refused += usize::from(answer.status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(refused, 30);
    let elsewhere = server.try_login(ALICE.0, ALICE.1).from([10, 0, 0, 1]);
    assert_eq!(elsewhere.send().await.status, StatusCode::OK);
}

async fn successful_logins_do_not_use_up_an_addresss_limit(setup: Setup) {
    let server = setup
        .server_with(|config| {
            config.address_limit = Limit::per_minute(1);
            config.account_limit = Limit::per_minute(1);
        })
        .await;
    for _ in 0..3 {
        server.login().await;
        server.login_as(ADMIN).await;
    }
    server.try_login("mallory", "wrong").send().await;
    let again = server.try_login("mallory", "wrong").send().await;
    assert_eq!(again.status, StatusCode::TOO_MANY_REQUESTS);
}

/// Wrong passwords for alice, each from a different address.
async fn attack(server: &Server, count: u8) {
    for n in 0..count {
        server.try_login(ALICE.0, "wrong").from([10, 1, 0, n]).send().await;
    }
}

async fn many_addresses_cannot_try_many_passwords_for_one_name(setup: Setup) {
    let few = |config: &mut Config| config.account_limit = Limit::per_minute(4);
    let server = setup.server_with(few).await;
    attack(&server, 4).await;
    // From now on each address has three tries, not ten.
    for expected in [401, 401, 401, 429] {
        let answer = server.try_login(ALICE.0, "wrong").from([10, 2, 0, 1]).send().await;
        assert_eq!(answer.status, expected);
    }
}

async fn an_account_under_attack_lets_its_owner_in(setup: Setup) {
    let few = |config: &mut Config| config.account_limit = Limit::per_minute(4);
    let server = setup.server_with(few).await;
    server.login().await;
    attack(&server, 20).await;
    for _ in 0..5 {
        server.login().await;
    }
    let elsewhere = server.try_login(ALICE.0, ALICE.1).from([10, 3, 0, 1]);
    assert_eq!(elsewhere.send().await.status, StatusCode::OK);
}

async fn an_account_has_one_spelling(setup: Setup) {
    let server = setup.server_with(|config| config.login_limit = Limit::per_minute(3)).await;
    let answer = server.try_login(" Alice", ALICE.1).send().await;
    assert_eq!(answer.json()["user"]["name"], "alice");
    for name in ["ALICE", "alice "] {
        let answer = server.try_login(name, "wrong").send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = server.try_login("aLice", ALICE.1).send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

fn behind_a_proxy(config: &mut Config) {
    config.login_limit = Limit::per_minute(1);
    config.trusted_proxies = vec![Cidr::parse("127.0.0.0/8").expect("a range")];
}

async fn behind_a_trusted_proxy_limits_apply_to_the_client(setup: Setup) {
    let server = setup.server_with(behind_a_proxy).await;
    let from = |header, value| server.try_login(ALICE.0, ALICE.1).header(header, value).send();
    assert_eq!(from("x-forwarded-for", "203.0.113.7").await.status, StatusCode::OK);
    assert_eq!(from("x-forwarded-for", "203.0.113.8").await.status, StatusCode::OK);
    assert_eq!(from("forwarded", "for=203.0.113.9").await.status, StatusCode::OK);
    // The client's own entries are on the left.
    let made_up = from("x-forwarded-for", "1.1.1.1, 203.0.113.7").await;
    assert_eq!(made_up.status, StatusCode::TOO_MANY_REQUESTS);
    let same = from("forwarded", "for=1.1.1.1, for=203.0.113.7").await;
    assert_eq!(same.status, StatusCode::TOO_MANY_REQUESTS);
}

async fn a_client_that_is_no_trusted_proxy_cannot_choose_its_address(setup: Setup) {
    let server = setup.server_with(behind_a_proxy).await;
    let from = |value| {
        let call = server.try_login(ALICE.0, ALICE.1).from([203, 0, 113, 7]);
        call.header("x-forwarded-for", value).send()
    };
    assert_eq!(from("1.1.1.1").await.status, StatusCode::OK);
    assert_eq!(from("2.2.2.2").await.status, StatusCode::TOO_MANY_REQUESTS);
}

async fn an_ipv6_host_is_limited_by_its_network(setup: Setup) {
    let server = setup.server_with(|config| config.login_limit = Limit::per_minute(1)).await;
    for (address, status) in
        [("2001:db8:0:1::1", 200), ("2001:db8:0:1:2:3:4:5", 429), ("2001:db8:0:2::1", 200)]
    {
        let address: std::net::IpAddr = address.parse().expect("an address");
        let answer = server.try_login(ALICE.0, ALICE.1).from(address).send().await;
        assert_eq!(answer.status, status, "{address}");
    }
}
