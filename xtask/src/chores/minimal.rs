//! Checks the packed crate with the oldest versions of its dependencies that its manifest allows: an app may
//! have locked those.

use super::{Chore, no_more};
use crate::project::Project;
use crate::run::{self, Limit};
use crate::scratch::Scratch;
use crate::setup::rust;
use anyhow::{Context, Result};
use std::fs;

pub const CHORE: Chore = Chore {
    name: "minimal",
    about: "check the packed crate with the oldest dependencies that it allows",
    options: &[],
    run: |project, arguments| {
        no_more(arguments)?;
        minimal(project)
    },
};

fn minimal(project: &Project) -> Result<()> {
    rust::wasm_target(project)?;
    let scratch = Scratch::new()?;
    let mut pack = project.cargo();
    pack.args(["package", "--package", "tokenkeep", "--no-verify", "--allow-dirty"]);
    pack.arg("--target-dir").arg(scratch.path());
    run::run(&mut pack, Limit::minutes(5))?;

    let home = scratch.path().join("crate");
    fs::create_dir(&home)?;
    let packed = fs::read_dir(scratch.path().join("package"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "crate"))
        .context("cargo has packed no crate")?;
    let mut unpack = project.command("tar");
    unpack.arg("-xf").arg(packed).args(["--strip-components", "1", "-C"]).arg(&home);
    run::run(&mut unpack, Limit::minutes(1))?;

    // An unstable flag: this variable confirms to cargo that it is used on purpose. Transitive dependencies
    // are not pinned down; their minimal versions are up to the crates that need them.
    let mut update = project.cargo();
    update.args(["update", "-Zdirect-minimal-versions"]).env("RUSTC_BOOTSTRAP", "1");
    run::run(update.current_dir(&home), Limit::minutes(5))?;
    let mut check = project.cargo();
    check.args(["check", "--lib", "--features", "bindings", "--target", rust::WASM]);
    check.arg("--target-dir").arg(project.target.join("minimal"));
    run::run(check.current_dir(&home), Limit::minutes(20))
}
