//! A lock so that only one chore at a time changes what is built or installed; the others wait.

use crate::project::Project;
use crate::run::check_interrupted;
use anyhow::{Context, Result};
use std::fs::{File, TryLockError};
use std::thread::sleep;
use std::time::Duration;

/// Holds the lock until it is dropped, or the process ends for any reason.
#[must_use]
pub struct Lock(#[expect(dead_code, reason = "closing the file gives the lock back")] File);

pub fn take(project: &Project) -> Result<Lock> {
    let file = File::open(&project.root).context("cannot open the repository")?;
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => {
                if !said {
                    eprintln!("→ waiting for another chore to finish");
                    said = true;
                }
                check_interrupted()?;
                sleep(Duration::from_millis(100));
            }
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock"),
        }
    }
}
