//! The summary at the end of all tests: a table, the names of the failed tests, and the totals. The names are
//! repeated here because only the end of a long log is kept.

use super::counts::Counts;
use super::report::Report;
use crate::progress::Took;
use std::fmt;
use std::time::Duration;

/// The results of one kind in one browser.
pub struct Line {
    pub name: String,
    pub report: Report,
    pub took: Duration,
}

pub struct Summary(pub Vec<Line>);

impl Summary {
    pub fn counts(&self) -> Counts {
        let mut all = Counts::default();
        self.0.iter().for_each(|line| all.add(line.report.counts));
        all
    }

    /// Lists tests, if there are any.
    fn list(
        &self,
        f: &mut fmt::Formatter,
        title: &str,
        of: fn(&Report) -> &[String],
    ) -> fmt::Result {
        let all = || {
            self.0.iter().flat_map(|line| of(&line.report).iter().map(|test| (&line.name, test)))
        };
        if all().next().is_none() {
            return Ok(());
        }
        writeln!(f, "{title}")?;
        for (name, test) in all() {
            writeln!(f, "  {name}: {test}")?;
        }
        writeln!(f)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{:<16} {:>6} {:>6} {:>7}", "", "passed", "failed", "skipped")?;
        for Line { name, report, took } in &self.0 {
            let Counts { passed, failed, skipped } = report.counts;
            writeln!(f, "{name:<16} {passed:>6} {failed:>6} {skipped:>7}   {}", Took(*took))?;
        }
        writeln!(f)?;
        let all = self.counts();
        self.list(f, "failed once, and passed when run again:", |report| &report.unsteady)?;
        self.list(f, "failed:", |report| report.failures.names())?;
        write!(f, "{} passed, {} failed", all.passed, all.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Report, Summary};
    use std::time::Duration;

    fn line(name: &str, output: &str) -> Line {
        let mut report = Report::default();
        output.lines().for_each(|line| report.read(line));
        Line { name: name.to_owned(), report, took: Duration::ZERO }
    }

    #[test]
    fn the_names_of_failed_tests_come_between_the_table_and_the_total() {
        let e2e = "not ok 1 - a tab\n  location: '/e2e/tabs.test.mjs:7:1'\n# pass 1\n# fail 1";
        let native = "test a ... FAILED\ntest b ... ok\ntest result: FAILED. 1 passed; 1 failed";
        let said = Summary(vec![line("native", native), line("e2e chrome", e2e)]).to_string();
        let (_, end) = said.split_once("\n\n").unwrap();
        let names = "failed:\n  native: a\n  e2e chrome: a tab (tabs.test.mjs:7)";
        assert_eq!(end, format!("{names}\n\n2 passed, 2 failed"));
    }

    #[test]
    fn a_test_that_passed_on_the_second_run_counts_as_passed_and_is_named() {
        let first = line("", "not ok 1 - a tab\n# pass 1\n# fail 1").report;
        let mut e2e = line("e2e chrome", "");
        e2e.report.take(first, true);
        let said = Summary(vec![e2e]).to_string();
        let (_, end) = said.split_once("\n\n").unwrap();
        let title = "failed once, and passed when run again:";
        assert_eq!(end, format!("{title}\n  e2e chrome: a tab\n\n2 passed, 0 failed"));
    }

    #[test]
    fn without_failures_no_names_are_listed() {
        let said = Summary(vec![line("size", "test result: ok. 1 passed")]).to_string();
        let (table, end) = said.split_once("\n\n").unwrap();
        assert!(table.contains("size"), "{table}");
        assert_eq!(end, "1 passed, 0 failed");
    }
}
