//! What has come of the tests of one kind.

use super::counts::Counts;
use super::failures::Failures;

#[derive(Default)]
pub struct Report {
    pub counts: Counts,
    pub failures: Failures,
}

impl Report {
    /// Takes a line of any test runner.
    pub fn read(&mut self, line: &str) {
        self.counts.read(line);
        self.failures.read(line);
    }

    pub fn passed(&mut self) {
        self.counts.passed += 1;
    }

    pub fn failed(&mut self, what: impl Into<String>) {
        self.counts.failed += 1;
        self.failures.add(what);
    }
}
