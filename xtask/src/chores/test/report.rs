//! The results of the tests of one kind.

use super::counts::Counts;
use super::failures::Failures;

#[derive(Default)]
pub struct Report {
    pub counts: Counts,
    pub failures: Failures,
    /// Tests that failed, and passed on the second run.
    pub unsteady: Vec<String>,
    /// Whether wasm-bindgen's runner or cargo test has begun its tests: a run that hangs has no summary.
    pub has_begun: bool,
}

impl Report {
    /// Reads one line from any test runner.
    pub fn read(&mut self, line: &str) {
        // In a browser, the line may follow what the page showed before.
        self.has_begun |= line
            .split_once("running ")
            .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
        self.counts.read(line);
        self.failures.read(line);
    }

    /// Adds the results of some tests. `is_well`: the failed ones have passed since.
    pub fn take(&mut self, mut of_some: Self, is_well: bool) {
        if is_well {
            of_some.counts.passed += std::mem::take(&mut of_some.counts.failed);
            self.unsteady.extend_from_slice(of_some.failures.names());
        } else {
            of_some.failures.names().iter().for_each(|name| self.failures.add(name));
        }
        self.counts.add(of_some.counts);
    }

    pub fn passed(&mut self) {
        self.counts.passed += 1;
    }

    pub fn failed(&mut self, what: impl Into<String>) {
        self.counts.failed += 1;
        self.failures.add(what);
    }
}
