//! A temporary directory for a test run, so that no files of the browsers remain.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// How many directories this process has made.
static COUNT: AtomicU32 = AtomicU32::new(0);

pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Result<Self> {
        // Kept short: browsers create sockets in it, whose paths may have at most 107 bytes.
        let path = env::temp_dir().join(format!(
            "tokenkeep-{}-{}",
            process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ));
        fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A browser that was just killed may still hold a file; the system will clean that up.
        let _ = fs::remove_dir_all(&self.0);
    }
}
