//! Checks the rules of the core against ten million random cases: minutes, where the tests take seconds.

use super::Chore;
use crate::project::Project;
use crate::run::{self, Limit};
use anyhow::Result;
use lexopt::{Arg, Parser, ValueExt};

pub const CHORE: Chore = Chore {
    name: "long",
    about: "hold the rules of the core against ten million random cases",
    options: &[
        ("--cases N", "another number of them"),
        ("--seed N", "those of an earlier run: each run prints its seed"),
    ],
    run: long,
};

const CASES: u64 = 10_000_000;

fn long(project: &Project, mut arguments: Parser) -> Result<()> {
    let (mut cases, mut seed) = (CASES, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("cases") => cases = arguments.value()?.parse()?,
            Arg::Long("seed") => seed = Some(arguments.value()?.parse::<u64>()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut cargo = project.cargo();
    cargo
        .args(["test", "--profile", "long", "--package", "tokenkeep", "--test", "core_rules"])
        .args(["--", "--ignored", "--nocapture", "every_rule_holds_for_a_long_time"])
        .env("TOKENKEEP_CASES", cases.to_string());
    if let Some(seed) = seed {
        cargo.env("PROPTEST_RNG_SEED", seed.to_string());
    }
    run::run(&mut cargo, Limit::NONE)
}
