//! A Python with the packages of a directory's `requirements.txt`, in `target/python`: nothing is installed
//! for the user.

use super::system::{self, Program};
use crate::project::Project;
use crate::run::{self, Limit};
use crate::{progress, stamp};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

const PYTHON: Program = Program { what: "Python", names: &["python3"], debian: "python3" };

/// The interpreter that has the packages.
pub fn packages(project: &Project, directory: &str) -> Result<PathBuf> {
    let home = project.target.join("python");
    let python = home.join("bin/python");
    let requirements = project.path(directory).join("requirements.txt");
    let hash = format!("{:016x}", stamp::hash(&[&requirements])?);
    // The stamp is inside the environment, and is removed with it.
    let stamp = home.join(".xtask-stamp");
    if python.is_file() && fs::read_to_string(&stamp).is_ok_and(|found| found == hash) {
        return Ok(python);
    }
    let system = system::ensure(project, &[PYTHON])?.remove(0);
    ensure_venv(project, &system)?;
    progress::step(&format!("installing the Python packages of {directory}"), || {
        run::run(
            project.command(&system).args(["-m", "venv", "--clear"]).arg(&home),
            Limit::minutes(5),
        )?;
        let mut pip = project.command(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(&requirements);
        run::run(&mut pip, Limit::minutes(10)).context("could not get the packages from PyPI")?;
        stamp::write(&stamp, &hash)
    })?;
    Ok(python)
}

/// Debian ships `venv` as a separate package.
fn ensure_venv(project: &Project, python: &Path) -> Result<()> {
    let has_venv =
        || run::output(project.command(python).args(["-c", "import ensurepip, venv"])).is_ok();
    if !has_venv() {
        system::install(project, "Python's venv", &["python3-venv"])?;
    }
    if !has_venv() {
        bail!("{} has no module venv", python.display());
    }
    Ok(())
}
