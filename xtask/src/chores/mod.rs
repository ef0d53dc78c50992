//! One file for each chore.

mod build;
mod demo;
mod size;

use crate::project::Project;
use anyhow::Result;
use lexopt::Parser;

pub struct Chore {
    pub name: &'static str,
    pub about: &'static str,
    pub options: &'static [(&'static str, &'static str)],
    pub run: fn(&Project, Parser) -> Result<()>,
}

pub static CHORES: [Chore; 3] = [build::CHORE, demo::CHORE, size::CHORE];

/// For chores that take no arguments.
fn no_more(mut arguments: Parser) -> Result<()> {
    match arguments.next()? {
        None => Ok(()),
        Some(other) => Err(other.unexpected().into()),
    }
}
