//! Builds and serves the package with common build tools, and drives it in Chromium.

use super::{Chore, build};
use crate::project::Project;
use crate::run::{self, Limit};
use crate::setup::{browser, node};
use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

pub const CHORE: Chore = Chore {
    name: "matrix",
    about: "drive the package in every build tool, built and in dev; writes docs/matrix.md",
    options: &[("TOOL …", "only these: the rows of the others stay as they are")],
    run: matrix,
};

const HOME: &str = "matrix";

fn matrix(project: &Project, mut arguments: Parser) -> Result<()> {
    let mut tools = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Value(tool) => tools.push(tool.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    build::package(project)?;
    node::packages(project, HOME)?;
    let chrome = browser::CHROME.program(project)?;
    let mut node = project.command("node");
    node.arg("matrix/matrix.mjs").args(tools).env("CHROMIUM", chrome);
    run::run(&mut node, Limit::minutes(120))
}
