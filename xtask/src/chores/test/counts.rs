//! Reads the numbers of tests from the output of the test runners.

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    /// Skipped by the test itself, which says why.
    pub skipped: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    pub fn sum(&self) -> u64 {
        self.passed + self.failed
    }

    /// Reads one line from any runner; a line that is not a summary changes nothing.
    pub fn read(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.read_libtest(rest);
        } else if let Some(rest) = line.strip_prefix("# ").or(line.strip_prefix("ℹ ")) {
            self.read_node(rest);
        }
    }

    /// `ok. 2 passed; 0 failed; …`, from cargo test and from wasm-bindgen's runner.
    fn read_libtest(&mut self, summary: &str) {
        for part in summary.split(['.', ';']) {
            match part.trim().split_once(' ') {
                Some((n, "passed")) => self.passed += n.parse().unwrap_or(0),
                Some((n, "failed")) => self.failed += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// `pass 2`, from node:test. A cancelled test has not passed.
    fn read_node(&mut self, summary: &str) {
        match summary.trim().split_once(' ') {
            Some(("pass", n)) => self.passed += n.parse().unwrap_or(0),
            Some(("fail" | "cancelled", n)) => self.failed += n.parse().unwrap_or(0),
            Some(("skipped", n)) => self.skipped += n.parse().unwrap_or(0),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    fn read(output: &str) -> (u64, u64, u64) {
        let mut counts = Counts::default();
        output.lines().for_each(|line| counts.read(line));
        (counts.passed, counts.failed, counts.skipped)
    }

    #[test]
    fn the_summaries_of_all_test_programs_are_added() {
        let output = "
test a ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: FAILED. 30 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.10s
test result: ok. 0 passed; 0 failed; 0 ignored; 0 filtered out";
        assert_eq!(read(output), (32, 4, 0));
    }

    #[test]
    fn both_reporters_of_node_are_understood() {
        let tap = "# tests 5\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 2";
        let spec = "ℹ tests 4\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ duration_ms 61.2";
        assert_eq!(read(tap), (3, 2, 2));
        assert_eq!(read(spec), (3, 1, 0));
    }

    #[test]
    fn lines_printed_by_a_test_are_not_summaries() {
        assert_eq!(read("pass 3\n  # pass 3\n# passing 3\n3 passed"), (0, 0, 0));
    }
}
