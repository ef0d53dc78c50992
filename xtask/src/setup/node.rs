//! Node, and the npm packages of a directory.

use crate::project::Project;
use crate::run::{self, Limit};
use crate::{progress, stamp};
use anyhow::{Context, Result, bail};
use std::fs;
use std::process::Command;

const OLDEST: (u32, u32) = (20, 19);

pub fn node() -> Result<()> {
    let wanted = format!("Node {}.{} or newer", OLDEST.0, OLDEST.1);
    let Ok(said) = run::output(Command::new("node").arg("--version")) else {
        bail!("install {wanted} (https://nodejs.org): there is none on PATH");
    };
    if version(&said).is_none_or(|found| found < OLDEST) {
        bail!("install {wanted} (https://nodejs.org): this is {}", said.trim());
    }
    Ok(())
}

/// Runs `npm ci` in a directory if its lock file differs from the installed one.
pub fn packages(project: &Project, directory: &str) -> Result<()> {
    node()?;
    let home = project.path(directory);
    let lock = home.join("package-lock.json");
    if !lock.is_file() {
        bail!("{directory}/package-lock.json is missing");
    }
    // The stamp is inside `node_modules`, so npm removes it with the packages.
    let stamp = home.join("node_modules/.xtask-stamp");
    let hash = format!("{:016x}", stamp::hash(&[lock])?);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == hash) {
        return Ok(());
    }
    progress::step(&format!("installing the npm packages of {directory}"), || {
        run::run(
            project.command("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&home),
            Limit::minutes(10),
        )
        .context("could not get the packages from the npm registry")?;
        stamp::write(&stamp, &hash)
    })
}

fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, version};

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(version("v20.9.0\n").unwrap() < OLDEST);
        assert!(version("v20.19.0\n").unwrap() >= OLDEST);
        assert!(version("v100.0.1").unwrap() >= OLDEST);
        assert_eq!(version("20.19.0"), None);
    }
}
