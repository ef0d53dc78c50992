//! Installs what a chore needs and does not find.

pub mod browser;
pub mod cargo_tools;
pub mod node;
pub mod python;
pub mod rust;
pub mod system;
