//! Skips a step whose inputs are unchanged and whose output is still as it left it.
//!
//! The stamp is removed before the step and written after it: an interrupted step is done again.

use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// Runs `work` unless it has already been done with these `inputs`.
pub fn unless_unchanged(
    project: &Project,
    name: &str,
    inputs: &[PathBuf],
    output: &Path,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let stamp = project.target.join("stamps").join(name);
    let before = hash(inputs)?;
    let mark = || Ok::<_, anyhow::Error>(format!("{before:016x} {:016x}", hash(&[output])?));
    if fs::read_to_string(&stamp).is_ok_and(|found| mark().is_ok_and(|mark| found == mark)) {
        return Ok(());
    }
    remove(&stamp)?;
    work()?;
    write(&stamp, &mark()?)
}

/// A hash of the names and contents of files, and of everything below directories. It only has to distinguish
/// one state of a working tree from the previous one.
pub fn hash(paths: &[impl AsRef<Path>]) -> Result<u64> {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        for entry in WalkDir::new(path).sort_by_file_name() {
            let entry = entry?;
            if entry.file_type().is_file() {
                entry.path().hash(&mut hasher);
                read(entry.path())?.hash(&mut hasher);
            }
        }
    }
    Ok(hasher.finish())
}

pub fn write(stamp: &Path, text: &str) -> Result<()> {
    let parent = stamp.parent().context("a stamp needs a directory")?;
    fs::create_dir_all(parent)?;
    fs::write(stamp, text).with_context(|| format!("cannot write {}", stamp.display()))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn remove(stamp: &Path) -> Result<()> {
    match fs::remove_file(stamp) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", stamp.display()))
        }
        _ => Ok(()),
    }
}
