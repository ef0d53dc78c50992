//! Checks whether the project's dependencies may be used: where they come from, their licences, and known
//! vulnerabilities.
//!
//! It does not check crates for vulnerabilities: those are listed in a separate database, RustSec's, which
//! `cargo audit` and `cargo deny` fetch.

use super::{Chore, no_more};
use crate::project::Project;
use crate::run;
use crate::setup::{node, rust};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;

pub const CHORE: Chore = Chore {
    name: "audit",
    about: "check sources and licences of the dependencies, and ask npm what is known against its own",
    options: &[],
    run: audit,
};

type Check = (&'static str, fn(&Project) -> Result<()>);

const CHECKS: [Check; 4] = [
    ("the npm package brings no other along, and runs nothing when installed", brings_nothing),
    ("all crates come from crates.io", come_from_crates_io),
    ("what is compiled into the package is under licences that ask for a notice only", are_free),
    ("npm knows of no high or critical advisory", are_not_advised_against),
];

fn audit(project: &Project, arguments: lexopt::Parser) -> Result<()> {
    no_more(arguments)?;
    let mut failed = 0;
    for (name, check) in CHECKS {
        let result = check(project);
        run::check_interrupted()?;
        match result {
            Ok(()) => println!("ok      {name}"),
            Err(error) => {
                failed += 1;
                println!("not ok  {name}: {error:#}");
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} checks failed", CHECKS.len());
    }
    Ok(())
}

fn brings_nothing(project: &Project) -> Result<()> {
    let text = fs::read_to_string(project.path("pkg/package.json"))?;
    let brought = brought(&serde_json::from_str(&text).context("pkg/package.json")?);
    ensure!(brought.is_empty(), "pkg/package.json has {}", brought.join(", "));
    Ok(())
}

/// What npm would install or run with this package, besides unpacking it. An optional peer is left to the
/// app.
fn brought(package: &Value) -> Vec<String> {
    let names = |member: &str| package[member].as_object().into_iter().flat_map(Map::keys);
    let mut brought = Vec::new();
    for member in ["dependencies", "optionalDependencies"] {
        brought.extend(names(member).map(|name| format!("{name} in {member}")));
    }
    let needed = names("peerDependencies")
        .filter(|name| package["peerDependenciesMeta"][name.as_str()]["optional"] != true);
    brought.extend(needed.map(|name| format!("{name} in peerDependencies, not optional")));
    let run = names("scripts").filter(|name| name.ends_with("install"));
    brought.extend(run.map(|name| format!("a script {name}")));
    brought
}

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn come_from_crates_io(project: &Project) -> Result<()> {
    let mut metadata = project.cargo();
    metadata.args(["metadata", "--locked", "--format-version", "1"]);
    let metadata: Value = serde_json::from_str(&run::output(&mut metadata)?)?;
    let members = &metadata["workspace_members"];
    let is_member = |id: &Value| members.as_array().is_some_and(|members| members.contains(id));
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    let others: Vec<_> = packages
        .iter()
        .filter(|package| package["source"] != CRATES_IO && !is_member(&package["id"]))
        .map(|package| package["id"].to_string())
        .collect();
    ensure!(others.is_empty(), "these do not: {}", others.join(", "));
    Ok(())
}

/// Where a crate offers a choice of licences, one of these is enough.
const FREE: [&str; 7] =
    ["Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unicode-3.0", "Zlib"];

fn are_free(project: &Project) -> Result<()> {
    let mut tree = project.cargo();
    tree.args(["tree", "--locked", "--package", "tokenkeep", "--features", "bindings"])
        .args(["--target", rust::WASM, "--edges", "normal", "--prefix", "none"])
        .args(["--no-dedupe", "--format", "{p}\t{l}"]);
    let tree = run::output(&mut tree)?;
    let others: BTreeSet<_> = tree
        .lines()
        .filter(|line| !line.split_once('\t').is_some_and(|(_, licence)| is_free(licence)))
        .collect();
    ensure!(!tree.is_empty(), "cargo tree names no crates");
    ensure!(others.is_empty(), "these are not: {}", Vec::from_iter(others).join(", "));
    Ok(())
}

/// Judges an SPDX expression in which brackets, if any, contain choices. Older crates separate choices by
/// `/`.
fn is_free(licence: &str) -> bool {
    let bare = licence.replace('/', " OR ").replace(['(', ')'], "");
    bare.split(" AND ").all(|part| part.split(" OR ").any(|name| FREE.contains(&name.trim())))
}

fn are_not_advised_against(project: &Project) -> Result<()> {
    node::node()?;
    let locks = run::output(project.command("git").args(["ls-files", "*package-lock.json"]))?;
    ensure!(!locks.is_empty(), "git knows of no package-lock.json");
    let mut found = Vec::new();
    for directory in locks.lines().filter_map(|lock| lock.strip_suffix("/package-lock.json")) {
        let mut npm = project.command("npm");
        // With the level "none" it fails only if the registry cannot be reached.
        npm.args(["audit", "--package-lock-only", "--audit-level=none", "--json"])
            .current_dir(project.path(directory));
        let said = run::output(&mut npm).context("the registry cannot be asked")?;
        let said = serde_json::from_str(&said).context("npm audit")?;
        found.extend(advised_against(&said)?.map(|name| format!("{name} in {directory}")));
    }
    ensure!(found.is_empty(), "`npm audit` says more of {}", found.join(", "));
    Ok(())
}

/// The packages that npm's report considers dangerous.
fn advised_against(report: &Value) -> Result<impl Iterator<Item = &str>> {
    let packages = report["vulnerabilities"].as_object().context("npm audit reports nothing")?;
    let dangerous =
        |package: &Value| package["severity"] == "high" || package["severity"] == "critical";
    Ok(packages.iter().filter(move |(_, package)| dangerous(package)).map(|(name, _)| &**name))
}

#[cfg(test)]
mod tests {
    use super::{advised_against, brought, is_free};
    use serde_json::json;

    #[test]
    fn a_choice_of_licences_needs_one_free_licence_and_a_sum_needs_all_free() {
        for free in ["MIT", "MIT OR GPL-3.0-only", "Unlicense/MIT", "(MIT OR X) AND Unicode-3.0"] {
            assert!(is_free(free), "{free}");
        }
        for other in ["", "GPL-3.0-only", "MIT AND GPL-3.0-only", "MITx"] {
            assert!(!is_free(other), "{other}");
        }
    }

    #[test]
    fn everything_npm_would_install_or_run_is_found() {
        let clean = json!({
            "scripts": { "build": "", "prepack": "" },
            "devDependencies": { "a": "1" },
            "peerDependencies": { "b": "1" },
            "peerDependenciesMeta": { "b": { "optional": true } },
        });
        assert!(brought(&clean).is_empty());
        let other = json!({
            "scripts": { "postinstall": "" },
            "dependencies": { "a": "1" },
            "peerDependencies": { "b": "1" },
        });
        assert_eq!(brought(&other).len(), 3);
    }
    #[test]
    fn npm_advisories_count_from_high_on() {
        let report = json!({ "vulnerabilities": {
            "a": { "severity": "moderate" },
            "b": { "severity": "high" },
            "c": { "severity": "critical" },
        } });
        let found: Vec<_> = advised_against(&report).unwrap().collect();
        assert_eq!(found, ["b", "c"]);
        assert!(advised_against(&json!({ "error": {} })).is_err());
    }
}
