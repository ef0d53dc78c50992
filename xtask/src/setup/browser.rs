//! The browsers that tests can run in. One more is one more entry here.

use super::cargo_tools::Tool;
use super::system::{self, Program};
use crate::lockfile;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

pub struct Browser {
    pub name: &'static str,
    /// By which `wasm-pack test` is told to take it.
    pub flag: &'static str,
    browser: Program,
    driver: Program,
}

pub static BROWSERS: [&Browser; 1] = [&CHROME];

pub static CHROME: Browser = Browser {
    name: "chrome",
    flag: "--chrome",
    browser: Program {
        what: "Chromium",
        names: &["chromium", "chromium-browser", "google-chrome"],
        debian: "chromium",
    },
    driver: Program {
        what: "ChromeDriver",
        names: &["chromedriver"],
        debian: "chromium-driver",
    },
};

pub struct Installed {
    pub browser: PathBuf,
    pub driver: PathBuf,
}

impl Browser {
    pub fn named(name: &str) -> Result<&'static Self> {
        let Some(found) = BROWSERS.iter().find(|browser| browser.name == name) else {
            let known: Vec<_> = BROWSERS.iter().map(|browser| browser.name).collect();
            bail!("no browser {name:?}: there is {}", known.join(", "));
        };
        Ok(found)
    }

    pub fn ensure(&self, project: &Project) -> Result<Installed> {
        let paths = system::ensure(project, &[self.browser, self.driver])?;
        let [browser, driver] = paths.try_into().ok().context("two programs, two paths")?;
        Ok(Installed { browser, driver })
    }
}

/// What `wasm-pack test` needs to run without fetching anything itself.
pub fn test_tools(project: &Project) -> Result<[Tool; 2]> {
    Ok([
        Tool {
            package: "wasm-pack",
            version: "0.15.1".to_string(),
            program: "wasm-pack",
            locked: true,
            takes: "2 to 4 minutes",
        },
        Tool {
            package: "wasm-bindgen-cli",
            version: lockfile::wasm_bindgen(project)?,
            program: "wasm-bindgen-test-runner",
            locked: false,
            takes: "2 to 4 minutes",
        },
    ])
}
