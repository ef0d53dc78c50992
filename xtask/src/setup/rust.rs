//! The parts of the Rust toolchain beyond rustup's minimal profile.

use crate::progress;
use crate::project::Project;
use crate::run::{self, Limit, check_interrupted};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

pub const WASM: &str = "wasm32-unknown-unknown";

pub fn wasm_target(project: &Project) -> Result<()> {
    let libraries =
        run::output(project.command("rustc").args(["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(libraries.trim()).is_dir() {
        return Ok(());
    }
    progress::step(&format!("adding the Rust target {WASM}"), || {
        run::run(project.command("rustup").args(["target", "add", WASM]), Limit::minutes(10))
            .with_context(|| format!("could not get the Rust target {WASM}"))
    })
}

/// Whether the sources of the standard library are present or can be installed. Without them the package
/// works all the same, but is larger.
pub fn library_sources(project: &Project) -> Result<bool> {
    let sources = sysroot(project)?.join("lib/rustlib/src/rust/library/Cargo.lock");
    if sources.is_file() {
        return Ok(true);
    }
    let added = progress::step("adding the sources of the standard library", || {
        run::run(
            project.command("rustup").args(["component", "add", "rust-src"]),
            Limit::minutes(10),
        )
    });
    if let Err(error) = added {
        check_interrupted()?;
        eprintln!(
            "warning: {error:#}: building with the standard library as it comes, for a larger package"
        );
    }
    Ok(sources.is_file())
}

pub fn sysroot(project: &Project) -> Result<PathBuf> {
    let path = run::output(project.command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(path.trim()))
}

pub fn components(project: &Project) -> Result<()> {
    for (component, subcommand) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if run::output(project.cargo().args([subcommand, "--version"])).is_ok() {
            continue;
        }
        progress::step(&format!("adding {component}"), || {
            run::run(
                project.command("rustup").args(["component", "add", component]),
                Limit::minutes(10),
            )
            .with_context(|| format!("could not get {component}"))
        })?;
    }
    Ok(())
}
