//! POST /auth/login.

use axum::http::StatusCode;
use serde_json::json;

use crate::{
    harness::{ALICE, Setup},
    on_all_stores,
};

on_all_stores!(
    a_login_returns_an_access_token_and_a_strict_cookie,
    a_login_accepts_json_a_form_and_multipart_form_data,
    a_wrong_password_and_an_unknown_user_get_the_same_answer,
    a_password_is_stored_as_argon2id_and_nothing_else,
    another_sites_page_cannot_log_its_visitor_in,
    accounts_survive_a_restart,
);

async fn a_login_returns_an_access_token_and_a_strict_cookie(setup: Setup) {
    let server = setup.server().await;
    let answer = server.try_login(ALICE.0, ALICE.1).send().await;

    assert_eq!(answer.status, StatusCode::OK);
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"], 300);
    assert_eq!(body["user"], json!({ "name": "alice", "roles": ["user"] }));
    assert_eq!(answer.header("cache-control"), "no-store");
    let session = answer.session();
    assert_eq!(
        answer.set_cookie(),
        format!(
            "__Host-refresh={}; HttpOnly; Secure; SameSite=Strict; Path=/; Max-Age=604800",
            session.cookie
        )
    );
    assert!(!answer.text().contains(&session.cookie));
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
}

async fn a_login_accepts_json_a_form_and_multipart_form_data(setup: Setup) {
    let server = setup.server().await;
    let form = [("username", "alice"), ("password", "wonderland")];
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nalice\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nwonderland\r\n--b--\r\n";
    for call in [
        server
            .post("/auth/login")
            .json(json!({ "username": "alice", "password": "wonderland", "remember": true })),
        server.post("/auth/login").form(&form),
        server.post("/auth/login").body("multipart/form-data; boundary=b", multipart),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }
}

async fn a_wrong_password_and_an_unknown_user_get_the_same_answer(setup: Setup) {
    let server = setup.server().await;
    let wrong = server.try_login("alice", "looking-glass").send().await;
    let unknown = server.try_login("mallory", "wonderland").send().await;

    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong.error(), "invalid_credentials");
    assert_eq!(wrong.set_cookie(), "");
    assert_eq!(
        (wrong.status, wrong.headers, wrong.body),
        (unknown.status, unknown.headers, unknown.body)
    );
}

async fn a_password_is_stored_as_argon2id_and_nothing_else(setup: Setup) {
    setup.server().await.login().await;
    let hash = setup.user("alice").await.password_hash;

    assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
    let bytes = setup.store_bytes();
    assert!(contains(&bytes, &hash), "the search finds what is there");
    assert!(!contains(&bytes, ALICE.1));
}

async fn another_sites_page_cannot_log_its_visitor_in(setup: Setup) {
    let server = setup.server().await;
    for (name, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let call = server.try_login(ALICE.0, ALICE.1).header(name, value);
        let answer = call.send().await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
        assert_eq!(answer.error(), "csrf");
        assert_eq!(answer.set_cookie(), "");
    }
}

async fn accounts_survive_a_restart(setup: Setup) {
    let before = setup.server().await;
    let session = before.login().await;
    drop(before);
    let after = setup.server_with(|config| config.users.clear()).await;
    assert_eq!(after.me_status(&session.access).await, StatusCode::OK);
    after.login().await;
    let answer = after.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

pub fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
