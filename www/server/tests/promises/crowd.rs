//! A crowd at the login does not keep others out, and does not exhaust the machine.

use axum::http::StatusCode;
use tokenkeep_server::config::{Config, Limit};
use tokio::task::JoinSet;

use crate::harness::{ADMIN, ALICE, Answer, Server, Setup};

fn unlimited(config: &mut Config) {
    for limit in [&mut config.login_limit, &mut config.address_limit, &mut config.account_limit] {
        *limit = Limit::per_minute(100_000);
    }
}

/// Many wrong logins from one address at once. They have arrived when this returns.
async fn crowd(server: &Server, count: usize) -> JoinSet<Answer> {
    let mut crowd = JoinSet::new();
    for n in 0..count {
        let call = server.try_login(&format!("name-{n}"), "wrong").from([10, 0, 0, 1]);
        crowd.spawn(call.send());
    }
    // The first answer: by then the others have asked, or are about to.
    crowd.join_next().await.expect("a call").expect("an answer");
    crowd
}

fn still_waiting(crowd: &mut JoinSet<Answer>) -> usize {
    while crowd.try_join_next().is_some() {}
    crowd.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_login_from_elsewhere_overtakes_a_crowd_of_wrong_ones() {
    let setup = Setup::sqlite();
    let server = setup.server_with(unlimited).await;
    let mut crowd = crowd(&server, 30).await;
    let answer = server.try_login(ALICE.0, ALICE.1).from([10, 0, 0, 2]).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(still_waiting(&mut crowd) > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_user_overtakes_a_crowd_at_the_same_address() {
    let setup = Setup::sqlite();
    let server = setup.server_with(unlimited).await;
    let login = || server.try_login(ALICE.0, ALICE.1).from([10, 0, 0, 1]).send();
    login().await;
    let mut crowd = crowd(&server, 30).await;
    assert_eq!(login().await.status, StatusCode::OK);
    assert!(still_waiting(&mut crowd) > 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_the_login_does_not_delay_refreshes() {
    let setup = Setup::sqlite();
    let server = setup.server_with(unlimited).await;
    let mut session = server.login_as(ADMIN).await;
    let mut crowd = crowd(&server, 30).await;
    for _ in 0..5 {
        session = server.refresh(&session.cookie).send().await.session();
        assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
    }
    // A caller that had waited behind the crowd would get here after it.
    assert!(still_waiting(&mut crowd) > 0);
}
