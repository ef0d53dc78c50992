//! Builds the npm package: the crate to WebAssembly, its bindings, and the bundle in `pkg/dist`.

use super::prune::prune;
use super::{Chore, no_more};
use crate::project::Project;
use crate::run::{self, Limit, check_interrupted};
use crate::setup::{node, rust};
use crate::{lock, progress, stamp};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::{env, fs};
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

/// Cargo decides whether anything has changed.
fn compile(project: &Project) -> Result<PathBuf> {
    let mut flags = remapped(project)?;
    let mut cargo = project.cargo();
    cargo.args(["build", "--lib", "--profile", "wasm", "--target", rust::WASM]);
    cargo.args(["--features", "bindings"]);
    if rust::library_sources(project)? {
        // An unstable flag: this variable confirms to the compiler that it is used on purpose.
        cargo.env("RUSTC_BOOTSTRAP", "1").args(SMALL_LIBRARY);
        flags.extend(SMALL_CODE.map(String::from));
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    progress::step("compiling the crate to WebAssembly", || {
        run::run(&mut cargo, Limit::minutes(20))
    })?;
    Ok(project.target.join(rust::WASM).join("wasm/tokenkeep.wasm"))
}

/// Compiles the standard library for size, like the crate: that makes the package a tenth smaller.
const SMALL_LIBRARY: [&str; 2] =
    ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// A panic traps at once, without a message, because messages would add to the size. The package's TypeScript
/// watches for traps. MIR inlining is off by default when optimising for size; with it fewer functions have
/// to be compiled at start, and gzip compresses the code better.
const SMALL_CODE: [&str; 6] = [
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
    "-Zinline-mir=yes",
    "-Zinline-mir-threshold=160",
];

/// Keeps the paths of the building machine out of the package.
fn remapped(project: &Project) -> Result<Vec<String>> {
    let home = env::var_os("HOME").unwrap_or_default();
    let cargo =
        env::var_os("CARGO_HOME").map_or_else(|| Path::new(&home).join(".cargo"), PathBuf::from);
    let places =
        [(rust::sysroot(project)?, "rust"), (cargo, "cargo"), (project.root.clone(), "tokenkeep")];
    Ok(places.map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display())).into())
}

/// Uses the library of wasm-bindgen, so that its command line tool need not be installed.
fn bind(project: &Project, wasm: &Path) -> Result<()> {
    let generated = project.path("pkg/generated");
    if !project.path(OPTIMIZER).exists() {
        bail!("wasm-opt is missing: pkg/package.json must name binaryen");
    }
    // The flags are in this file, so it is an input.
    let inputs =
        [wasm, &project.path("pkg/package-lock.json"), &project.path(THIS), &project.path(PRUNE)]
            .map(Path::to_path_buf);
    stamp::unless_unchanged(project, "bind", &inputs, &generated, || {
        progress::step("generating and optimizing the bindings", || {
            generate(project, wasm, &generated, &[])
        })
    })
}

/// The WebAssembly as it is shipped, but with function names.
pub fn named(project: &Project) -> Result<PathBuf> {
    let _lock = lock::take(project)?;
    let wasm = compile(project)?;
    let home = project.target.join("named");
    progress::step("optimizing once more, with the names", || {
        generate(project, &wasm, &home, &["--debuginfo"])
    })?;
    Ok(home.join("core_bg.wasm"))
}

fn generate(project: &Project, wasm: &Path, home: &Path, more: &[&str]) -> Result<()> {
    empty(home)?;
    let mut output = Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .omit_default_module_path(true)
        .typescript(true)
        .out_name("core")
        .generate_output()
        .context("wasm-bindgen")?;
    prune(output.wasm_mut())?;
    output.emit(home).context("wasm-bindgen")?;
    check_interrupted()?;
    let core = home.join("core_bg.wasm");
    let mut optimize = project.command(project.path(OPTIMIZER));
    optimize.args(OPTIMIZE).args(more).arg(&core).arg("-o").arg(&core);
    run::run(&mut optimize, Limit::minutes(5))
}

const OPTIMIZER: &str = "pkg/node_modules/.bin/wasm-opt";
const THIS: &str = "xtask/src/chores/build.rs";
const PRUNE: &str = "xtask/src/chores/prune.rs";

/// Functions with a single caller are inlined unless they are large: each function that is compiled at start costs time, each
/// inlined one makes the file larger after gzip. With a limit of 100, 219 functions were compiled, with 150 they were 209 for
/// 25 bytes more. Flattened and given new blocks and loops first, the code is 0.3 kB smaller.
/// The first kilobyte of memory is the far end of a stack of one megabyte, and holds nothing.
const OPTIMIZE: [&str; 7] = [
    "--flatten",
    "--rereloop",
    "-Oz",
    "--converge",
    "--one-caller-inline-max-function-size",
    "150",
    "--low-memory-unused",
];

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

/// All files in `pkg`, except installed ones, build output and tests.
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
