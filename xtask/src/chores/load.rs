//! Measures the reference server on loopback: logins, refreshes and API calls for each store and each kind of
//! token, next to a bare axum handler in the same run.

use super::Chore;
use super::test::STORES;
use crate::project::Project;
use crate::run::{self, Limit};
use crate::scratch::Scratch;
use crate::setup::system;
use crate::{lock, progress};
use anyhow::{Context, Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub const CHORE: Chore = Chore {
    name: "load",
    about: "measure the reference server, on loopback",
    options: &[
        ("--sessions N", "10000 unless told: how many the memory is measured over"),
        (
            "--store URL",
            "this store instead of one of each kind (repeatable); two accounts with known passwords stay in it",
        ),
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
    let (_bare, bare) = start(Command::new(&program).arg("bare"))?;
    let measure = |store: &str| -> Result<()> {
        for tokens in ["jwt", "opaque"] {
            let name = store.split(':').next().unwrap_or(store);
            println!("{name}, {tokens} tokens");
            let (server, address) = start(&mut server(&release, scratch.path(), store, tokens)?)?;
            let (sessions, process) = (sessions.to_string(), server.0.id().to_string());
            let mut client = Command::new(&program);
            client.args(["server", http(&bare)?, http(&address)?, USER.0, USER.1]);
            // The store's URL may contain a password, and any user can read a process's arguments.
            client.args([&sessions, &process]).env("TOKENKEEP_STORE", store);
            run::run(&mut client, Limit::minutes(15))?;
        }
        Ok(())
    };
    if !stores.is_empty() {
        return stores.iter().try_for_each(|store| measure(store));
    }
    system::ensure(project, &STORES)?;
    measure(&format!("sqlite:{}", scratch.path().join("load.db").display()))?;
    for kind in ["postgres", "redis", "cluster"] {
        let mut store = Command::new(&program);
        // The store is killed, and leaves its files behind.
        let (_store, url) = start(store.args(["store", kind]).env("TMPDIR", scratch.path()))?;
        measure(&url)?;
    }
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

/// Sets limits that a crowd from one address does not reach.
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

/// A child process that is stopped when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program that prints `listening on URL` in its first line.
fn start(command: &mut Command) -> Result<(Running, String)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let output = child.stdout.take().context("no output")?;
    let running = Running(child);
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let Some(url) = line.trim().strip_prefix("listening on ") else {
        bail!("{} does not start", run::name(command));
    };
    Ok((running, url.to_owned()))
}

/// The address in a server's URL.
fn http(url: &str) -> Result<&str> {
    url.strip_prefix("http://").context("no HTTP server")
}
