//! Prints one line when a long step begins, and one when it ends.

use std::fmt;
use std::time::{Duration, Instant};

pub fn step<T>(what: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    eprintln!("→ {what}");
    let started = Instant::now();
    let result = work();
    if result.is_ok() {
        eprintln!("  done in {}", Took(started.elapsed()));
    }
    result
}

pub struct Took(pub Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0.as_secs() {
            0..60 => write!(f, "{:.1} s", self.0.as_secs_f32()),
            secs => write!(f, "{} min {} s", secs / 60, secs % 60),
        }
    }
}
