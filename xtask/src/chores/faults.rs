//! Kills the reference server and its stores in the middle of refreshes, and races them, hundreds of times:
//! minutes, where the tests take seconds.

use super::Chore;
use super::test::STORES;
use crate::project::Project;
use crate::run::{self, Limit};
use crate::scratch::Scratch;
use crate::setup::system;
use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

pub const CHORE: Chore = Chore {
    name: "faults",
    about: "kill and race the reference server and its stores in the middle of refreshes",
    options: &[("--rounds N", "another number than 200 for each fault and store")],
    run: faults,
};

const ROUNDS: usize = 200;

fn faults(project: &Project, mut arguments: Parser) -> Result<()> {
    let mut rounds = ROUNDS;
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("rounds") => rounds = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    system::ensure(project, &STORES)?;
    let scratch = Scratch::new()?;
    let mut cargo = project.cargo();
    cargo
        .args(["test", "--package", "tokenkeep-server", "--test", "promises"])
        // The tests print how often they met each case.
        .args(["--", "--nocapture", "crash", "outage", "race"])
        .env("TOKENKEEP_ROUNDS", rounds.to_string())
        .env("TMPDIR", scratch.path());
    run::run(&mut cargo, Limit::NONE)
}
