//! Mutates the core in every small way that cargo-mutants knows, and checks that a test notices.
//!
//! The core needs nothing from the browser. So it is built alone with its tests, as one crate in one program:
//! that takes a second per mutant, where the whole crate takes ten.

use super::Chore;
use crate::project::Project;
use crate::run::{self, Limit};
use crate::setup::cargo_tools::{self, Tool, in_front_of_path};
use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};
use serde_json::Value;
use std::fs;
use std::path::Path;

pub const CHORE: Chore = Chore {
    name: "mutants",
    about: "break src/core in every small way: a test must notice each",
    options: &[("--file GLOB", "only in such files of src/core")],
    run: mutants,
};

/// Enough cases to expose a broken rule, few enough for hundreds of mutants.
const CASES: &str = "400";

/// The core's tests, besides its unit tests.
const TESTS: [&str; 5] =
    ["core_scenarios", "core_targets", "core_handed_out", "core_rules", "secrecy"];

fn mutants(project: &Project, mut arguments: Parser) -> Result<()> {
    let mut file = "**".to_owned();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("file") => file = arguments.value()?.string()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let tool = Tool {
        package: "cargo-mutants",
        version: "27.1.0".to_owned(),
        program: "cargo-mutants",
        locked: true,
        optimization: "1",
        takes: "2 to 4 minutes",
    };
    let path = in_front_of_path(cargo_tools::ensure(project, &[tool])?)?;
    let home = project.target.join("mutants");
    let alone = home.join("core");
    stands_alone(project, &alone)?;
    let mut cargo = project.cargo();
    cargo
        .args(["mutants", "--in-place", "--file", &format!("src/core/{file}")])
        .args(["--minimum-test-timeout", "30", "--output"])
        .arg(&project.target)
        .args(["--", "--lib"])
        .current_dir(alone)
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", home.join("build"))
        .env("PROPTEST_CASES", CASES);
    run::run(&mut cargo, Limit::NONE)
}

/// Writes a crate that contains only the core and its tests.
fn stands_alone(project: &Project, alone: &Path) -> Result<()> {
    for part in ["src", "tests"] {
        if alone.join(part).exists() {
            fs::remove_dir_all(alone.join(part))?;
        }
    }
    copy(&project.path("src/core"), &alone.join("src/core"))?;
    copy(&project.path("tests/core"), &alone.join("tests/core"))?;
    // The core has members that only the shell or the fuzz targets use.
    let mut library = "#![allow(dead_code, unused_imports)]\npub mod core;\n".to_owned();
    library.push_str("#[cfg(test)]\nextern crate self as tokenkeep;\n");
    for name in TESTS {
        let file = format!("tests/{name}.rs");
        fs::copy(project.path(&file), alone.join(&file))?;
        library.push_str(&format!("#[cfg(test)]\n#[path = \"../{file}\"]\nmod {name};\n"));
    }
    fs::write(alone.join("src/lib.rs"), library)?;
    fs::copy(project.path("Cargo.lock"), alone.join("Cargo.lock"))?;
    Ok(fs::write(alone.join("Cargo.toml"), manifest(project)?)?)
}

/// The manifest of the core alone, with the dependencies of the whole crate.
fn manifest(project: &Project) -> Result<String> {
    let metadata =
        run::output(project.cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let whole: Vec<&Value> = packages
        .filter(|package| package["name"] == "tokenkeep")
        .flat_map(|package| package["dependencies"].as_array().into_iter().flatten())
        .collect();
    let lines = |names: &[&str]| {
        let mut lines = String::new();
        for dependency in &whole {
            let Some(name) = dependency["name"].as_str().filter(|name| names.contains(name)) else {
                continue;
            };
            // JSON and TOML write strings, booleans and lists of strings alike.
            let (version, features) = (&dependency["req"], &dependency["features"]);
            let defaults = &dependency["uses_default_features"];
            lines.push_str(&format!(
                "{name} = {{ version = {version}, features = {features}, default-features = {defaults} }}\n"
            ));
        }
        lines
    };
    Ok([
        "[package]\nname = \"tokenkeep\"\nedition = \"2024\"\nautotests = false\n\n[workspace]\n",
        "\n[lib]\ndoctest = false\n\n[lints.rust]\nunexpected_cfgs = \"allow\"\n",
        // Building takes most of the time; but proptest is built only once.
        "\n[profile.test]\ndebug = 0\n\n[profile.dev.package]\nproptest = { opt-level = 3 }\n",
        "\n[dependencies]\n",
        &lines(&["base64", "zeroize"]),
        "\n[dev-dependencies]\n",
        &lines(&["proptest", "url"]),
    ]
    .concat())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
