//! tokenkeep
pub mod core;
