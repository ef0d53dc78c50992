//! Several instances with one store behave like one server.

use axum::http::StatusCode;
use tokenkeep_server::config::Limit;

use crate::{access::KINDS, harness::Setup, on_all_stores};

on_all_stores!(
    a_token_from_one_instance_is_valid_at_the_other,
    a_logout_at_one_instance_is_known_at_the_other,
    one_of_parallel_refreshes_at_two_instances_succeeds,
    instances_share_their_limits,
);

async fn a_token_from_one_instance_is_valid_at_the_other(setup: Setup) {
    for kind in KINDS {
        let one = setup.server_with(|config| config.tokens = kind).await;
        let two = setup.server_with(|config| config.tokens = kind).await;
        let session = one.login().await;
        assert_eq!(two.me_status(&session.access).await, StatusCode::OK);
        let answer = two.refresh(&session.cookie).send().await;
        assert_eq!(one.me_status(&answer.session().access).await, StatusCode::OK);
    }
}

async fn a_logout_at_one_instance_is_known_at_the_other(setup: Setup) {
    let (one, two) = (setup.server().await, setup.server().await);
    let session = one.login().await;
    one.post("/auth/logout").proof().bearer(&session.access).send().await;
    assert_eq!(two.me_status(&session.access).await, StatusCode::UNAUTHORIZED);
    let answer = two.refresh(&session.cookie).send().await;
    assert_eq!(answer.error(), "invalid_grant");
}

async fn one_of_parallel_refreshes_at_two_instances_succeeds(setup: Setup) {
    let (one, two) = (setup.server().await, setup.server().await);
    let session = one.login().await;
    let calls: Vec<_> = [&one, &two]
        .iter()
        .cycle()
        .take(20)
        .map(|server| tokio::spawn(server.refresh(&session.cookie).send()))
        .collect();
    let mut won = 0;
    for call in calls {
        let answer = call.await.expect("a call");
        assert_ne!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        won += usize::from(answer.status == StatusCode::OK);
    }
    assert_eq!(won, 1);
}

async fn instances_share_their_limits(setup: Setup) {
    let limited = |config: &mut tokenkeep_server::config::Config| {
        config.login_limit = Limit::per_minute(1);
    };
    let one = setup.server_with(limited).await;
    let two = setup.server_with(limited).await;
    one.login().await;
    let answer = two.try_login("alice", "wonderland").send().await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}
