//! POST /auth/refresh: rotation, reuse, expiry.

use std::time::Duration;

use axum::http::StatusCode;

use crate::{
    harness::{ADMIN, ALICE, Server, Setup},
    login::contains,
    on_all_stores,
};
use tokenkeep_server::store::User;

on_all_stores!(
    two_cookies_are_both_ignored,
    a_refresh_gives_a_new_access_token_and_a_new_cookie,
    a_refresh_without_a_cookie_is_no_session,
    a_reused_refresh_token_ends_its_whole_family_and_is_counted,
    a_reuse_ends_no_other_session_of_the_user,
    exactly_one_of_many_parallel_refreshes_with_one_cookie_succeeds,
    within_the_grace_all_uses_get_the_same_successor_and_are_counted,
    a_thief_within_the_grace_is_detected_at_the_next_refresh,
    a_clock_set_back_makes_no_used_token_valid,
    a_login_during_a_session_ends_that_session,
    a_refresh_token_expires,
    each_refresh_restarts_the_idle_time,
    a_forged_cookie_is_refused_and_cleared,
    a_change_of_roles_takes_effect_at_the_next_refresh,
    the_store_contains_no_token,
);

async fn a_refresh_gives_a_new_access_token_and_a_new_cookie(setup: Setup) {
    let server = setup.server().await;
    let first = server.login().await;
    let answer = server.refresh(&first.cookie).send().await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["user"], serde_json::Value::Null);
    let second = answer.session();
    assert_ne!(second.access, first.access);
    assert_ne!(second.cookie, first.cookie);
    // A request on its way with the previous token is not refused because of the refresh.
    for token in [&first.access, &second.access] {
        assert_eq!(server.me_status(token).await, StatusCode::OK);
    }
}

async fn a_refresh_without_a_cookie_is_no_session(setup: Setup) {
    let server = setup.server().await;
    let answer = server.post("/auth/refresh").proof().send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.error(), "no_session");
    assert_eq!(answer.set_cookie(), "");
}

