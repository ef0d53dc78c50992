//! Reads versions from `Cargo.lock`.

use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;

const GENERATOR: &str = "wasm-bindgen-cli-support";

/// The version of wasm-bindgen in use. The tools that read its output must have the same version.
pub fn wasm_bindgen(project: &Project) -> Result<String> {
    let lock = fs::read_to_string(project.path("Cargo.lock")).context("cannot read Cargo.lock")?;
    version(&lock, GENERATOR)
        .map(str::to_string)
        .with_context(|| format!("{GENERATOR} is not in Cargo.lock"))
}

fn version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == name)?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::{GENERATOR, version};

    const LOCK: &str = include_str!("../../Cargo.lock");

    #[test]
    fn the_generator_has_the_version_of_wasm_bindgen() {
        assert_eq!(
            version(LOCK, GENERATOR),
            version(LOCK, "wasm-bindgen"),
            "{GENERATOR} and wasm-bindgen must have the same version"
        );
    }

    #[test]
    fn a_package_is_found_by_its_full_name() {
        let lock = "[[package]]\nname = \"ab\"\nversion = \"2.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n";
        assert_eq!(version(lock, "a"), Some("1.0.0"));
        assert_eq!(version(lock, "c"), None);
    }
}
