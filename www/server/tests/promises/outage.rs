//! The store fails: nobody is logged out because of it, no used token is accepted, and the server recovers by
//! itself. Tested without a grace, which would hide mistakes.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use tokenkeep_server::{config::Limit, store::Key};
use tokio::net::TcpStream;

use crate::{
    access::KINDS,
    crash,
    harness::{
        ALICE, Folder, Server, Service, Session, Setup,
        postgres::Postgres,
        process::until,
        proxy::{Fate, Proxy},
        redis::{Redis, Sentinel},
        rounds, wire,
    },
    on_stores,
    process::{kill, start},
};

// Each with a store that nobody else uses.
on_stores!(
    [in_postgres: own_postgres, in_redis: own_redis, in_cluster: own_cluster]
    without_its_store_the_server_answers_503_and_recovers_by_itself,
    a_call_to_a_hanging_store_is_given_up_in_time_and_costs_no_session,
    a_store_that_lost_everything_gets_its_accounts_again,
    killing_the_store_during_a_refresh_costs_no_session,
);

async fn without_its_store_the_server_answers_503_and_recovers_by_itself(mut setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let used = server.login().await.cookie;
    server.refresh(&used).send().await.session();
    assert_eq!(server.get("/readyz").send().await.status, StatusCode::OK);
    setup.kill_store();

    for call in [
        server.me(&session.access),
        server.refresh(&session.cookie),
        server.try_login("alice", "wonderland"),
        server.post("/auth/logout").proof().cookie(&session.cookie),
        server.get("/readyz"),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.error(), "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(answer.set_cookie(), "");
    }
    // The process itself is fine.
    assert_eq!(server.get("/healthz").send().await.status, StatusCode::OK);
    let lines = setup.log_lines();
    assert!(lines.iter().any(|line| line.starts_with("store: ")));

    setup.resume_store();
    until_ready(&server).await;
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
    assert_eq!(server.refresh(&session.cookie).send().await.status, StatusCode::OK);
    // It came back with all its data.
    assert_eq!(server.refresh(&used).send().await.error(), "invalid_grant");
}

async fn a_call_to_a_hanging_store_is_given_up_in_time_and_costs_no_session(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    setup.signal_store("-STOP");
    for call in [server.refresh(&session.cookie), server.me(&session.access), server.get("/readyz")]
    {
        let began = Instant::now();
        assert_eq!(call.send().await.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }
    setup.signal_store("-CONT");
    until_ready(&server).await;
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(server.refresh(&session.cookie).send().await.error(), "invalid_grant");
}

async fn a_store_that_lost_everything_gets_its_accounts_again(setup: Setup) {
    for kind in KINDS {
        let one = setup.server_with(|config| config.tokens = kind).await;
        let two = setup.server_with(|config| config.tokens = kind).await;
        let before = one.login().await;
        setup.empty_store();

        assert_eq!(one.me_status(&before.access).await, StatusCode::UNAUTHORIZED);
        assert_eq!(one.refresh(&before.cookie).send().await.error(), "invalid_grant");
        let after = one.login().await;
        // Both instances agree on the new key, and no old token is valid.
        for server in [&one, &two] {
            assert_eq!(server.me_status(&after.access).await, StatusCode::OK);
            assert_eq!(server.me_status(&before.access).await, StatusCode::UNAUTHORIZED);
        }
        two.login().await;
        let answer = two.refresh(&after.cookie).send().await;
        assert_eq!(one.me_status(&answer.session().access).await, StatusCode::OK);
        assert_eq!(one.try_login(ALICE.0, "wrong").send().await.error(), "invalid_credentials");
    }
}

async fn killing_the_store_during_a_refresh_costs_no_session(mut setup: Setup) {
    let server = setup
        .server_with(|config| {
            config.login_limit = Limit::per_minute(100_000);
            config.store_clock = None;
        })
        .await;
    let (mut answered, mut retried) = (0, 0);
    for round in 0..rounds(2) {
        let session = server.login().await;
        // The kill takes some milliseconds, too, so the refresh waits.
        let (refresh, delay) = (server.refresh(&session.cookie), round as u64 * 389 % 6_000);
        let call = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_micros(delay)).await;
            refresh.send().await
        });
        setup.kill_store();
        let answer = call.await.expect("a call");
        setup.resume_store();
        until_ready(&server).await;
        let heir = if answer.status == StatusCode::OK {
            answered += 1;
            answer.session().cookie
        } else {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "round {round}");
            retried += 1;
            let retry = server.refresh(&session.cookie).send().await;
            assert_eq!(retry.status, StatusCode::OK, "round {round}");
            retry.session().cookie
        };
        let next = server.refresh(&heir).send().await;
        assert_eq!(next.status, StatusCode::OK, "round {round}");
        let reuse = server.refresh(&session.cookie).send().await;
        assert_eq!(reuse.error(), "invalid_grant", "round {round}");
    }
    println!(
        "store killed: {answered} answered, {retried} retried, none lost ({})",
        setup.scheme()
    );
}

