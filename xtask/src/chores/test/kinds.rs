//! The kinds of tests: what each needs, and how it is run.

use super::Plan;
use super::again::{run_again_if_few_fail, until_it_begins};
use super::page_server;
use super::report::Report;
use crate::chores::{build, demo, docs, size};
use crate::run::{self, Interrupted, Limit};
use crate::scratch::Scratch;
use crate::setup::browser::{self, Browser};
use crate::setup::{cargo_tools, node, python, rust, system};
use anyhow::{Result, bail};
use std::process::Command;

pub struct Kind {
    pub name: &'static str,
    pub about: &'static str,
    pub browsers: In,
    pub set_up: fn(&Plan) -> Result<()>,
    pub run: fn(&Plan, &mut Report) -> Result<()>,
}

/// The browsers in which a kind of tests runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum In {
    /// No browser, or Chromium only.
    One,
    /// Chromium, and others on request, because it takes long.
    OneUnlessAsked,
    /// Each browser.
    All,
}

pub static KINDS: [Kind; 14] = [
    Kind {
        name: "lint",
        about: "formatting, clippy, rustdoc, tsc and oxlint have nothing to say",
        browsers: In::One,
        set_up: |plan| {
            rust::components(plan.project)?;
            needs_of_package(plan)
        },
        run: lint,
    },
    Kind {
        name: "native",
        about: "the crates' own tests, on this machine",
        browsers: In::One,
        set_up: |plan| system::ensure(plan.project, &STORES).map(drop),
        run: native,
    },
    Kind {
        name: "browser",
        about: "the crate in a browser",
        browsers: In::All,
        set_up: |plan| {
            rust::wasm_target(plan.project)?;
            plan.browser.ensure(plan.project)?;
            cargo_tools::ensure(plan.project, &browser::test_tools(plan.project)?).map(drop)
        },
        run: in_browser,
    },
    Kind {
        name: "package",
        about: "the npm package",
        browsers: In::One,
        set_up: needs_of_package,
        run: package,
    },
    Kind {
        name: "e2e",
        about: "the package in real tabs, with the reference server",
        browsers: In::All,
        set_up: needs_of_e2e,
        run: end_to_end,
    },
    Kind {
        name: "homes",
        about: "sessions, tabs, outages, aborts and bodies, with the token in each worker",
        browsers: In::OneUnlessAsked,
        set_up: needs_of_e2e,
        run: in_homes,
    },
    Kind {
        name: "attacks",
        about: "the threat model: attacks on the package in real tabs, each with its verdict",
        browsers: In::OneUnlessAsked,
        set_up: needs_of_e2e,
        run: |plan, report| {
            build::package(plan.project)?;
            count_in_tabs(|| npm_test(plan, ATTACKS, plan.browser), Limit::minutes(60), report)
        },
    },
    Kind {
        name: "backends",
        about: "the package in real tabs, with the back ends that people have",
        browsers: In::One,
        set_up: |plan| {
            needs_of_package(plan)?;
            node::packages(plan.project, E2E)?;
            node::packages(plan.project, BACKENDS)?;
            python::packages(plan.project, BACKENDS)?;
            browser::CHROME.program(plan.project).map(drop)
        },
        run: with_back_ends,
    },
    Kind {
        name: "libraries",
        about: "the package in real tabs, with the libraries that people have",
        browsers: In::One,
        set_up: |plan| needs_of_tabs(plan, LIBRARIES),
        run: |plan, report| in_tabs(plan, report, LIBRARIES),
    },
    Kind {
        name: "frameworks",
        about: "the bindings in real tabs, with the frameworks that people have",
        browsers: In::One,
        set_up: |plan| {
            cargo_tools::ensure(plan.project, &browser::test_tools(plan.project)?)?;
            needs_of_tabs(plan, FRAMEWORKS)
        },
        run: with_frameworks,
    },
    Kind {
        name: "runners",
        about: "the test double, and the package, in the test runners that people have",
        browsers: In::One,
        set_up: |plan| needs_of_tabs(plan, RUNNERS),
        run: |plan, report| in_tabs(plan, report, RUNNERS),
    },
    Kind {
        name: "matrix",
        about: "the packed package in the build tools that most people have",
        browsers: In::One,
        set_up: |plan| {
            needs_of_package(plan)?;
            node::packages(plan.project, MATRIX)?;
            browser::CHROME.program(plan.project).map(drop)
        },
        run: |plan, report| in_tabs(plan, report, MATRIX),
    },
    Kind {
        name: "site",
        about: "the documentation site: its links, its search, and that it names everything",
        browsers: In::One,
        set_up: |plan| {
            docs::set_up(plan.project)?;
            node::packages(plan.project, E2E)?;
            browser::CHROME.program(plan.project).map(drop)
        },
        run: site,
    },
    Kind {
        name: "size",
        about: "the package is within its budget",
        browsers: In::One,
        set_up: needs_of_package,
        run: |plan, report| {
            build::package(plan.project)?;
            size::check(plan.project)?;
            report.passed();
            Ok(())
        },
    },
];

