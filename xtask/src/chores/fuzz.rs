//! Fuzzes the code that reads input from outside.

use super::Chore;
use crate::project::Project;
use crate::run::{self, Limit};
use crate::setup::cargo_tools::{self, Tool, in_front_of_path};
use anyhow::{Result, bail};
use lexopt::{Arg, Parser, ValueExt};
use std::fs;

pub const CHORE: Chore = Chore {
    name: "fuzz",
    about: "fuzz what reads the outside world, or the target named: see fuzz/targets",
    options: &[("--minutes N", "for each target, 10 unless told")],
    run: fuzz,
};

fn fuzz(project: &Project, mut arguments: Parser) -> Result<()> {
    let (mut minutes, mut named) = (10_u64, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Arg::Long("minutes") => minutes = arguments.value()?.parse()?,
            Arg::Value(name) => named = Some(name.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut targets = targets(project)?;
    if let Some(named) = named {
        if !targets.contains(&named) {
            bail!("no target {named:?}: there are {}", targets.join(", "));
        }
        targets = vec![named];
    }
    let tool = Tool {
        package: "cargo-fuzz",
        version: "0.13.2".to_owned(),
        program: "cargo-fuzz",
        locked: true,
        optimization: "1",
        takes: "1 to 2 minutes",
    };
    let path = in_front_of_path(cargo_tools::ensure(project, &[tool])?)?;
    let build = project.target.join("fuzz");
    for target in targets {
        let corpus = build.join("corpus").join(&target);
        fs::create_dir_all(&corpus)?;
        let mut cargo = project.cargo();
        cargo
            // The core has no unsafe code for a sanitizer to check.
            .args(["fuzz", "run", "--sanitizer", "none", "--target-dir"])
            .arg(&build)
            .arg(&target)
            .arg(&corpus)
            .args(Some(project.path("fuzz/seeds").join(&target)).filter(|seeds| seeds.is_dir()))
            .args(["--", "-max_len=4096", "-print_final_stats=1"])
            .arg(format!("-max_total_time={}", minutes * 60))
            .env("PATH", &path)
            // The compiler's instrumentation is unstable: this variable confirms that it is used on purpose.
            .env("RUSTC_BOOTSTRAP", "1");
        run::run(&mut cargo, Limit::minutes(minutes + 30))?;
    }
    Ok(())
}

fn targets(project: &Project) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(project.path("fuzz/targets"))? {
        if let Some(name) = entry?.file_name().to_str().and_then(|name| name.strip_suffix(".rs")) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
