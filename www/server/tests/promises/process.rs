//! The program itself: its flags, its first line, its end.

use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Output, Stdio},
};

use crate::harness::wire::{self, between};

const BIN: &str = env!("CARGO_BIN_EXE_tokenkeep-server");

fn run(arguments: &[&str]) -> Output {
    Command::new(BIN).args(arguments).output().expect("it runs")
}

/// Killed when the test is over, whatever comes of it.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start(arguments: &[&str]) -> (Process, BufReader<impl Read + use<>>, SocketAddr) {
    let mut process = Process(
        Command::new(BIN)
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts"),
    );
    let mut output = BufReader::new(process.0.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    let address = line
        .trim()
        .strip_prefix("listening on http://")
        .and_then(|address| address.parse().ok())
        .unwrap_or_else(|| panic!("its first line is {line}"));
    (process, output, address)
}

pub fn kill(process: &Process, signal: &str) {
    let status = Command::new("kill").args([signal, &process.0.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

#[test]
fn a_wrong_flag_is_one_line_that_names_it_and_what_it_takes() {
    for (arguments, line) in [
        (vec!["--port", "abc"], "--port: got `abc`, takes a number from 0 to 65535"),
        (
            vec!["--access-ttl", "5"],
            "--access-ttl: got `5`, takes a time of 1s or more, such as 5m",
        ),
        (
            vec!["--access-ttl", "0s"],
            "--access-ttl: got `0s`, takes a time of 1s or more, such as 5m",
        ),
        (vec!["--tokens", "saml"], "--tokens: got `saml`, takes jwt or opaque"),
        (vec!["--login-limit", "10"], "--login-limit: got `10`, takes N/TIME such as 10/1m"),
        (vec!["--www", "/no/such"], "--www: got `/no/such`, takes a folder that exists"),
        (
            vec!["--origin", "https://a.example/"],
            "--origin: got `https://a.example/`, takes an origin such as https://app.example, without a path",
        ),
        (
            vec!["--demo", "--host", "0.0.0.0"],
            "--host: got 0.0.0.0, --demo takes a loopback address only",
        ),
        (vec!["--plain-cookie"], "--plain-cookie: is for --demo alone"),
        (vec!["--port"], "--port: got nothing, takes a value; see --help"),
        (vec!["--prot", "1"], "--prot is no flag; see --help"),
        (vec!["8080"], "`8080` is no flag; see --help"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("tokenkeep-server: {line}\n"));
    }
}

#[test]
fn a_wrong_secret_flag_does_not_show_the_secret() {
    for arguments in [
        ["--user", ":wonderland"],
        ["--client", "wonderland"],
        ["--store", "postgres://app:wonderland@db"],
        ["--store", "redis://:wonderland@127.0.0.1:1"],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(1));
        let line = String::from_utf8_lossy(&output.stderr);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(!line.contains("wonderland"), "{line}");
    }
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let output = run(&["--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "tokenkeep-server: 127.0.0.1:{port} is in use: stop what listens there, or choose another --port\n"
        )
    );
}

#[test]
fn help_names_every_flag() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("--access-ttl"));
}

#[tokio::test]
async fn a_signal_ends_it_cleanly_with_a_connection_and_a_held_answer_open() {
    for signal in ["-TERM", "-INT"] {
        let (mut process, _output, at) = start(&["--demo"]);
        let idle = tokio::net::TcpStream::connect(at).await.expect("connected");
        let faults = wire::send(at, "PUT /demo/faults", &[], r#"{"api":"hold"}"#).await;
        assert!(faults.expect("an answer").starts_with("HTTP/1.1 200"));
        let held = tokio::spawn(wire::send(at, "GET /api/me", &[], ""));
        let answer = wire::send(at, "GET /demo/held?of=api&count=1", &[], "").await;
        assert!(answer.expect("an answer").starts_with("HTTP/1.1 200"));

        kill(&process, signal);
        assert_eq!(process.0.wait().expect("it ends").code(), Some(0));
        let held = held.await.expect("a call").expect("an answer");
        assert!(held.starts_with("HTTP/1.1 401"), "{held}");
        drop(idle);
    }
}

#[tokio::test]
async fn what_the_program_prints_has_no_secret_in_it() {
    let (mut process, mut output, at) =
        start(&["--user", "bob:builders-password:user", "--client", "rs:a-secret-of-the-client"]);
    let json = ("Content-Type", "application/json");
    let body = r#"{"username":"bob","password":"builders-password"}"#;
    let login = wire::send(at, "POST /auth/login", &[json], body).await.expect("an answer");
    let access = between(&login, r#""access_token":""#, "\"").to_owned();
    let cookie = between(&login, "__Host-refresh=", ";").to_owned();
    let sent = format!("__Host-refresh={cookie}");
    let bearer = format!("Bearer {access}");
    let headers = [
        ("Cookie", sent.as_str()),
        ("Authorization", bearer.as_str()),
        ("X-Requested-With", "tokenkeep"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    for line in [
        "POST /auth/refresh",
        "GET /api/me?access_token=in-the-query",
        "POST /auth/refresh",
        "POST /auth/logout",
    ] {
        wire::send(at, line, &headers, "").await.expect("an answer");
    }
    kill(&process, "-TERM");
    let mut printed = String::new();
    output.read_to_string(&mut printed).expect("its output");
    let mut errors = process.0.stderr.take().expect("piped");
    errors.read_to_string(&mut printed).expect("its errors");

    assert!(printed.contains("login: bob"), "{printed}");
    for secret in ["builders-password", "a-secret-of-the-client", "in-the-query", &access, &cookie]
    {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// Memory for a password check that is taken and given back stays with the process, once for each thread.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn many_logins_leave_no_memory_behind() {
    let (process, _output, at) = start(&["--demo"]);
    let status = format!("/proc/{}/status", process.0.id());
    let mut logins = tokio::task::JoinSet::new();
    for n in 0..20 {
        logins.spawn(async move {
            for _ in 0..5 {
                let body = format!(r#"{{"username":"alice{n}","password":"wrong"}}"#);
                let json = [("Content-Type", "application/json")];
                wire::send(at, "POST /auth/login", &json, &body).await.expect("an answer");
            }
        });
    }
    while logins.join_next().await.is_some() {}
    let status = std::fs::read_to_string(status).expect("the process lives");
    let resident: u64 =
        between(&status, "VmRSS:", "kB").trim().parse().expect("a number of kilobytes");
    assert!(resident < 200 * 1024, "{resident} kB");
}
