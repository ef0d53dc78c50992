//! Introspection (RFC 7662) and revocation (RFC 7009, and by user and by client).

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::{
    access::KINDS,
    harness::{ADMIN, CLIENT, Server, Session, Setup},
    on_all_stores,
};

on_all_stores!(
    introspection_names_the_user_of_a_good_token,
    introspection_of_a_bad_token_says_only_that_it_is_not_active,
    only_known_clients_may_introspect_and_revoke,
    revoking_an_access_token_ends_only_that_token_at_once,
    revoking_a_refresh_token_ends_its_family,
    revoking_an_unknown_token_succeeds,
    revoking_a_user_ends_all_of_that_users_tokens_and_no_others,
    revoking_a_client_ends_all_of_its_tokens_and_no_others,
    a_revoked_user_can_log_in_again,
);

async fn introspection_names_the_user_of_a_good_token(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let session = server.login().await;
        let said = server.introspect(&session.access).await;
        assert_eq!(said["active"], true);
        assert_eq!(said["username"], "alice");
        assert_eq!(said["client_id"], "web");
        assert_eq!(said["token_type"], "Bearer");
        assert_eq!(said["exp"], setup.now() / 1000 + 300);
        let answer = server.as_client("/oauth/introspect", &[("token", &session.access)]).await;
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

async fn introspection_of_a_bad_token_says_only_that_it_is_not_active(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let session = server.login().await;
        let not_active = json!({ "active": false });
        assert_eq!(server.introspect("made-up").await, not_active);
        assert_eq!(server.introspect(&session.cookie).await, not_active);
        setup.pass(Duration::from_secs(300));
        assert_eq!(server.introspect(&session.access).await, not_active);
    }
}

async fn only_known_clients_may_introspect_and_revoke(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    for path in ["/oauth/introspect", "/oauth/revoke", "/oauth/revoke-all"] {
        let call = || server.post(path).form(&[("token", &session.access), ("user", "alice")]);
        for call in [
            call(),
            call().basic(CLIENT.0, "a-wrong-secret-of-length"),
            call().basic("another", CLIENT.1),
            call().basic("", ""),
            call().bearer(&session.access),
            call().header("authorization", "Basic ???"),
        ] {
            let answer = call.send().await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(answer.error(), "invalid_client");
            assert!(answer.header("www-authenticate").starts_with("Basic "));
        }
    }
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
}

async fn revoking_an_access_token_ends_only_that_token_at_once(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let session = server.login().await;
        let newer = server.refresh(&session.cookie).send().await.session();
        let answer = server.as_client("/oauth/revoke", &[("token", &session.access)]).await;
        assert_eq!(answer.status, StatusCode::OK);
        dead(&server, &session.access).await;
        assert_eq!(server.me_status(&newer.access).await, StatusCode::OK);
        let answer = server.refresh(&newer.cookie).send().await;
        assert_eq!(answer.status, StatusCode::OK);
    }
}

async fn revoking_a_refresh_token_ends_its_family(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    server.as_client("/oauth/revoke", &[("token", &session.cookie)]).await;
    all_dead(&server, &session).await;
}

async fn revoking_an_unknown_token_succeeds(setup: Setup) {
    let server = setup.server().await;
    for path in ["/oauth/revoke", "/oauth/revoke-all"] {
        let fields = [("token", "made-up"), ("user", "nobody")];
        let answer = server.as_client(path, &fields).await;
        assert!(answer.status.is_success(), "{path}");
        let answer = server.as_client(path, &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

async fn revoking_a_user_ends_all_of_that_users_tokens_and_no_others(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let alices = [server.login().await, server.login().await];
        let admins = server.login_as(ADMIN).await;
        let answer = server.as_client("/oauth/revoke-all", &[("user", "alice")]).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        for session in &alices {
            all_dead(&server, session).await;
        }
        alive(&server, &admins).await;
    }
}

async fn revoking_a_client_ends_all_of_its_tokens_and_no_others(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let (web, phone) = (server.login().await, login_by(&server, "phone").await);
        server.as_client("/oauth/revoke-all", &[("client_id", "phone")]).await;
        all_dead(&server, &phone).await;
        alive(&server, &web).await;
    }
}

async fn a_revoked_user_can_log_in_again(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        for group in [("user", "alice"), ("client_id", "web")] {
            server.as_client("/oauth/revoke-all", &[group]).await;
            // In the same millisecond: the order counts, not the time.
            let session = server.login().await;
            alive(&server, &session).await;
        }
    }
}

async fn login_by(server: &Server, client: &str) -> Session {
    let body = json!({ "username": "alice", "password": "wonderland", "client_id": client });
    let answer = server.post("/auth/login").json(body).send().await;
    answer.session()
}

async fn dead(server: &Server, token: &str) {
    assert_eq!(server.me_status(token).await, StatusCode::UNAUTHORIZED);
    let said = server.introspect(token).await;
    assert_eq!(said, json!({ "active": false }));
}

async fn all_dead(server: &Server, session: &Session) {
    dead(server, &session.access).await;
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
}

async fn alive(server: &Server, session: &Session) {
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
    assert_eq!(server.introspect(&session.access).await["active"], true);
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}
