//! Kills the server itself during refreshes, over and over.
//!
//! With a grace no session is lost. Without one a session is lost if its answer was lost after the store had
//! committed: nobody can tell that retry from a thief. In both cases an answer that was given holds, and no
//! token is accepted twice.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::{
    harness::{
        Setup, rounds,
        wire::{self, between},
    },
    on_all_stores,
    process::{Process, start},
};

on_all_stores!(
    a_kill_during_a_refresh_with_a_grace_loses_no_session,
    a_kill_during_a_refresh_without_a_grace_accepts_no_token_twice,
);

const LIMITS: [&str; 4] = ["--login-limit", "100000/1m", "--refresh-limit", "100000/1m"];

async fn a_kill_during_a_refresh_with_a_grace_loses_no_session(setup: Setup) {
    let mut told = [0; 2];
    play(&setup, "60s", async |at, old, answered, round| {
        told[usize::from(answered.is_some())] += 1;
        let heir = match answered {
            Some(heir) => heir,
            None => refreshed(at, old).await.unwrap_or_else(|| panic!("round {round}: lost")),
        };
        assert!(refreshed(at, &heir).await.is_some(), "round {round}: lost later");
    })
    .await;
    let [unanswered, answered] = told;
    println!(
        "server killed, grace: {answered} answered, {unanswered} retried, none lost ({})",
        setup.scheme()
    );
}

async fn a_kill_during_a_refresh_without_a_grace_accepts_no_token_twice(setup: Setup) {
    let mut told = [0; 3];
    play(&setup, "0s", async |at, old, answered, round| {
        let heir = match answered {
            Some(heir) => {
                told[0] += 1;
                Some(heir)
            }
            None => {
                let heir = refreshed(at, old).await;
                told[if heir.is_some() { 1 } else { 2 }] += 1;
                heir
            }
        };
        if let Some(heir) = heir {
            let next = refreshed(at, &heir).await;
            assert!(next.is_some(), "round {round}: what was answered does not hold");
        }
        assert_eq!(refreshed(at, old).await, None, "round {round}: honoured twice");
    })
    .await;
    let [answered, retried, ended] = told;
    println!(
        "server killed, no grace: {answered} answered, {retried} retried, {ended} ended ({})",
        setup.scheme()
    );
}

/// Kills the server in each round, and passes the one that is started afterwards to `check`, with the token
/// that was sent and the answer.
async fn play(
    setup: &Setup,
    grace: &str,
    mut check: impl AsyncFnMut(SocketAddr, &str, Option<String>, usize),
) {
    let flags = ["--store", &setup.url, "--reuse-grace", grace];
    let flags = [&flags[..], &LIMITS].concat();
    let first = [&flags[..], &["--user", "alice:wonderland:user"]].concat();
    let (mut process, _output, mut at) = start(&first);
    let usual = {
        let mut cookie = wire::login(at).await;
        let mut fastest = Duration::MAX;
        for _ in 0..5 {
            let began = Instant::now();
            cookie = refreshed(at, &cookie).await.expect("refreshed");
            fastest = fastest.min(began.elapsed());
        }
        fastest
    };
    for round in 0..rounds(3) {
        let old = wire::login(at).await;
        // From immediately to a little after the usual time, in a pseudo-random order.
        let delay = usual * (round as u32 * 37 % 100 + 10) / 90;
        let answered = refresh_and_kill(&mut process, at, &old, delay).await;
        let (next, _output, address) = start(&flags);
        (process, at) = (next, address);
        check(at, &old, answered, round).await;
    }
}

async fn refresh_and_kill(
    process: &mut Process,
    at: SocketAddr,
    cookie: &str,
    delay: Duration,
) -> Option<String> {
    let mut stream = TcpStream::connect(at).await.expect("connected");
    let request = format!(
        "POST /auth/refresh HTTP/1.1\r\nHost: {at}\r\nX-Requested-With: t\r\n\
         Sec-Fetch-Site: same-origin\r\nCookie: __Host-refresh={cookie}\r\n\
         Connection: close\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    sleep(delay).await;
    process.0.kill().expect("killed");
    process.0.wait().expect("ended");
    let mut answer = Vec::new();
    // The answer may end halfway, or with a reset.
    let _ = stream.read_to_end(&mut answer).await;
    new_cookie(&String::from_utf8_lossy(&answer))
}

/// The new cookie, if the old one was accepted.
pub async fn refreshed(at: SocketAddr, cookie: &str) -> Option<String> {
    let answer = wire::refresh(at, cookie).await.expect("an answer");
    assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
    new_cookie(&answer)
}

fn new_cookie(answer: &str) -> Option<String> {
    let whole = answer.starts_with("HTTP/1.1 200") && answer.contains("__Host-refresh=");
    whole.then(|| between(answer, "__Host-refresh=", ";").to_owned())
}
