//! POST /auth/logout, and the denylist.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;

use tokenkeep_server::store::Key;

use crate::{access::KINDS, harness::Setup, on_all_stores};

on_all_stores!(
    a_logout_revokes_the_access_token_at_once,
    a_logout_ends_the_refresh_tokens_and_clears_the_cookie,
    a_logout_without_the_access_token_still_revokes_it,
    a_logout_without_a_cookie_ends_the_session_of_the_access_token,
    a_logout_always_succeeds,
    a_refresh_that_comes_after_the_logout_is_refused,
    the_denylist_keeps_an_id_until_its_token_has_expired,
);

async fn a_logout_revokes_the_access_token_at_once(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let (session, other) = (server.login().await, server.login().await);
        let answer = server
            .post("/auth/logout")
            .proof()
            .cookie(&session.cookie)
            .bearer(&session.access)
            .send()
            .await;

        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        let refused = server.me(&session.access).send().await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        assert!(refused.header("www-authenticate").contains(r#"error="invalid_token""#));
        assert_eq!(server.me_status(&other.access).await, StatusCode::OK);
    }
}

async fn a_logout_ends_the_refresh_tokens_and_clears_the_cookie(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let logout = server.post("/auth/logout").proof().cookie(&session.cookie);
    let answer = logout.send().await;
    assert_eq!(
        answer.set_cookie(),
        "__Host-refresh=; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=0"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
}

async fn a_logout_without_the_access_token_still_revokes_it(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let logout = server.post("/auth/logout").proof().cookie(&session.cookie);
    logout.send().await;
    assert_eq!(server.me_status(&session.access).await, StatusCode::UNAUTHORIZED);
}

async fn a_logout_without_a_cookie_ends_the_session_of_the_access_token(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let logout = server.post("/auth/logout").proof().bearer(&session.access);
    assert_eq!(logout.send().await.status, StatusCode::NO_CONTENT);
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
}

async fn a_logout_always_succeeds(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let logout = || server.post("/auth/logout").proof();
    for call in [
        logout(),
        logout().cookie("made-up").bearer("made-up"),
        logout().cookie(&session.cookie).bearer(&session.access),
        logout().cookie(&session.cookie).bearer(&session.access),
    ] {
        assert_eq!(call.send().await.status, StatusCode::NO_CONTENT);
    }
}

async fn a_refresh_that_comes_after_the_logout_is_refused(setup: Setup) {
    // With the cookies from before and after a rotation, as a second tab may have sent them.
    let server = setup.server().await;
    let before = server.login().await;
    let after = server.refresh(&before.cookie).send().await.session();
    let logout = server.post("/auth/logout").proof().cookie(&before.cookie);
    logout.send().await;
    for cookie in [&after.cookie, &before.cookie] {
        let answer = server.refresh(cookie).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}

async fn the_denylist_keeps_an_id_until_its_token_has_expired(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let me = server.me(&session.access).send().await.json();
    let Value::String(jti) = &me["jti"] else {
        panic!("no jti in {me}");
    };
    let store = setup.store().await;
    let family = store.family(&Key::of(&session.cookie)).await.expect("asked").expect("its family");
    server.as_client("/oauth/revoke", &[("token", &session.access)]).await;

    let denied = async || {
        store.purge().await.expect("done");
        store.standing(&family, jti, 0).await.expect("asked").revoked
    };
    setup.pass(Duration::from_millis(299_999));
    assert!(denied().await);
    setup.pass(Duration::from_millis(1));
    assert!(!denied().await);
}