/// After a failover the old primary may live on as a replica, with our connections to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_of_redis_the_new_primary_is_found() {
    let setup = Setup::own_redis();
    let proxy = Proxy::start(&setup.url).await;
    let server = setup.server_with(|config| config.store = proxy.url.clone()).await;
    let session = server.login().await;
    let folder = Folder::new();
    let replica = Redis::start(&folder.0);
    let Service::Redis(primary) = &setup.service else {
        panic!("no Redis");
    };
    replica.follow(Some(primary));
    replica.follow(None);
    primary.follow(Some(&replica));
    proxy.lead_to(&replica.url());

    until_ready(&server).await;
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinel_leads_to_the_new_primary() {
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let mut primary = Redis::start(&folders[0].0);
    let replica = Redis::start(&folders[1].0);
    replica.follow(Some(&primary));
    let sentinel = Sentinel::start(&folders[2].0, &primary);
    let setup = Setup::sqlite();
    let server = setup.server_with(|config| config.store = sentinel.url()).await;
    let session = server.login().await;
    // Data that it had not received would be lost.
    let size = |redis: &Redis| redis.command(&["DBSIZE"]);
    until("the replication", || (size(&replica) == size(&primary)).then_some(()));
    primary.kill();

    until_ready(&server).await;
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failover_of_postgres_the_new_primary_is_found() {
    let setup = Setup::postgres();
    let server = setup.server().await;
    let session = server.login().await;
    let database = setup.url.rsplit('/').next().expect("its name");
    let postgres = Postgres::shared();
    let set = |what: &str| assert!(postgres.try_sql(&format!("ALTER DATABASE {database} {what}")));
    let hang_up = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    );
    set("SET default_transaction_read_only = on");
    assert!(postgres.try_sql(&hang_up));
    // The first of them may still find its connection broken.
    for _ in 0..3 {
        let answer = server.refresh(&session.cookie).send().await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    set("RESET default_transaction_read_only");
    until_ready(&server).await;
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// The store commits, and its answer does not arrive: the retry is no reuse, because nobody got the
/// successor.
async fn a_lost_answer_of_the_store_costs_no_session(setup: Setup) {
    let proxy = Proxy::start(&setup.url).await;
    let server = setup.server_with(|config| config.store = proxy.url.clone()).await;
    let session = used_before(&server).await;
    proxy.catch_exchange(&Key::of(&session.cookie).digest, Fate::Lost);
    let lost = server.refresh(&session.cookie).send().await;
    assert_eq!(lost.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(lost.set_cookie(), "");
    proxy.until_answered().await;

    let retry = server.refresh(&session.cookie).send().await;
    assert_eq!(retry.status, StatusCode::OK);
    // And it is a token for one use, like any other.
    let next = server.refresh(&retry.session().cookie).send().await;
    assert_eq!(next.status, StatusCode::OK);
    assert_eq!(server.refresh(&session.cookie).send().await.error(), "invalid_grant");
    assert_eq!(server.refresh(&next.session().cookie).send().await.error(), "invalid_grant");
}

/// A page that is reloaded during its refresh: the server drops the request.
async fn a_client_that_hangs_up_during_a_refresh_keeps_its_session(setup: Setup) {
    let proxy = Proxy::start(&setup.url).await;
    let server = setup.server_with(|config| config.store = proxy.url.clone()).await;
    let session = used_before(&server).await;
    proxy.catch_exchange(&Key::of(&session.cookie).digest, Fate::Held);
    let call = tokio::spawn(server.refresh(&session.cookie).send());
    proxy.until_answered().await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    proxy.release();

    let retry = server.refresh(&session.cookie).send().await;
    assert_eq!(retry.status, StatusCode::OK);
    assert_eq!(server.refresh(&session.cookie).send().await.error(), "invalid_grant");
}

async fn when_told_to_stop_the_server_answers_pending_requests(setup: Setup) {
    let proxy = Proxy::start(&setup.url).await;
    let (mut process, _output, at) =
        start(&["--store", &proxy.url, "--user", "alice:wonderland:user"]);
    let cookie = crash::refreshed(at, &wire::login(at).await).await.expect("refreshed");
    proxy.catch_exchange(&Key::of(&cookie).digest, Fate::Held);
    let call = tokio::spawn(async move { crash::refreshed(at, &cookie).await });
    proxy.until_answered().await;
    kill(&process, "-TERM");
    while TcpStream::connect(at).await.is_ok() {
        tokio::task::yield_now().await;
    }
    proxy.release();
    assert!(call.await.expect("a call").is_some());
    assert_eq!(process.0.wait().expect("it ends").code(), Some(0));
}

/// So that Redis knows the scripts, and the exchange is the second command with the token's digest.
async fn used_before(server: &Server) -> Session {
    let session = server.login().await;
    server.refresh(&session.cookie).send().await.session()
}

// Behind a proxy. A cluster tells its clients other addresses than the proxy's.
on_stores!(
    [in_postgres: postgres, in_redis: redis]
    a_lost_answer_of_the_store_costs_no_session,
    a_client_that_hangs_up_during_a_refresh_keeps_its_session,
    when_told_to_stop_the_server_answers_pending_requests,
);

async fn until_ready(server: &Server) {
    let began = Instant::now();
    while server.get("/readyz").send().await.status != StatusCode::OK {
        assert!(began.elapsed() < Duration::from_secs(30), "it is not well again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
