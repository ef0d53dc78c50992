//! One file for each chore.

mod audit;
mod bench;
mod build;
mod demo;
mod docs;
mod faults;
mod fuzz;
mod load;
mod long;
mod matrix;
mod minimal;
mod mutants;
mod prune;
mod release;
mod size;
pub mod test;
mod weigh;

use crate::project::Project;
use anyhow::Result;
use lexopt::Parser;

pub struct Chore {
    pub name: &'static str,
    pub about: &'static str,
    pub options: &'static [(&'static str, &'static str)],
    pub run: fn(&Project, Parser) -> Result<()>,
}

pub static CHORES: [Chore; 16] = [
    demo::CHORE,
    test::CHORE,
    build::CHORE,
    docs::CHORE,
    size::CHORE,
    bench::CHORE,
    matrix::CHORE,
    test::SETUP,
    load::CHORE,
    long::CHORE,
    faults::CHORE,
    fuzz::CHORE,
    mutants::CHORE,
    audit::CHORE,
    minimal::CHORE,
    release::CHORE,
];

/// For chores that take no arguments.
fn no_more(mut arguments: Parser) -> Result<()> {
    match arguments.next()? {
        None => Ok(()),
        Some(other) => Err(other.unexpected().into()),
    }
}
