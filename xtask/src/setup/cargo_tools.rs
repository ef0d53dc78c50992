//! Command line tools from crates.io, each in `target/tools/<name>-<version>`: nothing is installed for the
//! user, and no version is ever replaced.

use crate::progress;
use crate::project::Project;
use crate::run::{self, Limit};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

pub struct Tool {
    pub package: &'static str,
    pub version: String,
    /// The program whose presence shows that the tool is installed.
    pub program: &'static str,
    /// Whether to build with the tool's own lock file.
    pub locked: bool,
    /// The compiler's `opt-level`: a tool that runs for seconds should not build for minutes.
    pub optimization: &'static str,
    pub takes: &'static str,
}

/// Installs missing tools. Returns the directories to put in front of `PATH`.
pub fn ensure(project: &Project, tools: &[Tool]) -> Result<Vec<PathBuf>> {
    let store = project.target.join("tools");
    let build = store.join("build");
    let mut directories = Vec::new();
    let mut installed = false;
    for tool in tools {
        let home = store.join(format!("{}-{}", tool.package, tool.version));
        if home.is_dir() {
            directories.push(home.join("bin"));
        } else if !is_on_path(tool) {
            let what =
                format!("installing {} {} ({}, once)", tool.package, tool.version, tool.takes);
            progress::step(&what, || install(project, tool, &home, &build))?;
            installed = true;
            directories.push(home.join("bin"));
        }
    }
    if installed {
        fs::remove_dir_all(&build).context("cannot remove the tools' build directory")?;
    }
    Ok(directories)
}

/// `PATH` with these directories in front.
pub fn in_front_of_path(directories: Vec<PathBuf>) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths(directories.into_iter().chain(env::split_paths(&path)))
        .context("a directory's name cannot stand in PATH")
}

fn is_on_path(tool: &Tool) -> bool {
    run::output(Command::new(tool.program).arg("--version"))
        .is_ok_and(|said| said.split_whitespace().any(|word| word == tool.version))
}

/// Installs into a temporary directory first, and renames it: a directory with the final name is complete.
fn install(project: &Project, tool: &Tool, home: &Path, build: &Path) -> Result<()> {
    let unfinished = build.with_file_name("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let mut command = project.cargo();
    command
        .args(["install", tool.package, "--version"])
        .arg(format!("={}", tool.version))
        .args(tool.locked.then_some("--locked"))
        .args(["--no-track", "--root"])
        .arg(&unfinished)
        .arg("--target-dir")
        .arg(build)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", tool.optimization)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    let installed = run::run(&mut command, Limit::minutes(40));
    if installed.is_err() && unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    installed.with_context(|| format!("could not get {} from crates.io", tool.package))?;
    fs::rename(&unfinished, home).context("cannot move the tool into place")
}
