//! Random cases of the model world for the rules of `fetch`: requests, late refusals, outcomes of refreshes,
//! logins, logouts, aborts, clocks that jump, other tabs. More than 100,000 cases, each with a different
//! interleaving. `PROPTEST_CASES` sets the number of cases per test. `PROPTEST_RNG_SEED` repeats the cases of
//! an earlier run; a failure prints its seed.

// The crate that generates the cases is not built for the browser.
#![cfg(not(target_arch = "wasm32"))]

#[path = "core/many.rs"]
mod many;
#[path = "core/ops.rs"]
mod ops;
#[path = "core/server.rs"]
mod server;
#[path = "core/tab.rs"]
mod tab;
#[path = "core/world.rs"]
mod world;

use std::time::Instant;

use many::{check_cases, check_cases_from};
use ops::{Case, one_tab, several_tabs};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use world::{Rule, World};

/// The number of cases for a test of one rule.
const NAMED: u32 = 1_000;
/// The number of cases for a test of all rules.
const ALL: u32 = 30_000;

fn any_case() -> impl Strategy<Value = Case> {
    prop_oneof![one_tab(), several_tabs()]
}

fn holds(rule: Rule, case: &Case) -> TestCaseResult {
    let world = World::after(case);
    let faults = world.faults(rule);
    prop_assert!(faults.is_empty(), "{:#?}", faults);
    Ok(())
}

fn holds_all(world: &World) -> TestCaseResult {
    prop_assert!(world.all_faults().is_empty(), "{:#?}", world.all_faults());
    Ok(())
}

fn is_disposed_of(case: &Case) -> World {
    let mut world = World::begun(case);
    case.ops.iter().for_each(|op| world.happens(*op));
    world.disposes(0);
    world.drains();
    world
}

macro_rules! rules {
    ($($name:ident: $rule:ident in $case:expr;)*) => {
        $(#[test]
        fn $name() {
            check_cases(stringify!($name), $case, NAMED, |case| holds(Rule::$rule, &case));
        })*
    };
}

rules! {
    one_refresh_is_in_flight_at_a_time: OneRefresh in any_case();
    a_request_is_sent_at_most_twice: TwiceAtMost in any_case();
    a_request_leaves_with_a_good_token_or_waits: BeforeSending in any_case();
    a_late_401_never_refreshes: LateRefusal in any_case();
    nothing_is_committed_across_an_epoch: Epoch in any_case();
    every_request_settles_once: Settles in any_case();
    a_backoff_is_honoured: Backoff in any_case();
    calls_that_set_the_cookie_never_overlap: NoOverlap in any_case();
    a_rejected_refresh_ends_the_session_once: RejectedOnce in any_case();
    an_outage_never_signs_out: OutageKeeps in any_case();
    a_logout_is_not_undone: LogoutHolds in any_case();
    an_early_refresh_that_fails_does_not_fail_a_request_that_has_a_good_token:
        EarlyRefresh in any_case();
    a_timer_that_goes_off_is_not_due_again_at_once: NoBusyLoop in any_case();
    every_fact_is_told_once: OncePerFact in any_case();
    tabs_never_use_a_refresh_cookie_twice: NoReuse in several_tabs();
    no_request_carries_another_users_token: OwnToken in any_case();
    an_answer_that_says_so_ends_the_session_once_and_asks_nobody: EndedOnce in any_case();
    a_token_that_an_answer_brings_follows_the_newest_and_no_other: Adopts in any_case();
    a_refused_request_whose_refresh_reaches_nobody_fails_with_what_kept_it: OutageTold in any_case();
    without_a_refresh_token_in_memory_nobody_is_asked: AsksWithToken in one_tab();
}

#[test]
fn every_rule_holds_in_one_tab() {
    check_cases("one tab", one_tab(), ALL, |case| holds_all(&World::after(&case)));
}

#[test]
fn every_rule_holds_in_several_tabs() {
    check_cases("several tabs", several_tabs(), ALL, |case| holds_all(&World::after(&case)));
}

#[test]
fn nobody_waits_for_a_disposed_tab() {
    check_cases("disposed", one_tab(), ALL, |case| holds_all(&is_disposed_of(&case)));
}

/// `cargo xtask long`. It reports its progress after every hundred thousand cases, so that an interrupted run
/// still counts.
#[test]
#[ignore = "takes as long as it is told to"]
fn every_rule_holds_for_a_long_time() {
    const BATCH: u64 = 100_000;
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (wanted, seed) = (number("TOKENKEEP_CASES").unwrap_or(BATCH), many::seed());
    let began = Instant::now();
    let (mut seen, mut batch) = (0, 0);
    while seen < wanted {
        let cases = BATCH.min(wanted - seen);
        let config = ProptestConfig {
            cases: cases as u32,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        check_cases_from(seed + batch, "long", any_case(), config, |case| {
            holds_all(&World::after(&case))
        });
        (seen, batch) = (seen + cases, batch + 1);
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{seen} cases from seed {seed} in {seconds:.0} s, {:.0} a second",
            seen as f64 / seconds
        );
    }
}
