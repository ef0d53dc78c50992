//! Measures a server on loopback, or acts as one: `cargo xtask load` runs it.
//!
//!     load store postgres|redis|cluster              runs such a store, as the tests do, until killed
//!     load bare                                      serves one bare axum handler, for comparison
//!     load server BARE SERVER NAME PASSWORD SESSIONS PROCESS
//!                                                    measures; the store's URL is in TOKENKEEP_STORE

#[expect(dead_code, unused_imports, reason = "the tests need the rest of it")]
#[path = "../tests/promises/harness/mod.rs"]
mod harness;

use std::{
    env, fs, future,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use argon2::{Argon2, Params, password_hash::PasswordHasher};
use axum::{Json, Router, routing::get};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokenkeep_server::store::{self, User};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinSet,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How many clients ask at the same time, each on its own connection.
const CLIENTS: usize = 8;
const HOW_LONG: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["store", kind] => be_store(kind).await,
        ["bare"] => bare().await,
        ["server", bare, server, name, password, sessions, process] => {
            let bare = Server { address: bare.parse()?, login: String::new() };
            let server = Server { address: server.parse()?, login: login(name, password) };
            speed(&bare, &server).await?;
            let server = cheap(server, &env::var("TOKENKEEP_STORE")?).await?;
            memory(&server, sessions.parse()?, process).await
        }
        _ => Err("load store KIND | load bare | load server BARE SERVER …".into()),
    }
}

/// Each store writes to the disk before it answers.
async fn be_store(kind: &str) -> Result<()> {
    let setup = match kind {
        "postgres" => harness::Setup::own_postgres(),
        "redis" => harness::Setup::own_redis(),
        "cluster" => harness::Setup::own_cluster(),
        _ => return Err("load store postgres|redis|cluster".into()),
    };
    println!("listening on {}", setup.url);
    future::pending().await
}

async fn bare() -> Result<()> {
    let router = Router::new().route("/", get(async || Json(json!({ "name": "alice" }))));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

fn login(name: &str, password: &str) -> String {
    json!({ "username": name, "password": password }).to_string()
}

/// The same server with an account whose password check is cheap, so that thousands of sessions can be opened
/// in seconds. Argon2's memory has been allocated by then.
async fn cheap(server: Server, store: &str) -> Result<Server> {
    // A store inside the server process cannot be given an account from here.
    if store == "sqlite::memory:" {
        return Ok(server);
    }
    let (name, password) = ("cheap", "no-time-at-all");
    let argon2 = Argon2::from(Params::new(Params::MIN_M_COST, Params::MIN_T_COST, 1, None)?);
    let user = User {
        name: name.to_owned(),
        password_hash: argon2.hash_password(password.as_bytes())?.to_string(),
        roles: Vec::new(),
        second_factor: String::new(),
    };
    let store = store::open(store, None).await.map_err(|error| error.0)?;
    store.put_user(&user).await.map_err(|error| error.0)?;
    Ok(Server { login: login(name, password), ..server })
}

async fn speed(bare: &Server, server: &Server) -> Result<()> {
    let bare = measure(bare.clients().await?, Work::Bare, "bare handler", None).await?;
    for (work, name) in
        [(Work::Api, "API calls"), (Work::Refresh, "refreshes"), (Work::Login, "logins")]
    {
        measure(server.users().await?, work, name, Some(bare)).await?;
    }
    let users = server.users().await?;
    let mut burst = JoinSet::new();
    for client in server.clients().await? {
        burst.spawn(client.work(Work::Login, Instant::now() + 2 * HOW_LONG));
    }
    let name = "refreshes beside a burst of logins";
    measure(users, Work::Refresh, name, Some(bare)).await?;
    burst.shutdown().await;
    Ok(())
}

/// Measures in two halves, to separate what a server uses once from what each session costs.
async fn memory(server: &Server, sessions: usize, process: &str) -> Result<()> {
    let before = resident(process)?;
    open(server, sessions / 2).await?;
    let half = resident(process)?;
    open(server, sessions - sessions / 2).await?;
    let after = resident(process)?;
    println!("  {:<36} {before} MiB, {half} MiB, {after} MiB over {sessions} sessions", "memory");
    Ok(())
}

async fn open(server: &Server, sessions: usize) -> Result<()> {
    let mut logins = JoinSet::new();
    for mut client in server.clients().await? {
        logins.spawn(async move {
            for _ in 0..sessions / CLIENTS {
                client.log_in().await?;
            }
            Ok(())
        });
    }
    all(logins).await.map(drop)
}

/// Returns the rate per second.
async fn measure(
    clients: Vec<Client>,
    work: Work,
    name: &str,
    beside: Option<usize>,
) -> Result<usize> {
    let begun = Instant::now();
    let until = begun + HOW_LONG;
    let mut working = JoinSet::new();
    for client in clients {
        working.spawn(client.work(work, until));
    }
    let mut taken = all(working).await?.concat();
    // The last calls ended after `until`.
    let took = begun.elapsed();
    taken.sort_unstable();
    let at = |share: usize| {
        let micros = taken.get(taken.len() * share / 100).map_or(0, Duration::as_micros);
        format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
    };
    let rate = (taken.len() as f64 / took.as_secs_f64()) as usize;
    let share = beside.map_or(String::new(), |bare| {
        format!("   {:.1} % of bare", 100.0 * rate as f64 / bare.max(1) as f64)
    });
    println!("  {name:<36} {rate:>7}/s   p50 {:>10}   p99 {:>10}{share}", at(50), at(99));
    Ok(rate)
}

async fn all<T: 'static>(mut tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut done = Vec::new();
    while let Some(task) = tasks.join_next().await {
        done.push(task??);
    }
    Ok(done)
}

