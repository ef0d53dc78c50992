//! Gets what a chore needs and finds missing; does nothing when it is there.

pub mod browser;
pub mod cargo_tools;
pub mod node;
pub mod python;
pub mod rust;
pub mod system;
