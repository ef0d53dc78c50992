//! System programs: found on `PATH`, else installed with apt, else requested in a one-line message.

use crate::progress;
use crate::project::Project;
use crate::run::{self, Limit};
use anyhow::{Context, Result, bail};
use nix::unistd::Uid;
use std::path::PathBuf;

#[derive(Clone, Copy)]
pub struct Program {
    pub what: &'static str,
    /// Alternative names; the first that is found is used.
    pub names: &'static [&'static str],
    pub debian: &'static str,
}

/// The paths of the programs, in order.
pub fn ensure(project: &Project, programs: &[Program]) -> Result<Vec<PathBuf>> {
    let missing: Vec<_> = programs.iter().filter(|p| find(p).is_none()).collect();
    if !missing.is_empty() {
        let what: Vec<_> = missing.iter().map(|program| program.what).collect();
        let packages: Vec<_> = missing.iter().map(|program| program.debian).collect();
        install(project, &what.join(" and "), &packages)?;
    }
    programs
        .iter()
        .map(|program| find(program).with_context(|| format!("{} is not on PATH", program.what)))
        .collect()
}

fn find(program: &Program) -> Option<PathBuf> {
    program.names.iter().find_map(|name| which::which(name).ok())
}

/// Installs missing programs from Debian's `packages`, or says how to.
pub fn install(project: &Project, what: &str, packages: &[&str]) -> Result<()> {
    if !Uid::effective().is_root() || which::which("apt-get").is_err() {
        bail!("install {what} (on Debian: sudo apt-get install {})", packages.join(" "));
    }
    progress::step(&format!("installing {what} with apt"), || {
        let limit = Limit::minutes(15).patient();
        let apt = |arguments: &[&str]| {
            let mut apt = project.command("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
            run::run(&mut apt, limit).with_context(|| format!("could not get {what}"))
        };
        apt(&["-q", "update"])?;
        apt(&[&["-qy", "install", "--no-install-recommends"], packages].concat())
    })
}
