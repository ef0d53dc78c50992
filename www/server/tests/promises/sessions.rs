//! How long a session lasts, who sees a user's sessions, and what a new password ends.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    harness::{ADMIN, ALICE, Answer, Server, Session, Setup},
    on_all_stores,
};

on_all_stores!(
    a_session_ends_at_its_absolute_limit_however_much_it_is_used,
    a_session_can_be_remembered_or_end_with_the_browser,
    a_user_can_list_the_sessions_and_end_one,
    nobody_can_end_another_users_session,
    a_new_password_ends_all_other_sessions,
    a_wrong_current_password_changes_nothing,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn a_session_ends_at_its_absolute_limit_however_much_it_is_used(setup: Setup) {
    let server = setup.server_with(|config| config.session_ttl = 10 * DAY).await;
    let mut session = server.login().await;
    setup.pass(6 * DAY);
    session = server.refresh(&session.cookie).send().await.session();
    setup.pass(4 * DAY - Duration::from_secs(60));
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.json()["expires_in"], 60);
    assert!(answer.set_cookie().ends_with("; Max-Age=60"));
    session = answer.session();
    setup.pass(Duration::from_secs(60));
    assert_eq!(server.me_status(&session.access).await, StatusCode::UNAUTHORIZED);
    let ended = server.refresh(&session.cookie).send().await;
    assert_eq!(ended.error(), "invalid_grant");
}

async fn login(server: &Server, remember: Value, agent: &str) -> Answer {
    let body = json!({ "username": ALICE.0, "password": ALICE.1, "remember": remember });
    server.post("/auth/login").header("user-agent", agent).json(body).send().await
}

async fn a_session_can_be_remembered_or_end_with_the_browser(setup: Setup) {
    let server = setup.server().await;
    let lasting = login(&server, json!(true), "").await;
    assert!(lasting.set_cookie().ends_with("; Max-Age=7776000"), "{}", lasting.set_cookie());
    let passing = login(&server, json!("false"), "").await;
    assert!(passing.set_cookie().ends_with("; Path=/"), "{}", passing.set_cookie());
    setup.pass(30 * DAY);
    let answer = server.refresh(&lasting.session().cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = server.refresh(&passing.session().cookie).send().await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

async fn sessions(server: &Server, session: &Session) -> Vec<Value> {
    let list = server.get("/auth/sessions").bearer(&session.access).send().await.json();
    list["sessions"].as_array().expect("a list").clone()
}

async fn end(server: &Server, session: &Session, field: (&str, &str)) -> StatusCode {
    let call = server.post("/auth/sessions/end").bearer(&session.access).form(&[field]);
    call.send().await.status
}

async fn a_user_can_list_the_sessions_and_end_one(setup: Setup) {
    let server = setup.server().await;
    let phone = login(&server, json!(null), "Phone").await.session();
    setup.pass(Duration::from_secs(60));
    let desk = login(&server, json!(null), "Desk").await.session();
    server.login_as(ADMIN).await;
    let list = sessions(&server, &desk).await;
    let told = |field: &str| list.iter().map(|one| one[field].clone()).collect::<Vec<_>>();
    assert_eq!(told("agent"), ["Desk", "Phone"]);
    assert_eq!(told("current"), [true, false]);
    assert_eq!(told("begun_at"), [setup.now() / 1000, setup.now() / 1000 - 60]);
    setup.pass(Duration::from_secs(60));
    let phone = server.refresh(&phone.cookie).send().await.session();
    let list = sessions(&server, &desk).await;
    assert_eq!(list[0]["agent"], "Phone");
    assert_eq!(list[0]["used_at"], setup.now() / 1000);

    let id = list[0]["id"].as_str().expect("an id");
    assert_eq!(end(&server, &desk, ("id", id)).await, StatusCode::NO_CONTENT);
    assert_eq!(server.me_status(&phone.access).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sessions(&server, &desk).await.len(), 1);
    assert_eq!(end(&server, &desk, ("others", "true")).await, StatusCode::NO_CONTENT);
    assert_eq!(server.me_status(&desk.access).await, StatusCode::OK);
}

async fn nobody_can_end_another_users_session(setup: Setup) {
    let server = setup.server().await;
    let (alice, admin) = (server.login().await, server.login_as(ADMIN).await);
    let id = sessions(&server, &alice).await[0]["id"].clone();
    let id = id.as_str().expect("an id");
    assert_eq!(end(&server, &admin, ("id", id)).await, StatusCode::NOT_FOUND);
    assert_eq!(server.me_status(&alice.access).await, StatusCode::OK);
    assert_eq!(server.get("/auth/sessions").send().await.status, StatusCode::UNAUTHORIZED);
}

async fn change(server: &Server, session: &Session, current: &str, new: &str) -> Answer {
    let call = server.post("/auth/password").proof().bearer(&session.access);
    call.form(&[("current", current), ("new", new)]).send().await
}

async fn a_new_password_ends_all_other_sessions(setup: Setup) {
    let server = setup.server().await;
    let (here, elsewhere) = (server.login().await, server.login().await);
    let admin = server.login_as(ADMIN).await;
    let answer = change(&server, &here, ALICE.1, "through-the-glass").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let here = answer.session();
    assert_eq!(server.me_status(&here.access).await, StatusCode::OK);
    assert_eq!(sessions(&server, &here).await.len(), 1);
    assert_eq!(server.me_status(&elsewhere.access).await, StatusCode::UNAUTHORIZED);
    let answer = server.refresh(&elsewhere.cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
    assert_eq!(server.me_status(&admin.access).await, StatusCode::OK);

    // Also after a restart with the original accounts.
    let server = setup.server().await;
    let old = server.try_login(ALICE.0, ALICE.1).send().await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    server.login_as((ALICE.0, "through-the-glass")).await;
}

async fn a_wrong_current_password_changes_nothing(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let answer = change(&server, &session, "wrong", "through-the-glass").await;
    assert_eq!((answer.status, answer.set_cookie()), (StatusCode::FORBIDDEN, ""));
    let short = change(&server, &session, ALICE.1, "short").await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST);
    server.login().await;
}
