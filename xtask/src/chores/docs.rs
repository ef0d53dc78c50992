//! Builds the documentation site: static files, from the pages in `docs` and the types of the package.

use super::{Chore, no_more};
use crate::project::Project;
use crate::run::{self, Limit};
use crate::setup::node;
use crate::{lock, progress};
use anyhow::Result;
use std::path::PathBuf;

pub const CHORE: Chore = Chore {
    name: "docs",
    about: "build the documentation site into target/docs",
    options: &[],
    run: |project, arguments| {
        no_more(arguments)?;
        println!("{}", site(project)?.join("index.html").display());
        Ok(())
    },
};

/// The generator, and the package whose types it reads.
const PACKAGES: [&str; 2] = ["docs/site", "pkg"];

pub fn set_up(project: &Project) -> Result<()> {
    PACKAGES.iter().try_for_each(|directory| node::packages(project, directory))
}

/// Builds the site and returns its path.
pub fn site(project: &Project) -> Result<PathBuf> {
    let _lock = lock::take(project)?;
    set_up(project)?;
    let site = project.target.join("docs");
    progress::step("building the documentation site", || {
        run::run(project.command("node").arg("docs/site/build.mjs").arg(&site), Limit::minutes(10))
    })?;
    Ok(site)
}