#[derive(Clone, Copy)]
enum Work {
    Bare,
    Api,
    Refresh,
    Login,
}

#[derive(Clone)]
struct Server {
    address: SocketAddr,
    login: String,
}

impl Server {
    async fn clients(&self) -> Result<Vec<Client>> {
        let mut clients = Vec::new();
        for number in (2..).take(CLIENTS) {
            clients.push(self.connect(number).await?);
        }
        Ok(clients)
    }

    /// Clients with a session.
    async fn users(&self) -> Result<Vec<Client>> {
        let mut clients = self.clients().await?;
        for client in &mut clients {
            client.log_in().await?;
        }
        Ok(clients)
    }

    /// Connects from an address of the client's own: at the login the addresses take turns.
    async fn connect(&self, number: u8) -> Result<Client> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::new(127, 0, 0, number), 0).into())?;
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let server = self.clone();
        Ok(Client { server, sender, access: String::new(), cookie: String::new() })
    }
}

/// The state of a page and its browser.
struct Client {
    server: Server,
    sender: http1::SendRequest<Full<Bytes>>,
    access: String,
    cookie: String,
}

impl Client {
    /// Works until the given time. Returns the duration of each piece of work.
    async fn work(mut self, work: Work, until: Instant) -> Result<Vec<Duration>> {
        let mut taken = Vec::new();
        while Instant::now() < until {
            let begun = Instant::now();
            match work {
                Work::Bare => self.send(Method::GET, "/", "").await.map(drop)?,
                Work::Api => self.send(Method::GET, "/api/me", "").await.map(drop)?,
                Work::Refresh => self.token("/auth/refresh", "").await?,
                Work::Login => self.log_in().await?,
            }
            taken.push(begun.elapsed());
        }
        Ok(taken)
    }

    /// Logs in without the previous cookie: each login opens another session.
    async fn log_in(&mut self) -> Result<()> {
        self.cookie.clear();
        let login = self.server.login.clone();
        self.token("/auth/login", &login).await
    }

    async fn token(&mut self, path: &str, body: &str) -> Result<()> {
        let (head, body) = self.send(Method::POST, path, body).await?;
        let cookie = head.headers().get(header::SET_COOKIE).ok_or("no cookie")?.to_str()?;
        self.cookie = cookie.split(';').next().unwrap_or("").to_owned();
        let body: Value = serde_json::from_slice(&body)?;
        self.access = body["access_token"].as_str().ok_or("no token")?.to_owned();
        Ok(())
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<(Response<()>, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.server.address.to_string())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.access))
            .header(header::COOKIE, &self.cookie)
            .header("x-requested-with", "load")
            .header("sec-fetch-site", "same-origin")
            .body(Full::new(Bytes::from(body.to_owned())))?;
        // The last answer has been read, but the connection may not have noticed yet.
        self.sender.ready().await?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        if !head.status.is_success() {
            return Err(
                format!("{path}: {} {}", head.status, String::from_utf8_lossy(&body)).into()
            );
        }
        Ok((Response::from_parts(head, ()), body))
    }
}

/// The memory of a process in MiB (Linux).
fn resident(process: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: u64 = line.trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024)
}
