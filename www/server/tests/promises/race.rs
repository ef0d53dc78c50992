//! Fifty refreshes with one token at two instances, with real clocks: the store's, and the instances' own,
//! which differ.

use std::{collections::HashSet, time::Duration};

use axum::http::StatusCode;
use tokenkeep_server::{
    clock::Clock,
    config::{Config, Limit},
};

use crate::{
    harness::{Server, Setup, rounds},
    on_all_stores,
};

const CALLS: usize = 50;

on_all_stores!(
    without_a_grace_exactly_one_of_fifty_refreshes_succeeds,
    within_the_grace_all_fifty_refreshes_get_one_successor,
);

async fn without_a_grace_exactly_one_of_fifty_refreshes_succeeds(setup: Setup) {
    let servers = instances(&setup, Duration::ZERO).await;
    for round in 0..rounds(3) {
        let session = servers[round % 2].login().await;
        let won = race(&servers, &session.cookie).await;
        assert_eq!(won.len(), 1, "round {round}");
        // The others were reuses: the family has ended.
        for cookie in [&won[0], &session.cookie] {
            let answer = servers[0].refresh(cookie).send().await;
            assert_eq!(answer.error(), "invalid_grant", "round {round}");
        }
    }
}

async fn within_the_grace_all_fifty_refreshes_get_one_successor(setup: Setup) {
    let servers = instances(&setup, Duration::from_secs(60)).await;
    for round in 0..rounds(3) {
        let session = servers[round % 2].login().await;
        let won = race(&servers, &session.cookie).await;
        assert_eq!(won.len(), CALLS, "round {round}");
        let different: HashSet<_> = won.into_iter().collect();
        assert_eq!(different.len(), 1, "round {round}");
        let heir = different.into_iter().next().expect("one");
        assert_eq!(servers[1].refresh(&heir).send().await.status, StatusCode::OK);
    }
}

async fn instances(setup: &Setup, grace: Duration) -> [Server; 2] {
    let set = |ahead: u64| {
        move |config: &mut Config| {
            let system = Clock::system();
            config.clock = Clock::new(move || system.now() + ahead);
            config.store_clock = None;
            config.reuse_grace = grace;
            config.login_limit = Limit::per_minute(100_000);
            config.refresh_limit = Limit::per_minute(100_000);
        }
    };
    [setup.server_with(set(0)).await, setup.server_with(set(5_000)).await]
}

/// The new cookies of the refreshes that succeeded.
async fn race(servers: &[Server; 2], cookie: &str) -> Vec<String> {
    let calls: Vec<_> = servers
        .iter()
        .cycle()
        .take(CALLS)
        .map(|server| tokio::spawn(server.refresh(cookie).send()))
        .collect();
    let mut won = Vec::new();
    for call in calls {
        let answer = call.await.expect("a call");
        assert_ne!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
        if answer.status == StatusCode::OK {
            won.push(answer.session().cookie);
        }
    }
    won
}
