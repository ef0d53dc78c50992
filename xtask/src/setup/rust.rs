//! What the Rust toolchain needs beyond rustup's minimal profile.

use crate::progress;
use crate::project::Project;
use crate::run::{self, Limit};
use anyhow::{Context, Result};
use std::path::Path;

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
