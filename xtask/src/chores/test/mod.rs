//! Runs all kinds of tests, each to its end, and sums up.

mod counts;
mod kinds;

use super::Chore;
use crate::project::Project;
use crate::run::Interrupted;
use crate::setup::browser::{BROWSERS, Browser};
use crate::{lock, progress};
use anyhow::{Result, bail};
use counts::Counts;
use kinds::{KINDS, Kind};
use lexopt::{Arg, Parser, ValueExt};
use std::fmt;
use std::time::{Duration, Instant};

pub const CHORE: Chore = Chore {
    name: "test",
    about: "run all kinds of tests, or those named: lint native browser package e2e size",
    options: &[("--browser NAME", "chrome unless told; firefox, webkit")],
    run: |project, arguments| test(&Plan::read(project, arguments)?),
};

pub const SETUP: Chore = Chore {
    name: "setup",
    about: "only install what the tests need, or those kinds of them that are named",
    options: &[("--browser NAME", "as for test")],
    run: |project, arguments| {
        let plan = Plan::read(project, arguments)?;
        plan.kinds.iter().try_for_each(|kind| plan.set_up(kind))
    },
};

/// Tests have failed, and it has been said.
#[derive(Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("tests failed")
    }
}

impl std::error::Error for Failed {}

struct Plan<'a> {
    project: &'a Project,
    browser: &'static Browser,
    kinds: Vec<&'static Kind>,
}

impl<'a> Plan<'a> {
    fn read(project: &'a Project, mut arguments: Parser) -> Result<Self> {
        let mut browser = BROWSERS[0];
        let mut kinds = Vec::new();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("browser") => browser = Browser::named(&arguments.value()?.string()?)?,
                Arg::Value(name) => kinds.push(Kind::named(&name.string()?)?),
                other => return Err(other.unexpected().into()),
            }
        }
        if kinds.is_empty() {
            kinds.extend(&KINDS);
        }
        Ok(Self { project, browser, kinds })
    }

    fn set_up(&self, kind: &Kind) -> Result<()> {
        let _lock = lock::take(self.project)?;
        (kind.set_up)(self)
    }

    /// A kind that breaks has failed at least once, whatever its tests said, and so has one without tests.
    fn run(&self, kind: &Kind) -> Result<Counts> {
        let mut counts = Counts::default();
        let result =
            self.set_up(kind).and_then(|()| (kind.run)(self, &mut counts)).and_then(|()| {
                match counts.sum() {
                    0 => bail!("no test was run"),
                    _ => Ok(()),
                }
            });
        match result {
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                eprintln!("error: {}: {error:#}", kind.name);
                counts.failed = counts.failed.max(1);
            }
            Ok(()) => {}
        }
        Ok(counts)
    }
}

fn test(plan: &Plan) -> Result<()> {
    let mut results = Vec::new();
    for kind in &plan.kinds {
        eprintln!("\n=== {}: {} ===", kind.name, kind.about);
        let started = Instant::now();
        let counts = plan.run(kind)?;
        results.push((kind.name, counts, started.elapsed()));
    }
    sum_up(&results)
}

fn sum_up(results: &[(&str, Counts, Duration)]) -> Result<()> {
    println!("\n{:<8} {:>6} {:>6}", "", "passed", "failed");
    let mut all = Counts::default();
    for (kind, counts, took) in results {
        let took = progress::Took(*took);
        println!("{kind:<8} {:>6} {:>6}   {took}", counts.passed, counts.failed);
        all.add(*counts);
    }
    println!("\n{} passed, {} failed", all.passed, all.failed);
    if all.failed > 0 {
        bail!(Failed);
    }
    Ok(())
}
