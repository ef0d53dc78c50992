//! Measures the reference server on loopback: logins, refreshes and API calls for each store and each kind of
//! token, beside a bare axum handler in the same run.

use super::Chore;
use crate::project::Project;
use crate::run::{self, Limit};
use crate::scratch::Scratch;
use crate::{lock, progress};
use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const CHORE: Chore = Chore {
    name: "load",
    about: "measure the reference server, on loopback",
    options: &[
        ("--sessions N", "10000 unless told: how many the memory is measured over"),
        ("--store URL", "this store instead of SQLite and Redis (repeatable)"),
    ],
    run: load,
};

const USER: (&str, &str) = ("load", "a-password-for-loopback");

fn load(project: &Project, mut arguments: Parser) -> Result<()> {
    let (mut sessions, mut stores) = (10_000_u32, Vec::new());
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("sessions") => sessions = arguments.value()?.parse()?,
            Arg::Long("store") => stores.push(arguments.value()?.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let release = build(project)?;
    let program = release.join("examples/load");
    let scratch = Scratch::new()?;
    let mut redis = None;
    if stores.is_empty() {
        stores.push(format!("sqlite:{}", scratch.path().join("load.db").display()));
        let (process, url) = start_redis(scratch.path())?;
        redis = Some(process);
        stores.push(url);
    }

    let (bare, address) = start(Command::new(&program).arg("bare"))?;
    run::run(Command::new(&program).args(["calls", &address]), Limit::minutes(1))?;
    drop(bare);
    for store in &stores {
        for tokens in ["jwt", "opaque"] {
            let name = store.split(':').next().unwrap_or(store);
            println!("{name}, {tokens} tokens");
            let (server, address) = start(&mut server(&release, scratch.path(), store, tokens)?)?;
            let process = server.0.id().to_string();
            let mut measure = Command::new(&program);
            measure.args(["server", &address, USER.0, USER.1, &sessions.to_string(), &process]);
            run::run(&mut measure, Limit::minutes(15))?;
        }
    }
    drop(redis);
    Ok(())
}

fn build(project: &Project) -> Result<std::path::PathBuf> {
    let _lock = lock::take(project)?;
    progress::step("compiling the reference server", || {
        let mut cargo = project.cargo();
        cargo.args(["build", "--release", "--package", "tokenkeep-server"]);
        run::run(cargo.args(["--bins", "--example", "load"]), Limit::minutes(20))
    })?;
    Ok(project.target.join("release"))
}

/// With limits that a crowd from one address does not reach.
fn server(release: &Path, folder: &Path, store: &str, tokens: &str) -> Result<Command> {
    let users = folder.join("users");
    std::fs::write(&users, format!("{}:{}\n", USER.0, USER.1))?;
    let mut command = Command::new(release.join("tokenkeep-server"));
    command.args(["--port", "0", "--tokens", tokens, "--user-file"]).arg(users);
    command.env("TOKENKEEP_STORE", store);
    for limit in ["--login-limit", "--address-limit", "--account-limit", "--refresh-limit"] {
        command.args([limit, "1000000000/1m"]);
    }
    Ok(command)
}

/// Stopped when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts what says `listening on http://HOST:PORT` in its first line.
fn start(command: &mut Command) -> Result<(Running, String)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let output = child.stdout.take().context("no output")?;
    let running = Running(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let Some(address) = line.trim().strip_prefix("listening on http://") else {
        bail!("{} does not start", run::name(command));
    };
    Ok((running, address.to_owned()))
}

fn start_redis(folder: &Path) -> Result<(Running, String)> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
        .arg(folder);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("redis-server does not start: apt-get install redis-server")?;
    let output = child.stdout.take().context("no output")?;
    let running = Running(child);
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    if !lines.any(|line| line.contains("Ready to accept connections")) {
        bail!("redis-server has ended");
    }
    Ok((running, format!("redis://127.0.0.1:{port}")))
}
