//! Runs all kinds of tests, each to its end, and prints a summary.

mod again;
mod counts;
mod failures;
mod kinds;
mod page_server;
mod report;
mod summary;

use super::Chore;
use crate::lock;
use crate::project::Project;
use crate::run::Interrupted;
use crate::setup::browser::{BROWSERS, Browser};
use anyhow::{Result, bail};
pub use kinds::STORES;
use kinds::{In, KINDS, Kind};
use lexopt::{Arg, Parser, ValueExt};
use report::Report;
use std::fmt;
use std::time::Instant;
use summary::{Line, Summary};

pub const CHORE: Chore = Chore {
    name: "test",
    about: "run all kinds of tests, or those named: lint native browser package e2e homes attacks backends libraries frameworks runners matrix site size",
    options: &[
        ("--browser NAME", "in that one only: chrome, firefox or webkit"),
        ("--long", "more rounds and more calls, where a test has a long form"),
    ],
    run: |project, arguments| test(project, &Asked::read(arguments)?),
};

pub const SETUP: Chore = Chore {
    name: "setup",
    about: "only install what the tests need, or those kinds of them that are named",
    options: &[("--browser NAME", "as for test")],
    run: |project, arguments| {
        let asked = Asked::read(arguments)?;
        asked.plans(project).try_for_each(|(kind, plan)| plan.set_up(kind))
    },
};

/// Tests have failed, and the summary has reported it.
#[derive(Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("tests failed")
    }
}

impl std::error::Error for Failed {}

/// The options of the command line.
struct Asked {
    /// Empty means all browsers.
    browsers: Vec<&'static Browser>,
    is_long: bool,
    kinds: Vec<&'static Kind>,
}

impl Asked {
    fn read(mut arguments: Parser) -> Result<Self> {
        let mut browsers = Vec::new();
        let mut is_long = false;
        let mut kinds = Vec::new();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("browser") => {
                    browsers.push(Browser::named(&arguments.value()?.string()?)?);
                }
                Arg::Long("long") => is_long = true,
                Arg::Value(name) => kinds.push(Kind::named(&name.string()?)?),
                other => return Err(other.unexpected().into()),
            }
        }
        if kinds.is_empty() {
            kinds.extend(&KINDS);
        }
        Ok(Self { browsers, is_long, kinds })
    }

    /// Each kind, in each browser if the browser matters to it.
    fn plans<'a>(
        &'a self,
        project: &'a Project,
    ) -> impl Iterator<Item = (&'static Kind, Plan<'a>)> + 'a {
        self.kinds.iter().flat_map(move |kind| {
            let browsers = match kind.browsers {
                In::All | In::OneUnlessAsked if !self.browsers.is_empty() => &self.browsers[..],
                In::All => &BROWSERS,
                In::One | In::OneUnlessAsked => &BROWSERS[..1],
            };
            browsers
                .iter()
                .map(move |browser| (*kind, Plan { project, browser, is_long: self.is_long }))
        })
    }
}

struct Plan<'a> {
    project: &'a Project,
    browser: &'static Browser,
    is_long: bool,
}

impl Plan<'_> {
    fn set_up(&self, kind: &Kind) -> Result<()> {
        let _lock = lock::take(self.project)?;
        (kind.set_up)(self)
    }

    /// A kind that breaks counts as at least one failure, whatever its tests reported; so does a kind without
    /// tests.
    fn run(&self, kind: &Kind) -> Result<Report> {
        let mut report = Report::default();
        let result =
            self.set_up(kind).and_then(|()| (kind.run)(self, &mut report)).and_then(|()| {
                match report.counts.sum() {
                    0 => bail!("no test was run"),
                    _ => Ok(()),
                }
            });
        match result {
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                eprintln!("error: {}: {error:#}", kind.name);
                if report.counts.failed == 0 {
                    report.failed(format!("{error:#}"));
                }
            }
            Ok(()) => {}
        }
        Ok(report)
    }
}

fn test(project: &Project, asked: &Asked) -> Result<()> {
    let mut lines = Vec::new();
    for (kind, plan) in asked.plans(project) {
        let name = match kind.browsers {
            In::All | In::OneUnlessAsked => format!("{} {}", kind.name, plan.browser.name),
            In::One => kind.name.to_owned(),
        };
        eprintln!("\n=== {name}: {} ===", kind.about);
        let started = Instant::now();
        let report = plan.run(kind)?;
        lines.push(Line { name, report, took: started.elapsed() });
    }
    let summary = Summary(lines);
    println!("\n{summary}");
    if summary.counts().failed > 0 {
        bail!(Failed);
    }
    Ok(())
}
