//! The chores of this repository: `cargo xtask` lists them.

mod chores;
mod lock;
mod lockfile;
mod progress;
mod project;
mod run;
mod scratch;
mod setup;
mod stamp;

use chores::CHORES;
use lexopt::{Arg, Parser, ValueExt};
use project::Project;
use std::process::ExitCode;

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<run::Interrupted>() => ExitCode::from(130),
        Err(error) if error.is::<chores::test::Failed>() => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> anyhow::Result<()> {
    let mut arguments = Parser::from_env();
    let name = match arguments.next()? {
        None | Some(Arg::Short('h') | Arg::Long("help")) => {
            list();
            return Ok(());
        }
        Some(Arg::Value(name)) => name.string()?,
        Some(other) => return Err(other.unexpected().into()),
    };
    let Some(chore) = CHORES.iter().find(|chore| chore.name == name) else {
        anyhow::bail!("no chore {name:?}: `cargo xtask` lists them");
    };
    run::catch_interrupts()?;
    (chore.run)(&Project::find()?, arguments)
}

fn list() {
    println!("cargo xtask <chore>\n");
    for chore in &CHORES {
        println!("  {:<6} {}", chore.name, chore.about);
        for (option, about) in chore.options {
            println!("         {option:<16} {about}");
        }
    }
}