const E2E: &str = "tests/e2e";
const ATTACKS: &str = "tests/attacks";
const BACKENDS: &str = "tests/backends";
const LIBRARIES: &str = "tests/libraries";
const FRAMEWORKS: &str = "tests/frameworks";
const RUNNERS: &str = "tests/runners";
const MATRIX: &str = "matrix";
const SITE: &str = "tests/site";

/// The programs that the reference server's tests start, stop and kill. Debian keeps PostgreSQL's own
/// programs off `PATH`, but `pg_ctlcluster`, which manages them, is on it.
pub const STORES: [system::Program; 2] = [
    system::Program { what: "Redis", names: &["redis-server"], debian: "redis-server" },
    system::Program {
        what: "PostgreSQL",
        names: &["pg_ctlcluster", "postgres"],
        debian: "postgresql",
    },
];

impl Kind {
    pub fn named(name: &str) -> Result<&'static Self> {
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            let known = KINDS.each_ref().map(|kind| kind.name);
            bail!("no kind of test {name:?}: there are {}", known.join(", "));
        };
        Ok(kind)
    }
}

/// Where the token may live beside the page: `HOME_OF_TOKENS` of the end-to-end tests.
const HOMES: [&str; 3] = ["worker", "shared-worker", "service-worker"];

fn needs_of_package(plan: &Plan) -> Result<()> {
    rust::wasm_target(plan.project)?;
    node::packages(plan.project, "pkg")
}

/// For tests in real tabs, with what the end-to-end tests have.
fn needs_of_e2e(plan: &Plan) -> Result<()> {
    needs_of_package(plan)?;
    node::packages(plan.project, E2E)?;
    plan.browser.program(plan.project).map(drop)
}

/// For tests that drive the package in Chromium with their own npm packages and the helpers of `E2E`.
fn needs_of_tabs(plan: &Plan, directory: &str) -> Result<()> {
    needs_of_package(plan)?;
    node::packages(plan.project, E2E)?;
    node::packages(plan.project, directory)?;
    browser::CHROME.program(plan.project).map(drop)
}

fn in_tabs(plan: &Plan, report: &mut Report, directory: &str) -> Result<()> {
    build::package(plan.project)?;
    count_in_tabs(|| npm_test(plan, directory, &browser::CHROME), Limit::minutes(20), report)
}

/// The bindings run against the reference server; the apps in Rust are built here, too.
fn with_frameworks(plan: &Plan, report: &mut Report) -> Result<()> {
    build::package(plan.project)?;
    let server = demo::server(plan.project)?;
    let tools = cargo_tools::ensure(plan.project, &browser::test_tools(plan.project)?)?;
    let path = cargo_tools::in_front_of_path(tools)?;
    let npm = || {
        let mut npm = npm_test(plan, FRAMEWORKS, &browser::CHROME)?;
        npm.env("TOKENKEEP_SERVER", &server).env("PATH", &path);
        Ok(npm)
    };
    count_in_tabs(npm, Limit::minutes(20), report)
}

