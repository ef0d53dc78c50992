//! Runs tests in browsers again: failed ones once, and those that have not begun.

use super::report::Report;
use crate::run::Interrupted;
use anyhow::Result;

/// Up to this many failures are run again; more are no accident.
const FEW: usize = 3;

/// A browser on a busy machine may behave in ways that no test expects. A failed test that passes then counts as passed,
/// and is named at the end for investigation. `run` runs all tests, or those with the given names.
pub fn run_again_if_few_fail(
    run: impl Fn(&[&str], &mut Report) -> Result<()>,
    report: &mut Report,
) -> Result<()> {
    let mut first = Report::default();
    let result = run(&[], &mut first);
    let names: Vec<_> = first.failures.bare().collect();
    let is_few = names.len() <= FEW && names.len() as u64 == first.counts.failed;
    if result.is_ok() || names.is_empty() || !is_few {
        report.take(first, false);
        return result;
    }
    eprintln!("once more: {}", names.join(", "));
    let mut second = Report::default();
    let again = run(&names, &mut second);
    if let Err(error) = &again
        && error.is::<Interrupted>()
    {
        return again;
    }
    let is_well = again.is_ok() && second.counts.passed >= first.counts.failed;
    report.take(first, is_well);
    if is_well { Ok(()) } else { result }
}

/// How often to try a run whose page never starts.
const TRIES: u32 = 5;

/// Where `page_server.rs` cannot help, the runner's server leaves a request unanswered now and then, if a
/// browser opens more connections at once than the server has threads. Then the page never loads
/// (`webdriver.json` sets the time limit) and no test begins. Such a run is not a failed test, and is tried
/// again.
pub fn until_it_begins(
    report: &mut Report,
    attempt: impl Fn(&mut Report) -> Result<()>,
) -> Result<()> {
    for _ in 1..TRIES {
        report.has_begun = false;
        let result = attempt(report);
        if result.is_ok() || report.has_begun {
            return result;
        }
        if let Err(error) = result {
            if error.is::<Interrupted>() {
                return Err(error);
            }
            eprintln!("no test has begun ({error:#}); once more");
        }
    }
    attempt(report)
}

#[cfg(test)]
mod tests {
    use super::{Report, TRIES, run_again_if_few_fail, until_it_begins};
    use anyhow::bail;
    use std::cell::Cell;

    /// The report of a runner whose test `a?` fails unless it is selected by name, besides `others` tests
    /// that always fail.
    fn run(others: u64) -> Report {
        let runner = |names: &[&str], report: &mut Report| {
            for n in 0..others {
                report.read(&format!("not ok {n} - other {n}"));
            }
            let is_selected = names.contains(&"a?");
            let (passed, failed) = if is_selected {
                (1, others)
            } else {
                report.read("not ok 9 - a?");
                (4, others + 1)
            };
            report.read(&format!("# pass {passed}"));
            report.read(&format!("# fail {failed}"));
            if failed > 0 {
                bail!("{failed} failed");
            }
            Ok(())
        };
        let mut report = Report::default();
        let result = run_again_if_few_fail(runner, &mut report);
        assert_eq!(result.is_ok(), report.counts.failed == 0);
        report
    }

    #[test]
    fn a_test_that_passes_on_the_second_run_counts_as_passed_and_is_named() {
        let report = run(0);
        assert_eq!((report.counts.passed, report.counts.failed), (5, 0));
        assert_eq!(report.unsteady, ["a?"]);
    }

    #[test]
    fn if_one_fails_again_all_count_as_failed() {
        let report = run(1);
        assert_eq!((report.counts.passed, report.counts.failed), (4, 2));
        assert_eq!(report.failures.names(), ["other 0", "a?"]);
        assert!(report.unsteady.is_empty());
    }

    #[test]
    fn many_failures_are_not_run_again() {
        let report = run(5);
        assert_eq!((report.counts.passed, report.counts.failed), (4, 6));
    }

    /// How often a run with this output is tried. It has no summary.
    fn tries(line: &str) -> u32 {
        let tries = Cell::new(0);
        let attempt = |report: &mut Report| {
            tries.set(tries.get() + 1);
            report.read(line);
            bail!("timed out");
        };
        assert!(until_it_begins(&mut Report::default(), attempt).is_err());
        tries.get()
    }

    #[test]
    fn only_a_run_whose_page_never_starts_is_tried_again() {
        assert_eq!(tries("Loading scripts..."), TRIES);
        assert_eq!(tries("Loading Wasm module...running 3 tests"), 1);
    }
}
