//! Slow, silent and numerous clients.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokenkeep_server::{connections::Patience, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{Setup, wire};

/// Longer than any of these limits: a client that is still connected then would stay for ever.
const FOR_EVER: Duration = Duration::from_secs(60);

async fn running(setup: &Setup, patience: Patience) -> serve::Running {
    let mut config = setup.config();
    config.patience = patience;
    serve::start(config).await.expect("the server starts")
}

fn short() -> Patience {
    let short = Duration::from_millis(300);
    Patience { head: short, idle: short, body: short, answer: short, ..Patience::default() }
}

async fn connect(at: SocketAddr) -> TcpStream {
    TcpStream::connect(at).await.expect("connected")
}

/// Everything that arrives before the server closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = Vec::new();
    match timeout(FOR_EVER, stream.read_to_end(&mut rest)).await.expect("the server closes") {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => String::from_utf8_lossy(&rest).into_owned(),
    }
}

/// Sends a byte now and then, as long as the server accepts them.
async fn drip(stream: &mut TcpStream) {
    let dripping = async {
        let mut bytes = [0; 1024];
        loop {
            tokio::select! {
                read = stream.read(&mut bytes) => match read {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                },
                () = tokio::time::sleep(Duration::from_millis(50)) => {
                    if stream.write_all(b"x").await.is_err() {
                        return;
                    }
                }
            }
        }
    };
    timeout(FOR_EVER, dripping).await.expect("the server closes");
}

#[tokio::test]
async fn a_silent_client_is_disconnected() {
    let setup = Setup::sqlite();
    let server = running(&setup, short()).await;
    assert_eq!(rest(&mut connect(server.address).await).await, "");
}

#[tokio::test]
async fn an_idle_client_is_disconnected() {
    let setup = Setup::sqlite();
    let server = running(&setup, short()).await;
    let mut stream = connect(server.address).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.expect("sent");
    assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
}

/// A client that begins like this, and continues one byte at a time, is disconnected.
async fn has_an_end(start: &str) {
    let setup = Setup::sqlite();
    let server = running(&setup, short()).await;
    let mut stream = connect(server.address).await;
    stream.write_all(start.as_bytes()).await.expect("sent");
    drip(&mut stream).await;
}

#[tokio::test]
async fn a_slow_request_head_is_cut_off() {
    has_an_end("GET /healthz HTTP/1.1\r\nX-Slow: ").await;
}

#[tokio::test]
async fn a_slow_request_body_is_cut_off() {
    has_an_end(
        "POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
         Content-Length: 10000\r\n\r\n",
    )
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answers_is_disconnected() {
    let setup = Setup::sqlite();
    let server = running(&setup, short()).await;
    let mut stream = connect(server.address).await;
    let asking = async {
        let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
        // Sends requests until the server accepts no more, and cuts the connection.
        while stream.write_all(&request).await.is_ok() {}
    };
    timeout(FOR_EVER, asking).await.expect("the server closes");
}

#[tokio::test]
async fn silent_clients_keep_nobody_out() {
    let setup = Setup::sqlite();
    let server = running(&setup, Patience { connections: 8, ..Patience::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..40 {
        silent.push(connect(server.address).await);
    }
    let mut begun = connect(server.address).await;
    begun.write_all(b"GET /healthz HTTP/1.1\r\n").await.expect("sent");
    let answer = timeout(FOR_EVER, wire::send(server.address, "GET /healthz", &[], "")).await;
    let answer = answer.expect("in time").expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(rest(&mut silent[0]).await, "", "the oldest had to go");
}

#[tokio::test]
async fn a_stop_waits_for_no_silent_client() {
    let setup = Setup::sqlite();
    let server = running(&setup, Patience::default()).await;
    let mut silent = connect(server.address).await;
    // Once another client is answered, the silent one has been accepted.
    let answer = wire::send(server.address, "GET /healthz", &[], "").await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let began = Instant::now();
    server.stop().await;
    // A stop gives up waiting after five seconds: this one had nothing to wait for.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(rest(&mut silent).await, "");
}