/// Each check counts as a test.
fn lint(plan: &Plan, report: &mut Report) -> Result<()> {
    let cargo = |arguments: &[&str]| {
        let mut cargo = plan.project.cargo();
        cargo.args(arguments);
        cargo
    };
    let mut wasm = cargo(&["clippy", "--lib", "--features", "bindings"]);
    wasm.args(["--target", rust::WASM]);
    for test in &plan.project.browser_tests {
        wasm.args(["--test", test]);
    }
    wasm.args(["--", "-D", "warnings"]);
    // The tests make the core public; apps in Rust and the npm package do not.
    let [for_apps, for_npm] = [&[][..], &["--features", "bindings"]].map(|features| {
        let mut clippy = cargo(&["clippy", "--lib", "--target", rust::WASM]);
        clippy.args(features).args(["--", "-D", "warnings"]);
        clippy
    });
    // tsc also reads the generated bindings.
    let built = build::package(plan.project);
    let of_package = |name: &str, arguments: &[&str]| {
        let program = plan.project.path("pkg/node_modules/.bin").join(name);
        let mut command = plan.project.command(program);
        command.args(arguments);
        command
    };

    // Links in the documentation of a private module are not checked.
    let [doc, doc_of_core] = [&[][..], &["--features", "unstable-core"]].map(|features| {
        let mut doc = cargo(&["doc", "--no-deps", "--package", "tokenkeep"]);
        doc.args(features).env("RUSTDOCFLAGS", "-D warnings");
        doc
    });

    let mut checks = [
        cargo(&["fmt", "--all", "--check"]),
        cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        wasm,
        for_apps,
        for_npm,
        doc,
        doc_of_core,
        of_package("tsc", &["--noEmit", "--strict", "--project", "pkg"]),
        of_package("tsc", &["--project", "src"]),
        of_package("tsc", &["--project", "www"]),
        of_package("tsc", &["--project", "tests/types"]),
        of_package("oxlint", &[]),
        of_package("oxfmt", &["--check"]),
    ];
    for check in &mut checks {
        eprintln!("→ {}", run::name(check));
        match run::run(check, Limit::minutes(15)) {
            Ok(()) => report.passed(),
            Err(error) if error.is::<Interrupted>() => return Err(error),
            Err(error) => {
                eprintln!("error: {error:#}");
                report.failed(run::name(check));
            }
        }
    }
    built
}

fn native(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut cargo = plan.project.cargo();
    cargo.args(["test", "--workspace", "--no-fail-fast"]);
    say_how_long(plan, &mut cargo);
    count(&mut cargo, Limit::minutes(30), report)
}

/// Runs each test program separately, so that all run even if one fails.
fn in_browser(plan: &Plan, report: &mut Report) -> Result<()> {
    let mut directories = cargo_tools::ensure(plan.project, &browser::test_tools(plan.project)?)?;
    directories.extend(plan.browser.ensure(plan.project)?);
    let path = cargo_tools::in_front_of_path(directories)?;

    let mut result = Ok(());
    for test in &plan.project.browser_tests {
        let words = [plan.browser.wrapper, &["wasm-pack"]].concat();
        // The runner takes one name.
        let attempt = |name: Option<&str>, report: &mut Report| {
            let mut wasm_pack = plan.project.command(words[0]);
            wasm_pack
                .args(&words[1..])
                .args(["--log-level", "error", "test", "--mode", "no-install"])
                .args(plan.browser.arguments)
                .args(["--", "--test", test])
                .args(name.into_iter().flat_map(|name| ["--", name, "--exact"]))
                .env("PATH", &path)
                .env("WASM_BINDGEN_TEST_TIMEOUT", "120");
            page_server::look_after(|| count(&mut wasm_pack, Limit::minutes(15), report))
        };
        let run = |names: &[&str], report: &mut Report| {
            if names.is_empty() {
                return until_it_begins(report, |report| attempt(None, report));
            }
            names
                .iter()
                .try_for_each(|name| until_it_begins(report, |report| attempt(Some(name), report)))
        };
        match run_again_if_few_fail(run, report) {
            Err(error) if error.is::<Interrupted>() => return Err(error),
            other => result = result.and(other),
        }
    }
    result
}

fn package(plan: &Plan, report: &mut Report) -> Result<()> {
    build::package(plan.project)?;
    let mut npm = npm_test(plan, "pkg", &browser::CHROME)?;
    count(&mut npm, Limit::minutes(15), report)
}

