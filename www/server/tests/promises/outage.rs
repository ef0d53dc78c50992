//! The store is down: nobody is logged out for that.

use axum::http::StatusCode;

use crate::harness::Setup;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_store_the_server_answers_503_and_never_401() {
    let mut setup = Setup::redis();
    let server = setup.server().await;
    let session = server.login().await;
    setup.stop_store();

    for call in [
        server.me(&session.access),
        server.refresh(&session.cookie),
        server.try_login("alice", "wonderland"),
        server.post("/auth/logout").proof().cookie(&session.cookie),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.error(), "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(answer.set_cookie(), "");
    }
    let lines = setup.log_lines();
    assert!(lines.iter().any(|line| line.starts_with("store: redis: ")));
}
