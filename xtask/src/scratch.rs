//! A temporary directory for a run of tests, so that nothing of what browsers leave there remains.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

/// How many there have been in this process.
static COUNT: AtomicU32 = AtomicU32::new(0);

pub struct Scratch(PathBuf);

impl Scratch {
    pub fn new() -> Result<Self> {
        // A short path: browsers put sockets into it, whose names may have 107 bytes.
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
        // A browser that has just been killed may still hold something; the system will clear that.
        let _ = fs::remove_dir_all(&self.0);
    }
}
