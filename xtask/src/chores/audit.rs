//! Checks whether the project's dependencies may be used: where they come from, their licences, and known
//! vulnerabilities.
//!
//! cargo-deny checks the crates, by the rules in `deny.toml`; known vulnerabilities only npm is asked for.

use super::{Chore, no_more};
use crate::project::Project;
use crate::run::{self, Limit};
use crate::setup::cargo_tools::{self, Tool, in_front_of_path};
use crate::setup::{node, rust};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};
use std::fs;
use std::process::Command;

pub const CHORE: Chore = Chore {
    name: "audit",
    about: "check sources and licences of the dependencies, and ask npm what is known against its own",
    options: &[],
    run: audit,
};

type Check = (&'static str, fn(&Project) -> Result<()>);

const CHECKS: [Check; 4] = [
    ("the npm package brings no other along, and runs nothing when installed", brings_nothing),
    ("all crates come from crates.io, under licences that ask for a notice only", are_allowed),
    ("the package contains no crate twice", are_there_once),
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

fn are_allowed(project: &Project) -> Result<()> {
    let mut deny = deny(project)?;
    deny.args(["--workspace", "check", "licenses", "sources"]);
    run::run(&mut deny, Limit::minutes(5))
}

fn are_there_once(project: &Project) -> Result<()> {
    let mut deny = deny(project)?;
    deny.args(["--exclude-dev", "--target", rust::WASM, "check", "bans"]);
    run::run(&mut deny, Limit::minutes(5))
}

fn deny(project: &Project) -> Result<Command> {
    let tool = Tool {
        package: "cargo-deny",
        version: "0.20.2".to_owned(),
        program: "cargo-deny",
        locked: true,
        optimization: "1",
        takes: "3 to 10 minutes",
    };
    let path = in_front_of_path(cargo_tools::ensure(project, &[tool])?)?;
    let mut cargo = project.cargo();
    cargo.args(["deny", "--locked"]).env("PATH", path);
    Ok(cargo)
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
    use super::{advised_against, brought};
    use serde_json::json;

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
