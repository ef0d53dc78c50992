//! Measures the package beside its peers, in headless Chromium, and the core's own decisions.

use super::{Chore, build};
use crate::project::Project;
use crate::run::{self, Limit};
use crate::setup::{browser, node};
use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use std::ffi::OsString;
use std::fs;

pub const CHORE: Chore = Chore {
    name: "bench",
    about: "measure the package beside its peers; writes docs/benchmark",
    options: &[
        ("--rounds N", "11 unless told: more make the figures steadier"),
        ("--quick", "only see that it works: nothing is written"),
        ("--only PART,…", "sizes calls homes start storms memory tabs: nothing is written"),
        ("--core", "the core's own decisions instead, natively"),
    ],
    run: bench,
};

const HOME: &str = "bench";
const DOCS: &str = "docs/benchmark";

fn bench(project: &Project, mut arguments: Parser) -> Result<()> {
    let mut words: Vec<OsString> = Vec::new();
    let (mut writes, mut core) = (true, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("core") => core = true,
            Arg::Long("quick") => {
                writes = false;
                words.push("--quick".into());
            }
            Arg::Long("only") => {
                writes = false;
                words.extend(["--only".into(), arguments.value()?]);
            }
            Arg::Long("rounds") => {
                words.extend(["--rounds".into(), arguments.value()?.string()?.into()]);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if core {
        if !words.is_empty() {
            bail!("--core takes no other option");
        }
        return run::run(project.cargo().args(["bench", "--bench", "core"]), Limit::minutes(20));
    }
    if writes {
        fs::create_dir_all(project.path(DOCS))?;
        words.extend(["--to".into(), project.path(DOCS).into()]);
    }
    beside_peers(project, &words)
}

/// Builds the package, gets the peers, and runs the benchmark. Fails if one of our contestants did not do its
/// work.
pub fn beside_peers(project: &Project, words: &[OsString]) -> Result<()> {
    build::package(project)?;
    node::packages(project, HOME)?;
    let chrome = browser::CHROME.program(project)?;
    let mut node = project.command("node");
    node.arg("bench/bench.mjs").args(words).env("CHROMIUM", chrome);
    run::run(&mut node, Limit::minutes(90))
}
