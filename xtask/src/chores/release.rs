//! Checks whether the project could be released in its current state. It publishes nothing.

use super::Chore;
use crate::project::Project;
use crate::run::{self, Limit};
use anyhow::{Context, Result, bail, ensure};
use lexopt::{Arg, Parser};
use serde_json::Value;
use std::fs;

pub const CHORE: Chore = Chore {
    name: "release",
    about: "check that the package and the crate could be published",
    options: &[("--dry-run", "needed: publishing itself is left to CI")],
    run: release,
};

/// The placeholder for an address that the project does not have yet (RFC 2606, section 2).
const PLACEHOLDER: &str = ".invalid/";

struct Check {
    name: &'static str,
    run: fn(&Release) -> Result<()>,
}

const CHECKS: [Check; 6] = [
    Check { name: "the tree is clean", run: tree_is_clean },
    Check { name: "package and crate have the same version", run: versions_are_equal },
    Check { name: "the changelog has a dated section for it", run: changelog_names_version },
    Check { name: "both manifests name the project's own addresses", run: addresses_are_real },
    Check { name: "npm is told to attest where it was built", run: provenance_is_set },
    Check { name: "the tarball and the crate can be packed", run: both_can_be_packed },
];

struct Release<'a> {
    project: &'a Project,
    package: Value,
    krate: Value,
}

impl Release<'_> {
    fn version(&self) -> &str {
        self.package["version"].as_str().unwrap_or_default()
    }
}

fn release(project: &Project, mut arguments: Parser) -> Result<()> {
    let mut is_dry = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("dry-run") => is_dry = true,
            other => return Err(other.unexpected().into()),
        }
    }
    ensure!(is_dry, "this chore only checks: run `cargo xtask release --dry-run`");
    let release = Release { project, package: package(project)?, krate: krate(project)? };
    let mut failed = 0;
    for Check { name, run } in CHECKS {
        match run(&release) {
            Ok(()) => println!("ok      {name}"),
            Err(error) => {
                failed += 1;
                println!("not ok  {name}: {error:#}");
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} checks failed; nothing was published", CHECKS.len());
    }
    println!("version {} can be released", release.version());
    Ok(())
}

fn package(project: &Project) -> Result<Value> {
    let text = fs::read_to_string(project.path("pkg/package.json"))?;
    serde_json::from_str(&text).context("pkg/package.json")
}

fn krate(project: &Project) -> Result<Value> {
    let text = run::output(project.cargo().args(["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.into_iter().find(|package| package["name"] == "tokenkeep");
    found.cloned().context("cargo metadata names no crate tokenkeep")
}

fn tree_is_clean(release: &Release) -> Result<()> {
    let changed = run::output(release.project.command("git").args(["status", "--porcelain"]))?;
    ensure!(changed.trim().is_empty(), "commit or drop these changes first:\n{changed}");
    Ok(())
}

fn versions_are_equal(release: &Release) -> Result<()> {
    let (package, krate) = (release.version(), &release.krate["version"]);
    ensure!(krate == package, "pkg/package.json says {package}, Cargo.toml says {krate}");
    Ok(())
}

fn changelog_names_version(release: &Release) -> Result<()> {
    let changelog = fs::read_to_string(release.project.path("CHANGELOG.md"))?;
    let version = release.version();
    let section = changelog.lines().find(|line| line.starts_with(&format!("## {version}")));
    let section = section
        .with_context(|| format!("CHANGELOG.md has no section that begins \"## {version}\""))?;
    ensure!(section.len() > version.len() + 3, "the section {version} in CHANGELOG.md has no date");
    Ok(())
}

fn addresses_are_real(release: &Release) -> Result<()> {
    let package = &release.package;
    let repository = package["repository"]["url"].as_str().unwrap_or_default();
    let repository = repository.trim_start_matches("git+").trim_end_matches(".git");
    for (name, address) in [
        ("repository", Some(repository)),
        ("homepage", package["homepage"].as_str()),
        ("bugs", package["bugs"].as_str()),
    ] {
        let address = address.filter(|address| !address.is_empty());
        let address = address.with_context(|| format!("pkg/package.json has no `{name}`"))?;
        ensure!(!address.contains(PLACEHOLDER), "`{name}` is a placeholder still: {address}");
    }
    ensure!(
        release.krate["repository"] == repository
            && release.krate["homepage"] == package["homepage"],
        "Cargo.toml and pkg/package.json name different addresses"
    );
    Ok(())
}

fn provenance_is_set(release: &Release) -> Result<()> {
    let is_set = release.package["publishConfig"]["provenance"] == true;
    ensure!(is_set, "pkg/package.json needs `\"publishConfig\": {{ \"provenance\": true }}`");
    Ok(())
}

fn both_can_be_packed(release: &Release) -> Result<()> {
    super::build::package(release.project)?;
    let mut npm = release.project.command("npm");
    npm.args(["pack", "--dry-run", "--silent"]).current_dir(release.project.path("pkg"));
    run::run(&mut npm, Limit::minutes(5))?;
    let mut cargo = release.project.cargo();
    cargo.args(["package", "--package", "tokenkeep", "--list", "--allow-dirty"]);
    run::output(&mut cargo).map(drop)
}