async fn a_reused_refresh_token_ends_its_whole_family_and_is_counted(setup: Setup) {
    let server = setup.server_with(|config| config.demo = true).await;
    let first = server.login().await;
    let second = server.refresh(&first.cookie).send().await.session();

    let reuse = server.refresh(&first.cookie).send().await;
    assert_eq!(reuse.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reuse.error(), "invalid_grant");
    assert!(reuse.set_cookie().contains("Max-Age=0"));

    let heir = server.refresh(&second.cookie).send().await;
    assert_eq!(heir.status, StatusCode::UNAUTHORIZED);
    assert_eq!(heir.error(), "invalid_grant");
    for token in [&first.access, &second.access] {
        assert_eq!(server.me_status(token).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(server.counter("reuses").await, 1);
    assert_eq!(server.counter("revoked_families").await, 1);
}

async fn a_reuse_ends_no_other_session_of_the_user(setup: Setup) {
    let server = setup.server().await;
    let (robbed, other) = (server.login().await, server.login().await);
    server.refresh(&robbed.cookie).send().await;
    server.refresh(&robbed.cookie).send().await;
    assert_eq!(server.me_status(&other.access).await, StatusCode::OK);
    let answer = server.refresh(&other.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

async fn exactly_one_of_many_parallel_refreshes_with_one_cookie_succeeds(setup: Setup) {
    const MANY: usize = 20;
    let server = setup.server_with(|config| config.demo = true).await;
    let session = server.login().await;

    let calls: Vec<_> =
        (0..MANY).map(|_| tokio::spawn(server.refresh(&session.cookie).send())).collect();
    let mut won = Vec::new();
    for call in calls {
        let answer = call.await.expect("a call");
        if answer.status == StatusCode::OK {
            won.push(answer.session());
        } else {
            assert_eq!(answer.error(), "invalid_grant");
        }
    }

    assert_eq!(won.len(), 1);
    assert_eq!(server.counter("refreshes").await, 1);
    assert_eq!(server.counter("reuses").await, MANY as u64 - 1);
    assert_eq!(server.counter("revoked_families").await, 1);
    // The others were reuses: the winner's tokens are dead, too.
    let answer = server.refresh(&won[0].cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
    assert_eq!(server.me_status(&won[0].access).await, StatusCode::UNAUTHORIZED);
}

async fn within_the_grace_all_uses_get_the_same_successor_and_are_counted(setup: Setup) {
    let server = graceful(&setup).await;
    let first = server.login().await;
    let second = server.refresh(&first.cookie).send().await.session();

    for _ in 0..3 {
        setup.pass(Duration::from_millis(3_333));
        let again = server.refresh(&first.cookie).send().await;
        assert_eq!(again.status, StatusCode::OK);
        let again = again.session();
        assert_eq!(again.cookie, second.cookie);
        assert_ne!(again.access, second.access);
        assert_eq!(server.me_status(&again.access).await, StatusCode::OK);
    }
    assert_eq!(server.counter("graced").await, 3);
    assert_eq!(server.counter("reuses").await, 0);

    // Counted from the first use: the repeats did not extend it.
    setup.pass(Duration::from_millis(1));
    let late = server.refresh(&first.cookie).send().await;
    assert_eq!(late.error(), "invalid_grant");
    let heir = server.refresh(&second.cookie).send().await;
    assert_eq!(heir.error(), "invalid_grant");
    assert_eq!(server.counter("reuses").await, 1);
}

/// A fast thief has the same successor, and no separate branch that would outlive the grace.
async fn a_thief_within_the_grace_is_detected_at_the_next_refresh(setup: Setup) {
    let server = graceful(&setup).await;
    let stolen = server.login().await.cookie;
    let owner = server.refresh(&stolen).send().await.session();
    let thief = server.refresh(&stolen).send().await.session();
    setup.pass(Duration::from_secs(10));
    let owner = server.refresh(&owner.cookie).send().await.session();
    setup.pass(Duration::from_secs(10));
    let found_out = server.refresh(&thief.cookie).send().await;
    assert_eq!(found_out.error(), "invalid_grant");
    for token in [&owner.access, &thief.access] {
        assert_eq!(server.me_status(token).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(server.counter("reuses").await, 1);
}

async fn a_clock_set_back_makes_no_used_token_valid(setup: Setup) {
    let server = graceful(&setup).await;
    let first = server.login().await;
    setup.pass(Duration::from_secs(60));
    server.refresh(&first.cookie).send().await.session();
    setup.set_back(Duration::from_secs(60));
    let answer = server.refresh(&first.cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
}

async fn graceful(setup: &Setup) -> Server {
    setup
        .server_with(|config| {
            config.demo = true;
            config.reuse_grace = Duration::from_secs(10);
        })
        .await
}

async fn a_refresh_token_expires(setup: Setup) {
    let server = setup.server_with(|config| config.refresh_ttl = Duration::from_secs(60)).await;
    let (early, late) = (server.login().await, server.login().await);
    setup.pass(Duration::from_millis(59_999));
    let answer = server.refresh(&early.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    setup.pass(Duration::from_millis(1));
    let answer = server.refresh(&late.cookie).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.error(), "invalid_grant");
}

async fn each_refresh_restarts_the_idle_time(setup: Setup) {
    let server = setup.server_with(|config| config.refresh_ttl = Duration::from_secs(60)).await;
    let mut session = server.login().await;
    for _ in 0..4 {
        setup.pass(Duration::from_secs(59));
        setup.store().await.purge().await.expect("done");
        let answer = server.refresh(&session.cookie).send().await;
        assert_eq!(answer.status, StatusCode::OK);
        session = answer.session();
    }
}

async fn a_forged_cookie_is_refused_and_cleared(setup: Setup) {
    let server = setup.server().await;
    let answer = server.refresh("made-up").send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.error(), "invalid_grant");
    assert_eq!(
        answer.set_cookie(),
        "__Host-refresh=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0"
    );
}

async fn a_change_of_roles_takes_effect_at_the_next_refresh(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let store = setup.store().await;
    let user = setup.user("alice").await;
    store
        .put_user(&User { roles: vec!["user".into(), "admin".into()], ..user })
        .await
        .expect("written");
    let session = server.refresh(&session.cookie).send().await.session();
    let answer = server.get("/api/admin").bearer(&session.access).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

async fn a_login_during_a_session_ends_that_session(setup: Setup) {
    let server = setup.server().await;
    for next in [ALICE, ADMIN] {
        let before = server.login().await;
        let answer = server.try_login(next.0, next.1).cookie(&before.cookie).send().await;
        let after = answer.session();
        let refused = server.refresh(&before.cookie).send().await;
        assert_eq!(refused.error(), "invalid_grant");
        assert_eq!(server.me_status(&before.access).await, StatusCode::UNAUTHORIZED);
        assert_eq!(server.me_status(&after.access).await, StatusCode::OK);
        let answer = server.refresh(&after.cookie).send().await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    // Someone who does not know the password ends nothing.
    let session = server.login().await;
    server.try_login(ALICE.0, "wrong").cookie(&session.cookie).send().await;
    assert_eq!(server.refresh(&session.cookie).send().await.status, StatusCode::OK);
}

async fn the_store_contains_no_token(setup: Setup) {
    for kind in crate::access::KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let first = server.login().await;
        let second = server.refresh(&first.cookie).send().await.session();
        let bytes = setup.store_bytes();
        assert!(contains(&bytes, "alice"), "the search finds what is there");
        for secret in [first.access, first.cookie, second.access, second.cookie] {
            assert!(!contains(&bytes, &secret));
        }
    }
}

async fn two_cookies_are_both_ignored(setup: Setup) {
    let server = setup.server().await;
    let (own, planted) = (server.login().await, server.login_as(ADMIN).await);
    for (first, second) in [(&own, &planted), (&planted, &own)] {
        let both = format!("{}; __Host-refresh={}", first.cookie, second.cookie);
        let answer = server.refresh(&both).send().await;
        assert_eq!((answer.status, answer.set_cookie()), (StatusCode::UNAUTHORIZED, ""));
    }
    let answer = server.refresh(&own.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK, "the session lives on");
}
