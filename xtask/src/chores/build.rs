//! Builds the npm package: the crate to WebAssembly, its bindings, and the bundle in `pkg/dist`.

use super::{Chore, no_more};
use crate::project::Project;
use crate::run::{self, Limit, check_interrupted};
use crate::setup::{node, rust};
use crate::{lock, progress, stamp};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use wasm_bindgen_cli_support::Bindgen;

pub const CHORE: Chore = Chore {
    name: "build",
    about: "build the npm package into pkg/dist",
    options: &[],
    run: |project, arguments| {
        no_more(arguments)?;
        package(project)
    },
};

pub fn package(project: &Project) -> Result<()> {
    if !project.path("pkg/build.mjs").is_file() {
        bail!("pkg/build.mjs is missing");
    }
    let _lock = lock::take(project)?;
    rust::wasm_target(project)?;
    node::packages(project, "pkg")?;
    let wasm = compile(project)?;
    bind(project, &wasm)?;
    bundle(project)
}

/// Whether anything has changed is left to cargo.
fn compile(project: &Project) -> Result<PathBuf> {
    progress::step("compiling the crate to WebAssembly", || {
        run::run(
            project.cargo().args(["build", "--lib", "--profile", "wasm"]).args([
                "--target",
                rust::WASM,
                "--features",
                "bindings",
            ]),
            Limit::minutes(20),
        )
    })?;
    Ok(project.target.join(rust::WASM).join("wasm/tokenkeep.wasm"))
}

/// By the library of wasm-bindgen, so that nobody has to install its command line tool.
fn bind(project: &Project, wasm: &Path) -> Result<()> {
    let generated = project.path("pkg/generated");
    let optimizer = project.path("pkg/node_modules/.bin/wasm-opt");
    if !optimizer.exists() {
        bail!("wasm-opt is missing: pkg/package.json must name binaryen");
    }
    let inputs = [wasm.to_path_buf(), project.path("pkg/package-lock.json")];
    stamp::unless_unchanged(project, "bind", &inputs, &generated, || {
        progress::step("generating and optimizing the bindings", || {
            empty(&generated)?;
            Bindgen::new()
                .input_path(wasm)
                .web(true)?
                .omit_default_module_path(true)
                .typescript(true)
                .out_name("core")
                .generate(&generated)
                .context("wasm-bindgen")?;
            check_interrupted()?;
            let core = generated.join("core_bg.wasm");
            let mut optimize = project.command(&optimizer);
            optimize.arg("-Oz").arg(&core).arg("-o").arg(&core);
            run::run(&mut optimize, Limit::minutes(5))
        })
    })
}

fn bundle(project: &Project) -> Result<()> {
    let dist = project.path("pkg/dist");
    let inputs = sources(&project.path("pkg"))?;
    stamp::unless_unchanged(project, "bundle", &inputs, &dist, || {
        progress::step("bundling the npm package", || {
            empty(&dist)?;
            run::run(
                project.command("node").arg("build.mjs").current_dir(project.path("pkg")),
                Limit::minutes(5),
            )
        })
    })
}

/// All that lies in `pkg`, save what is installed, built or a test.
fn sources(pkg: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(pkg)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if !["node_modules", "dist", "test"].iter().any(|not| name == *not) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn empty(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    Ok(fs::create_dir_all(directory)?)
}
