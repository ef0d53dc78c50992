//! Runs failed tests in browsers once more. A browser on a busy machine may behave in ways that no test expects. A test
//! that passes then counts as passed, and is named at the end for investigation.

use super::report::Report;
use crate::run::Interrupted;
use anyhow::Result;

/// Up to this many failures are run again; more are no accident.
const FEW: usize = 3;

/// `run` runs all tests, or those with the given names.
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

#[cfg(test)]
mod tests {
    use super::{Report, run_again_if_few_fail};
    use anyhow::bail;

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
}
