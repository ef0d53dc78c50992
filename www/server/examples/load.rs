//! Measures a server on loopback, or is one: `cargo xtask load` runs it.
//!
//!     load bare                                      serves one bare axum handler, to be measured beside
//!     load calls HOST:PORT                           calls that handler
//!     load server HOST:PORT NAME PASSWORD SESSIONS PROCESS

use std::{
    env, fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{Json, Router, routing::get};
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// So many clients ask at the same time, each on a connection of its own.
const CLIENTS: usize = 8;
const HOW_LONG: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bare"] => bare().await,
        ["calls", address] => {
            let server = Server { address: address.parse()?, login: String::new() };
            measure(&server, Work::Bare, "bare handler").await
        }
        ["server", address, name, password, sessions, process] => {
            let login = json!({ "username": name, "password": password }).to_string();
            let server = Server { address: address.parse()?, login };
            whole(&server, sessions.parse()?, process).await
        }
        _ => Err("load bare | load calls HOST:PORT | load server HOST:PORT NAME …".into()),
    }
}

async fn bare() -> Result<()> {
    let router = Router::new().route("/", get(async || Json(json!({ "name": "alice" }))));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn whole(server: &Server, sessions: usize, process: &str) -> Result<()> {
    measure(server, Work::Api, "API calls").await?;
    measure(server, Work::Refresh, "refreshes").await?;
    measure(server, Work::Login, "logins").await?;
    let mut burst = JoinSet::new();
    for _ in 0..CLIENTS {
        burst.spawn(server.clone().client(Work::Login, Instant::now() + 2 * HOW_LONG));
    }
    measure(server, Work::Refresh, "refreshes beside a burst of logins").await?;
    burst.shutdown().await;

    let before = resident(process)?;
    let mut logins = JoinSet::new();
    for _ in 0..CLIENTS {
        let server = server.clone();
        logins.spawn(async move {
            let mut client = server.connect().await?;
            for _ in 0..sessions / CLIENTS {
                client.log_in().await?;
            }
            Ok(())
        });
    }
    all(logins).await?;
    let after = resident(process)?;
    println!("  {:<36} {before} MiB, and {after} MiB {sessions} sessions later", "memory");
    Ok(())
}

async fn measure(server: &Server, work: Work, name: &str) -> Result<()> {
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(server.clone().client(work, begun + HOW_LONG));
    }
    let mut taken = all(clients).await?.concat();
    taken.sort_unstable();
    let at = |share: usize| {
        let micros = taken.get(taken.len() * share / 100).map_or(0, Duration::as_micros);
        format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10)
    };
    let rate = taken.len() as u64 / HOW_LONG.as_secs();
    println!("  {name:<36} {rate:>7}/s   p50 {:>10}   p99 {:>10}", at(50), at(99));
    Ok(())
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
    /// Works until then; answers how long each piece of work took.
    async fn client(self, work: Work, until: Instant) -> Result<Vec<Duration>> {
        let mut client = self.connect().await?;
        if !matches!(work, Work::Bare) {
            client.log_in().await?;
        }
        let mut taken = Vec::new();
        while Instant::now() < until {
            let begun = Instant::now();
            match work {
                Work::Bare => client.send(Method::GET, "/", "").await.map(drop)?,
                Work::Api => client.send(Method::GET, "/api/me", "").await.map(drop)?,
                Work::Refresh => client.token("/auth/refresh", "").await?,
                Work::Login => client.log_in().await?,
            }
            taken.push(begun.elapsed());
        }
        Ok(taken)
    }

    async fn connect(&self) -> Result<Client> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let server = self.clone();
        Ok(Client { server, sender, access: String::new(), cookie: String::new() })
    }
}

/// What a page and its browser have.
struct Client {
    server: Server,
    sender: http1::SendRequest<Full<Bytes>>,
    access: String,
    cookie: String,
}

impl Client {
    /// Without the cookie of before: each login is a session more.
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

/// MiB of memory that a process has (Linux).
fn resident(process: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: u64 = line.trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024)
}
