//! The browsers in which tests can run. To add one, add an entry here.

use super::cargo_tools::{self, Tool};
use super::system::{self, Program};
use crate::lockfile;
use crate::project::Project;
use anyhow::{Result, bail};
use std::path::PathBuf;

pub struct Browser {
    pub name: &'static str,
    /// The required system programs. The tests start the first ones.
    programs: &'static [Program],
    /// The variables in which tests find the programs that they start, in the order of `programs`.
    variables: &'static [&'static str],
    /// A driver that Debian does not have: its crate on crates.io, and the version.
    driver: Option<(&'static str, &'static str)>,
    /// The arguments that select the browser in `wasm-pack test`.
    pub arguments: &'static [&'static str],
    /// The command that must start `wasm-pack`.
    pub wrapper: &'static [&'static str],
    /// How many test files in real tabs may run at once, each with a browser (and its driver) of its own.
    pub at_once: &'static str,
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
        // The same engine without a window: a page costs a third of the processor time.
        Program {
            what: "Chromium's headless shell",
            names: &["chromium-headless-shell", "chrome-headless-shell"],
            debian: "chromium-headless-shell",
        },
        Program { what: "ChromeDriver", names: &["chromedriver"], debian: "chromium-driver" },
    ],
    variables: &["CHROMIUM", "CHROMIUM_SHELL"],
    driver: None,
    arguments: &["--headless", "--chrome"],
    wrapper: &[],
    at_once: "3",
};

static FIREFOX: Browser = Browser {
    name: "firefox",
    programs: &[Program {
        what: "Firefox",
        names: &["firefox", "firefox-esr"],
        debian: "firefox-esr",
    }],
    variables: &["FIREFOX"],
    driver: Some(("geckodriver", "0.37.1")),
    arguments: &["--headless", "--firefox"],
    wrapper: &[],
    at_once: "2",
};

/// Safari's engine. Its driver behaves like Safari's; the browser needs a display.
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
    variables: &["WEBKIT"],
    driver: None,
    arguments: &["--headless", "--safari", "--safaridriver", "WebKitWebDriver"],
    // Without `-noreset` the display resets whenever its last window closes, and refuses connections
    // meanwhile.
    wrapper: &["xvfb-run", "--auto-servernum", "--server-args=-screen 0 1280x1024x24 -noreset"],
    at_once: "2",
};

impl Browser {
    pub fn named(name: &str) -> Result<&'static Self> {
        let Some(found) = BROWSERS.iter().find(|browser| browser.name == name) else {
            let known = BROWSERS.map(|browser| browser.name);
            bail!("no browser {name:?}: there are {}", known.join(", "));
        };
        Ok(found)
    }

    /// The browser itself, or its driver.
    pub fn program(&self, project: &Project) -> Result<PathBuf> {
        Ok(system::ensure(project, self.programs)?.swap_remove(0))
    }

    /// The programs that tests in real tabs start, each with the variable in which they find it.
    pub fn variables(
        &self,
        project: &Project,
    ) -> Result<impl Iterator<Item = (&'static str, PathBuf)>> {
        Ok(self.variables.iter().copied().zip(system::ensure(project, self.programs)?))
    }

    /// Installs everything that `wasm-pack test` needs. Returns the driver's directory, if it is not on
    /// `PATH`.
    pub fn ensure(&self, project: &Project) -> Result<Vec<PathBuf>> {
        system::ensure(project, self.programs)?;
        let driver = self.driver.map(|(package, version)| Tool {
            package,
            version: version.to_string(),
            program: package,
            locked: true,
            optimization: "0",
            takes: "1 to 2 minutes",
        });
        cargo_tools::ensure(project, driver.as_slice())
    }
}

/// The tools that `wasm-pack test` needs so that it downloads nothing itself.
pub fn test_tools(project: &Project) -> Result<[Tool; 2]> {
    Ok([
        Tool {
            package: "wasm-pack",
            version: "0.15.1".to_string(),
            program: "wasm-pack",
            locked: true,
            optimization: "0",
            takes: "1 to 2 minutes",
        },
        Tool {
            package: "wasm-bindgen-cli",
            version: lockfile::wasm_bindgen(project)?,
            program: "wasm-bindgen-test-runner",
            locked: false,
            // It reads the tests' modules, of several megabytes.
            optimization: "1",
            takes: "2 to 4 minutes",
        },
    ])
}
