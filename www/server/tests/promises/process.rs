//! The program itself: its flags, its first line, its exit.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tokenkeep_server::flags;

use crate::{
    harness::{
        Folder,
        process::signal,
        wire::{self, between},
    },
    login::contains,
};

pub const BIN: &str = env!("CARGO_BIN_EXE_tokenkeep-server");

fn run(arguments: &[&str]) -> Output {
    Command::new(BIN).args(arguments).output().expect("it runs")
}

/// Killed when the test is over, whatever its result.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn start(arguments: &[&str]) -> (Process, BufReader<impl Read + use<>>, SocketAddr) {
    start_with(arguments, &[], "")
}

/// With environment variables, and with a text on its standard input.
pub fn start_with(
    arguments: &[&str],
    environment: &[(&str, &str)],
    input: &str,
) -> (Process, BufReader<impl Read + use<>>, SocketAddr) {
    let mut process = Process(
        Command::new(BIN)
            .args(["--port", "0"])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts"),
    );
    let mut stdin = process.0.stdin.take().expect("piped");
    stdin.write_all(input.as_bytes()).expect("its input");
    drop(stdin);
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

pub fn kill(process: &Process, name: &str) {
    signal(process.0.id(), name);
}

#[test]
fn a_wrong_flag_gets_a_one_line_error_with_its_name_and_what_it_accepts() {
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
        (vec!["--dpop", "on"], "--dpop: got `on`, takes off, allowed or required"),
        (vec!["--dpop", "allowed"], "--dpop: takes --issuer, the address that proofs must be for"),
        (vec!["--dpop-nonce"], "--dpop-nonce: is for --dpop allowed or required"),
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
fn a_port_in_use_gets_a_clear_one_line_error() {
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
    assert_eq!(String::from_utf8_lossy(&output.stdout), flags::HELP);
    let mut named: Vec<_> = flags::HELP
        .split_whitespace()
        .filter_map(|word| word.strip_prefix("--"))
        .map(|flag| flag.trim_end_matches([',', ';', ':', ')']))
        .collect();
    // Each flag is an arm of one `match` that begins with its name.
    let arms = include_str!("../../src/flags.rs").lines().filter_map(|line| {
        let (arm, _) = line.strip_prefix("            \"")?.split_once(" => ")?;
        Some(arm.split(" | ").map(|name| name.trim_matches('"')))
    });
    let mut taken: Vec<_> = arms.flatten().collect();
    for flags in [&mut named, &mut taken] {
        flags.sort_unstable();
        flags.dedup();
    }
    assert_eq!(named, taken);
}

#[tokio::test]
async fn a_signal_stops_the_server_cleanly_with_a_connection_and_a_held_answer_open() {
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
async fn the_programs_output_contains_no_secret() {
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

const KEY_SECRET: &str = "a-key-secret-of-more-than-32-letters";
const USER: &str = "bob:builders-password:user:GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const CLIENT: &str = "rs:a-secret-of-the-client";

/// The server knows the account, its second factor and the client, and has sealed its keys.
async fn has_its_secrets(process: &Process, at: SocketAddr, store: &Path) {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = "username=bob&password=builders-password";
    let login = wire::send(at, "POST /auth/login", &form, body).await.expect("an answer");
    assert!(login.contains(r#""second_factor":"totp""#), "{login}");
    let basic = ("Authorization", "Basic cnM6YS1zZWNyZXQtb2YtdGhlLWNsaWVudA==");
    let asked = wire::send(at, "POST /oauth/introspect", &[form[0], basic], "token=x").await;
    assert!(asked.expect("an answer").starts_with("HTTP/1.1 200"));
    let sealed = |file: &Path| contains(&fs::read(file).unwrap_or_default(), "sealed.");
    assert!(sealed(store) || sealed(&store.with_extension("db-wal")));
    if cfg!(target_os = "linux") {
        let line = fs::read(format!("/proc/{}/cmdline", process.0.id())).expect("it lives");
        assert!(contains(&line, "--port"));
        for secret in [KEY_SECRET, "builders-password", "GEZDGNBVGY3TQOJQ", "a-secret-of-the"] {
            assert!(!contains(&line, secret));
        }
    }
}

#[tokio::test]
async fn secrets_come_from_files_and_from_the_standard_input() {
    let folder = Folder::new();
    let written = |name: &str, text: &str| {
        let path = folder.0.join(name);
        fs::write(&path, text).expect("a file");
        path.to_str().expect("a plain path").to_owned()
    };
    let store = folder.0.join("store.db");
    let url = format!("sqlite:{}", store.display());
    // With the line endings of other systems' editors, and with a comment.
    let users = written("users", &format!("# who builds\r\n\r\n{USER}\r\n"));
    let clients = written("clients", &format!("{CLIENT}\n"));
    let secret = written("secret", &format!("{KEY_SECRET}\n"));
    let (process, _output, at) = start_with(
        &[
            "--store",
            &url,
            "--user-file",
            &users,
            "--client-file",
            &clients,
            "--key-secret-file",
            "-",
        ],
        &[],
        &format!("{KEY_SECRET}\n"),
    );
    has_its_secrets(&process, at, &store).await;
    drop(process);
    let rotated = run(&["--store", &url, "--key-secret-file", &secret, "--rotate-key"]);
    assert!(rotated.status.success(), "it is the same secret");
}

#[tokio::test]
async fn secrets_come_from_the_environment() {
    let folder = Folder::new();
    let store = folder.0.join("store.db");
    let url = format!("sqlite:{}", store.display());
    let users = format!("eve:another-password\n{USER}");
    let (process, _output, at) = start_with(
        &[],
        &[
            ("TOKENKEEP_STORE", &url),
            ("TOKENKEEP_KEY_SECRET", KEY_SECRET),
            ("TOKENKEEP_USERS", &users),
            ("TOKENKEEP_CLIENTS", CLIENT),
        ],
        "",
    );
    has_its_secrets(&process, at, &store).await;
}

#[test]
fn an_unusable_secret_gets_a_one_line_error_without_the_secret() {
    let folder = Folder::new();
    let file = folder.0.join("secrets");
    fs::write(&file, "# none\n\nwonderland\n").expect("a file");
    let file = file.to_str().expect("a plain path");
    const USERS: &str = "is something else than NAME:PASSWORD[:ROLE,ROLE[:SECRET]]";
    const CLIENTS: &str =
        "is something else than ID:SECRET, of letters, digits and -._~, the secret of 16 or more";
    const KEYS: &str = "is something else than a secret of 32 letters or more";
    let flag = |name: &str, path: &str| run(&[name, path]);
    let variable = |name: &str, value: &[u8]| {
        let mut command = Command::new(BIN);
        command.args(["--port", "0"]).env(name, OsStr::from_bytes(value));
        command.output().expect("it runs")
    };
    for (output, line) in [
        (flag("--user-file", file), format!("--user-file: line 3 {USERS}")),
        (flag("--client-file", file), format!("--client-file: line 3 {CLIENTS}")),
        (flag("--key-secret-file", file), format!("--key-secret-file: line 3 {KEYS}")),
        (flag("--key-secret-file", "/dev/null"), "--key-secret-file: there is no secret".into()),
        (
            flag("--user-file", "/no/such"),
            "--user-file: cannot read /no/such: No such file or directory (os error 2)".into(),
        ),
        (
            variable("TOKENKEEP_STORE", b"postgres://h/db?user=a&password=won&derland=="),
            "cannot open the store postgres://…: postgres: invalid connection string".into(),
        ),
        (variable("TOKENKEEP_USERS", b"wonderland"), format!("TOKENKEEP_USERS: line 1 {USERS}")),
        (
            variable("TOKENKEEP_CLIENTS", b"rs:wonderland"),
            format!("TOKENKEEP_CLIENTS: line 1 {CLIENTS}"),
        ),
        (
            variable("TOKENKEEP_KEY_SECRET", b"wonderland"),
            format!("TOKENKEEP_KEY_SECRET: line 1 {KEYS}"),
        ),
        (variable("TOKENKEEP_KEY_SECRET", b""), "TOKENKEEP_KEY_SECRET: there is no secret".into()),
        (
            variable("TOKENKEEP_KEY_SECRET", b"wonderland\xff"),
            "TOKENKEEP_KEY_SECRET: got something that is no UTF-8".into(),
        ),
        (
            variable("TOKENKEEP_STORE", b"wonderland"),
            "TOKENKEEP_STORE: got something else, takes sqlite::memory:, sqlite:FILE, \
             postgres://HOST/DATABASE, redis://HOST, redis+sentinel://HOST:PORT,HOST:PORT/PRIMARY \
             or redis+cluster://HOST:PORT,HOST:PORT"
                .into(),
        ),
    ] {
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("tokenkeep-server: {line}\n"));
    }
}

/// Memory that is allocated and freed for each password check would stay with the process, once for each
/// thread.
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