fn end_to_end(plan: &Plan, report: &mut Report) -> Result<()> {
    build::package(plan.project)?;
    let server = demo::server(plan.project)?;
    let npm = || {
        let mut npm = npm_test(plan, E2E, plan.browser)?;
        npm.env("TOKENKEEP_SERVER", &server);
        Ok(npm)
    };
    count_in_tabs(npm, Limit::minutes(30), report)
}

/// One run for each home, so that all run even if one fails.
fn in_homes(plan: &Plan, report: &mut Report) -> Result<()> {
    build::package(plan.project)?;
    let server = demo::server(plan.project)?;
    let mut result = Ok(());
    for home in HOMES {
        let npm = || {
            let mut npm = npm_run(plan, E2E, "homes", plan.browser)?;
            npm.env("TOKENKEEP_SERVER", &server).env("HOME_OF_TOKENS", home);
            Ok(npm)
        };
        match count_in_tabs(npm, Limit::minutes(20), report) {
            Err(error) if error.is::<Interrupted>() => return Err(error),
            other => result = result.and(other),
        }
    }
    result
}

fn with_back_ends(plan: &Plan, report: &mut Report) -> Result<()> {
    build::package(plan.project)?;
    let server = demo::server(plan.project)?;
    let python = python::packages(plan.project, BACKENDS)?;
    let npm = || {
        let mut npm = npm_test(plan, BACKENDS, &browser::CHROME)?;
        npm.env("TOKENKEEP_SERVER", &server).env("TOKENKEEP_PYTHON", &python);
        Ok(npm)
    };
    count_in_tabs(npm, Limit::minutes(15), report)
}

fn site(plan: &Plan, report: &mut Report) -> Result<()> {
    let site = docs::site(plan.project)?;
    let mut npm = npm_test(plan, SITE, &browser::CHROME)?;
    npm.env("TOKENKEEP_SITE", site);
    count(&mut npm, Limit::minutes(10), report)
}

fn npm_test(plan: &Plan, directory: &str, browser: &Browser) -> Result<Command> {
    npm_run(plan, directory, "test", browser)
}

fn npm_run(plan: &Plan, directory: &str, script: &str, browser: &Browser) -> Result<Command> {
    let mut npm = plan.project.command("npm");
    npm.args(["run", script, "--silent"])
        .current_dir(plan.project.path(directory))
        .env("BROWSER", browser.name)
        .env("AT_ONCE", browser.at_once)
        .envs(browser.variables(plan.project)?);
    say_how_long(plan, &mut npm);
    Ok(npm)
}

/// Tests that have a long form look for `TOKENKEEP_LONG`.
fn say_how_long(plan: &Plan, command: &mut Command) {
    if plan.is_long {
        command.env("TOKENKEEP_LONG", "1");
    }
}

/// Counts, and runs failed tests once more, selected by name.
fn count_in_tabs(
    npm: impl Fn() -> Result<Command>,
    limit: Limit,
    report: &mut Report,
) -> Result<()> {
    let run = |names: &[&str], report: &mut Report| {
        let mut npm = npm()?;
        if !names.is_empty() {
            let patterns =
                names.iter().map(|name| format!("--test-name-pattern={}", exactly(name)));
            npm.arg("--").args(patterns);
        }
        count(&mut npm, limit, report)
    };
    run_again_if_few_fail(run, report)
}

/// A pattern that matches only this name.
fn exactly(name: &str) -> String {
    let mut pattern = String::from("^");
    for letter in name.chars() {
        if !letter.is_alphanumeric() && letter != ' ' {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern + "$"
}

fn count(command: &mut Command, limit: Limit, report: &mut Report) -> Result<()> {
    // Colour codes would break up the runners' output.
    command.env_remove("FORCE_COLOR");
    let scratch = Scratch::new()?;
    command.env("TMPDIR", scratch.path());
    run::run_lines(command, limit, |line| {
        println!("{line}");
        report.read(line);
    })
}

#[cfg(test)]
mod tests {
    use super::exactly;

    #[test]
    fn a_pattern_matches_the_name_as_it_is() {
        assert_eq!(exactly("a? (b)"), r"^a\? \(b\)$");
    }
}
