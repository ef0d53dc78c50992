//! Serves the demo page with the reference server, on this machine only.

use super::{Chore, build};
use crate::project::Project;
use crate::run::{self, Interrupted, Limit};
use crate::{lock, progress};
use anyhow::{Context, Result, anyhow, bail};
use lexopt::{Arg, Parser, ValueExt};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

pub const CHORE: Chore = Chore {
    name: "demo",
    about: "build and serve the demo page; Ctrl-C stops it",
    options: &[("--port N", "8080 unless told; 0 takes any that is free")],
    run: demo,
};

/// Short, so that refreshes can be watched.
const ACCESS_TTL: &str = "30s";

fn demo(project: &Project, arguments: Parser) -> Result<()> {
    let port = port(arguments)?;
    check_free(port)?;
    if !project.path("www/index.html").is_file() {
        bail!("www/index.html is missing");
    }
    build::package(project)?;
    serve(project, &server(project)?, port)
}

/// Builds the reference server and returns its path.
pub fn server(project: &Project) -> Result<PathBuf> {
    let _lock = lock::take(project)?;
    progress::step("compiling the reference server", || {
        run::run(
            project.cargo().args(["build", "--package", "tokenkeep-server"]),
            Limit::minutes(20),
        )
    })?;
    Ok(project.target.join("debug/tokenkeep-server"))
}

fn port(mut arguments: Parser) -> Result<u16> {
    let mut port = 8080;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("port") => {
                let value = arguments.value()?.string()?;
                port = value
                    .parse()
                    .map_err(|_| anyhow!("--port takes a number up to 65535, not {value:?}"))?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(port)
}

/// Checked before the build, so that nobody waits for the error.
fn check_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("port {port} is taken: give another one with --port")
        }
        Err(error) => Err(error).with_context(|| format!("port {port} cannot be used")),
    }
}

fn serve(project: &Project, server: &PathBuf, port: u16) -> Result<()> {
    let mut command = project.command(server);
    command.args(["--demo", "--www", "www", "--package", "pkg/dist"]).args([
        "--access-ttl",
        ACCESS_TTL,
        "--port",
        &port.to_string(),
    ]);
    let served =
        run::run_lines(&mut command, Limit::NONE, |line| match line.split_once("listening on ") {
            Some((_, address)) => announce(address),
            None => println!("{line}"),
        });
    match served {
        Err(error) if error.is::<Interrupted>() => {
            println!("\nThe demo has stopped.");
            Ok(())
        }
        other => other,
    }
}

fn announce(address: &str) {
    println!("\n    The demo is at  {address}/    (Ctrl-C stops it)\n");
}
