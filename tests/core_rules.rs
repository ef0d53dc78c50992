//! The rules of `fetch`, held against random lives of the model world: requests, late refusals,
//! outcomes of refreshes, logins, logouts, aborts, clocks that jump, other tabs. More than 100,000
//! lives, each another interleaving. `PROPTEST_CASES` sets how many each test looks at,
//! `PROPTEST_RNG_SEED` makes up those of an earlier run again: a failure prints it.

// What makes the cases up is not built for the browser.
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

use many::{lives, lives_from};
use ops::{Life, one_tab, several_tabs};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use world::{Rule, World};

/// The lives that a test for one rule looks at.
const NAMED: u32 = 1_000;
/// The lives that a test for all of them looks at.
const ALL: u32 = 30_000;

fn any_life() -> impl Strategy<Value = Life> {
    prop_oneof![one_tab(), several_tabs()]
}

fn holds(rule: Rule, life: &Life) -> TestCaseResult {
    let world = World::lived(life);
    let faults = world.faults(rule);
    prop_assert!(faults.is_empty(), "{:#?}", faults);
    Ok(())
}

fn holds_all(world: &World) -> TestCaseResult {
    prop_assert!(world.all_faults().is_empty(), "{:#?}", world.all_faults());
    Ok(())
}

fn is_disposed_of(life: &Life) -> World {
    let mut world = World::begun(life);
    life.ops.iter().for_each(|op| world.happens(*op));
    world.disposes(0);
    world.drains();
    world
}

macro_rules! rules {
    ($($name:ident: $rule:ident in $life:expr;)*) => {
        $(#[test]
        fn $name() {
            lives(stringify!($name), $life, NAMED, |life| holds(Rule::$rule, &life));
        })*
    };
}

rules! {
    one_refresh_is_in_flight_at_a_time: OneRefresh in any_life();
    a_request_is_sent_at_most_twice: TwiceAtMost in any_life();
    a_request_leaves_with_a_good_token_or_waits: BeforeSending in any_life();
    a_late_401_never_refreshes: LateRefusal in any_life();
    nothing_is_committed_across_an_epoch: Epoch in any_life();
    every_request_settles_once: Settles in any_life();
    a_backoff_is_honoured: Backoff in any_life();
    calls_that_set_the_cookie_never_overlap: NoOverlap in any_life();
    a_rejected_refresh_ends_the_session_once: RejectedOnce in any_life();
    an_outage_never_signs_out: OutageKeeps in any_life();
    a_logout_is_not_undone: LogoutHolds in any_life();
    an_early_refresh_that_fails_does_not_fail_a_request_that_has_a_good_token:
        EarlyRefresh in any_life();
    a_timer_that_goes_off_is_not_due_again_at_once: NoBusyLoop in any_life();
    every_fact_is_told_once: OncePerFact in any_life();
    tabs_never_use_a_refresh_cookie_twice: NoReuse in several_tabs();
    no_request_carries_another_users_token: OwnToken in any_life();
    an_answer_that_says_so_ends_the_session_once_and_asks_nobody: EndedOnce in any_life();
    a_token_that_an_answer_brings_follows_the_newest_and_no_other: Adopts in any_life();
    a_refused_request_whose_refresh_reaches_nobody_fails_with_what_kept_it: OutageTold in any_life();
    without_a_refresh_token_in_memory_nobody_is_asked: AsksWithToken in one_tab();
}

#[test]
fn every_rule_holds_in_one_tab() {
    lives("one tab", one_tab(), ALL, |life| holds_all(&World::lived(&life)));
}

#[test]
fn every_rule_holds_in_several_tabs() {
    lives("several tabs", several_tabs(), ALL, |life| holds_all(&World::lived(&life)));
}

#[test]
fn nobody_waits_for_a_tab_that_was_disposed_of() {
    lives("disposed", one_tab(), ALL, |life| holds_all(&is_disposed_of(&life)));
}

/// `cargo xtask long`. What has been looked at is said after every hundred thousand, so that a run
/// that is broken off has counted for something.
#[test]
#[ignore = "takes as long as it is told to"]
fn every_rule_holds_for_a_long_time() {
    const BATCH: u64 = 100_000;
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (wanted, seed) = (number("TOKENKEEP_LIVES").unwrap_or(BATCH), many::seed());
    let began = Instant::now();
    let (mut seen, mut batch) = (0, 0);
    while seen < wanted {
        let cases = BATCH.min(wanted - seen);
        let config = ProptestConfig {
            cases: cases as u32,
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        lives_from(seed + batch, "long", any_life(), config, |life| {
            holds_all(&World::lived(&life))
        });
        (seen, batch) = (seen + cases, batch + 1);
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{seen} lives from seed {seed} in {seconds:.0} s, {:.0} a second",
            seen as f64 / seconds
        );
    }
}
