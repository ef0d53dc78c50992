//! Breaks the core in every small way that cargo-mutants knows, and sees whether a test notices.

use super::Chore;
use crate::project::Project;
use crate::run::{self, Limit};
use crate::setup::cargo_tools::{self, Tool, in_front_of_path};
use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

pub const CHORE: Chore = Chore {
    name: "mutants",
    about: "break src/core in every small way: a test must notice each",
    options: &[("--file GLOB", "only in such files of src/core")],
    run: mutants,
};

/// Lives enough for a rule that is broken to show, few enough for hundreds of mutants.
const LIVES: &str = "400";

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
        takes: "2 to 4 minutes",
    };
    let path = in_front_of_path(cargo_tools::ensure(project, &[tool])?)?;
    let mut cargo = project.cargo();
    cargo
        .args(["mutants", "--package", "tokenkeep", "--file", &format!("src/core/{file}")])
        .args(["--minimum-test-timeout", "60", "--output"])
        .arg(&project.target)
        .args(["--", "--lib", "--test", "core_*"])
        .env("PATH", path)
        .env("PROPTEST_CASES", LIVES)
        // Compiling is what takes the time.
        .env("CARGO_PROFILE_TEST_DEBUG", "0");
    run::run(&mut cargo, Limit::NONE)
}
