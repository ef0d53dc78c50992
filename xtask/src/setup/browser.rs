//! The browsers that tests can run in. One more is one more entry here.

use super::cargo_tools::{self, Tool};
use super::system::{self, Program};
use crate::lockfile;
use crate::project::Project;
use anyhow::{Result, bail};
use std::path::PathBuf;

pub struct Browser {
    pub name: &'static str,
    /// By which `wasm-pack test` is told to take it.
    pub flag: &'static str,
    program: Program,
    driver: Driver,
}

enum Driver {
    System(Program),
    /// Debian has none: package on crates.io, version.
    Crate(&'static str, &'static str),
}

pub static BROWSERS: [&Browser; 2] = [&CHROME, &FIREFOX];

pub static CHROME: Browser = Browser {
    name: "chrome",
    flag: "--chrome",
    program: Program {
        what: "Chromium",
        names: &["chromium", "chromium-browser", "google-chrome"],
        debian: "chromium",
    },
    driver: Driver::System(Program {
        what: "ChromeDriver",
        names: &["chromedriver"],
        debian: "chromium-driver",
    }),
};

static FIREFOX: Browser = Browser {
    name: "firefox",
    flag: "--firefox",
    program: Program { what: "Firefox", names: &["firefox", "firefox-esr"], debian: "firefox-esr" },
    driver: Driver::Crate("geckodriver", "0.37.1"),
};

pub struct Installed {
    pub program: PathBuf,
    /// Where the driver is, if `PATH` does not have it.
    pub directories: Vec<PathBuf>,
}

impl Browser {
    pub fn named(name: &str) -> Result<&'static Self> {
        let Some(found) = BROWSERS.iter().find(|browser| browser.name == name) else {
            let known = BROWSERS.map(|browser| browser.name);
            bail!("no browser {name:?}: there are {}", known.join(", "));
        };
        Ok(found)
    }

    pub fn ensure(&self, project: &Project) -> Result<Installed> {
        let mut programs = vec![self.program];
        if let Driver::System(driver) = self.driver {
            programs.push(driver);
        }
        let paths = system::ensure(project, &programs)?;
        let directories = match self.driver {
            Driver::System(_) => Vec::new(),
            Driver::Crate(package, version) => cargo_tools::ensure(
                project,
                &[Tool {
                    package,
                    version: version.to_string(),
                    program: package,
                    locked: true,
                    takes: "2 to 4 minutes",
                }],
            )?,
        };
        Ok(Installed { program: paths[0].clone(), directories })
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
