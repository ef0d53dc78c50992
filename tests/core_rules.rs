//! The rules of `fetch`, held against random lives of the model world: requests, late refusals,
//! outcomes of refreshes, logins, logouts, aborts, clocks that jump, other tabs. `PROPTEST_CASES`
//! sets how many lives each test looks at.

// What makes the cases up is not built for the browser.
#![cfg(not(target_arch = "wasm32"))]

#[path = "core/ops.rs"]
mod ops;
#[path = "core/server.rs"]
mod server;
#[path = "core/tab.rs"]
mod tab;
#[path = "core/world.rs"]
mod world;

use ops::{Life, one_tab, several_tabs};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use world::{Rule, World};

fn config(cases: u32) -> ProptestConfig {
    let named = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if named { config } else { ProptestConfig { cases, ..config } }
}

fn any_life() -> impl Strategy<Value = Life> {
    prop_oneof![one_tab(), several_tabs()]
}

fn holds(rule: Rule, life: &Life) -> TestCaseResult {
    let world = World::lived(life);
    let faults = world.faults(rule);
    prop_assert!(faults.is_empty(), "{:#?}", faults);
    Ok(())
}

macro_rules! rules {
    ($($name:ident: $rule:ident in $life:expr;)*) => {
        proptest! {
            #![proptest_config(config(160))]
            $(#[test]
            fn $name(life in $life) {
                holds(Rule::$rule, &life)?;
            })*
        }
    };
}

rules! {
    one_refresh_is_in_flight_at_a_time: OneRefresh in any_life();
    a_request_is_sent_at_most_twice: TwiceAtMost in any_life();
    a_request_leaves_with_a_good_token_or_waits: BeforeSending in any_life();
    a_late_401_never_refreshes: LateRefusal in any_life();
    nothing_is_committed_across_an_epoch: Epoch in any_life();
    every_request_settles_once: Settles in any_life();
    a_cool_down_is_honoured: Cooldown in any_life();
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
}

proptest! {
    #![proptest_config(config(1_024))]

    #[test]
    fn every_rule_holds_in_one_tab(life in one_tab()) {
        let world = World::lived(&life);
        prop_assert!(world.all_faults().is_empty(), "{:#?}", world.all_faults());
    }

    #[test]
    fn every_rule_holds_in_several_tabs(life in several_tabs()) {
        let world = World::lived(&life);
        prop_assert!(world.all_faults().is_empty(), "{:#?}", world.all_faults());
    }

    #[test]
    fn nobody_waits_for_a_tab_that_was_disposed_of(life in one_tab()) {
        let mut world = World::begun(&life);
        life.ops.iter().for_each(|op| world.happens(*op));
        world.disposes(0);
        world.drains();
        prop_assert!(world.all_faults().is_empty(), "{:#?}", world.all_faults());
    }
}
