//! The browsers that tests can run in. One more is one more entry here.

use super::cargo_tools::{self, Tool};
use super::system::{self, Program};
use crate::lockfile;
use crate::project::Project;
use anyhow::{Result, bail};
use std::path::PathBuf;

pub struct Browser {
    pub name: &'static str,
    /// What it needs of the system; the browser itself first.
    programs: &'static [Program],
    /// A driver that Debian has not: package on crates.io, version.
    driver: Option<(&'static str, &'static str)>,
    /// How `wasm-pack test` is told to take it.
    pub arguments: &'static [&'static str],
    /// What `wasm-pack` has to be started by.
    pub wrapper: &'static [&'static str],
}

pub static BROWSERS: [&Browser; 3] = [&CHROME, &FIREFOX, &WEBKIT];

pub static CHROME: Browser = Browser {
    name: "chrome",
    programs: &[
        Program {
            what: "Chromium",
            names: &["chromium", "chromium-browser", "google-chrome"],
            debian: "chromium",
        },
        Program { what: "ChromeDriver", names: &["chromedriver"], debian: "chromium-driver" },
    ],
    driver: None,
    arguments: &["--headless", "--chrome"],
    wrapper: &[],
};

static FIREFOX: Browser = Browser {
    name: "firefox",
    programs: &[Program {
        what: "Firefox",
        names: &["firefox", "firefox-esr"],
        debian: "firefox-esr",
    }],
    driver: Some(("geckodriver", "0.37.1")),
    arguments: &["--headless", "--firefox"],
    wrapper: &[],
};

/// Safari's engine. Its driver speaks as Safari's does; the browser cannot do without a display.
static WEBKIT: Browser = Browser {
    name: "webkit",
    programs: &[
        Program {
            what: "WebKitGTK's driver",
            names: &["WebKitWebDriver"],
            debian: "webkit2gtk-driver",
        },
        Program { what: "Xvfb", names: &["xvfb-run"], debian: "xvfb" },
        Program { what: "xauth", names: &["xauth"], debian: "xauth" },
    ],
    driver: None,
    arguments: &["--headless", "--safari", "--safaridriver", "WebKitWebDriver"],
    wrapper: &["xvfb-run", "--auto-servernum"],
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
        let paths = system::ensure(project, self.programs)?;
        let driver = self.driver.map(|(package, version)| Tool {
            package,
            version: version.to_string(),
            program: package,
            locked: true,
            takes: "2 to 4 minutes",
        });
        let directories = cargo_tools::ensure(project, driver.as_slice())?;
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
