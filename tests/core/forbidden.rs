//! Resources that answer 401 where they mean "forbidden" (rule 4).

use tokenkeep::core::{
    Arrival, Classification, Code, Departure, Effect, RefreshOutcome, Resource, Session, Tabs,
    Ticket, Wait,
};

use super::support::*;

const MINUTE: u64 = 60_000;

fn stats() -> Resource {
    Resource::new("GET", "https://api.test/stats")
}

fn items() -> Resource {
    Resource::new("GET", "https://api.test/items")
}

fn signed_in() -> Session {
    let mut tab = tab_that(Tabs::Off, false);
    tab.enter(opaque("first"), at(0));
    told(&mut tab);
    tab
}

fn leaves(tab: &mut Session, resource: Resource, ms: u64) -> Ticket {
    let Departure::Send(ticket) = tab.depart(resource, at(ms)) else { panic!("it leaves") };
    ticket
}

fn waits(departure: Departure) -> Wait {
    let Departure::Wait(wait) = departure else { panic!("{departure:?}") };
    wait
}

/// Answers the refresh that a request waits for with a token.
fn is_renewed(tab: &mut Session, wait: Wait, token: &str, ms: u64) {
    assert_eq!(tab.arrive(wait.auth_call, false, at(ms)), Arrival::Go);
    tab.refresh_answered(wait.auth_call, auth_response(200, Some(opaque(token))), 0.5, at(ms));
    tab.finished(wait.auth_call);
    assert_eq!(refresh_outcome(&told(tab), wait.auth_call), RefreshOutcome::Renewed);
}

/// A resource refuses the token, and then the token that is renewed for it.
fn is_refused_twice(tab: &mut Session, resource: Resource, token: &str, ms: u64) {
    let ticket = leaves(tab, resource, ms);
    let wait = waits(tab.answered(ticket, true, at(ms)));
    is_renewed(tab, wait, token, ms);
    let Departure::Send(again) = tab.resume(wait, &RefreshOutcome::Renewed, at(ms)) else {
        panic!("it goes again")
    };
    assert_eq!(tab.answered(again, true, at(ms)), Departure::Deliver);
}

fn starts(tab: &mut Session) -> usize {
    told(tab).iter().filter(|effect| matches!(effect, Effect::Start(..))).count()
}

#[test]
fn a_resource_that_refuses_a_token_renewed_for_it_costs_no_further_refresh() {
    let mut tab = signed_in();
    is_refused_twice(&mut tab, stats(), "second", 10);
    for ms in [20, MINUTE, 5 * MINUTE] {
        let ticket = leaves(&mut tab, stats(), ms);
        assert_eq!(tab.answered(ticket, true, at(ms)), Departure::Deliver, "{ms}");
    }
    assert_eq!(starts(&mut tab), 0);
    let other = leaves(&mut tab, items(), 5 * MINUTE);
    assert!(matches!(tab.answered(other, true, at(5 * MINUTE)), Departure::Wait(_)));
}

#[test]
fn a_forbidden_resource_causes_a_refresh_again_after_a_minute_and_then_after_two() {
    let mut tab = signed_in();
    is_refused_twice(&mut tab, stats(), "second", 0);
    refreshes(&mut tab, Some(opaque("third")), at(10));
    let ticket = leaves(&mut tab, stats(), MINUTE - 1);
    assert_eq!(tab.answered(ticket, true, at(MINUTE - 1)), Departure::Deliver);
    is_refused_twice(&mut tab, stats(), "fourth", MINUTE);
    refreshes(&mut tab, Some(opaque("fifth")), at(MINUTE + 10));
    let ticket = leaves(&mut tab, stats(), 3 * MINUTE - 1);
    assert_eq!(tab.answered(ticket, true, at(3 * MINUTE - 1)), Departure::Deliver);
    assert!(matches!(tab.answered(ticket, true, at(3 * MINUTE)), Departure::Wait(_)));
}

#[test]
fn a_resource_that_accepts_again_is_no_longer_forbidden() {
    let mut tab = signed_in();
    is_refused_twice(&mut tab, stats(), "second", 0);
    assert!(tab.watches_resources(), "each answer is to be told");
    let ticket = leaves(&mut tab, stats(), 10);
    assert_eq!(
        tab.classified(ticket, 200, Classification::Plain, true, at(11)),
        Departure::Deliver
    );
    assert!(!tab.watches_resources());
    assert!(matches!(tab.answered(ticket, true, at(12)), Departure::Wait(_)));
}

#[test]
fn another_user_may_have_rights_that_the_last_one_lacked() {
    let mut tab = signed_in();
    is_refused_twice(&mut tab, stats(), "second", 0);
    tab.enter(opaque("bobs"), at(10));
    let ticket = leaves(&mut tab, stats(), 11);
    assert!(matches!(tab.answered(ticket, true, at(12)), Departure::Wait(_)));
}

#[test]
fn the_rest_of_the_app_works_while_one_resources_refresh_is_rate_limited() {
    let mut tab = signed_in();
    let ticket = leaves(&mut tab, stats(), 10);
    let wait = waits(tab.answered(ticket, true, at(10)));
    // Another call waits for the same refresh, and has not been sent.
    let unsent = waits(tab.depart(items(), at(11)));
    assert_eq!(tab.arrive(wait.auth_call, false, at(12)), Arrival::Go);
    tab.refresh_answered(wait.auth_call, auth_response(429, None), 0.9, at(13));
    tab.finished(wait.auth_call);
    let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
    let failed = tab.resume(wait, &outcome, at(14));
    assert!(matches!(&failed, Departure::Fail(failure) if failure.code == Code::BadStatus));
    let Departure::Send(trial) = tab.resume(unsent, &outcome, at(14)) else { panic!("it goes") };
    assert!(matches!(tab.depart(stats(), at(14)), Departure::Fail(_)), "not where it was refused");
    // The token is good: the first resource meant "forbidden".
    assert_eq!(tab.classified(trial, 200, Classification::Plain, true, at(15)), Departure::Deliver);
    let ticket = leaves(&mut tab, stats(), 16);
    assert_eq!(tab.answered(ticket, true, at(17)), Departure::Deliver, "it is the caller's");
    leaves(&mut tab, items(), 18);
    assert_eq!(starts(&mut tab), 0);
}

#[test]
fn a_token_that_all_resources_refuse_is_tried_once_at_each() {
    let mut tab = signed_in();
    let ticket = leaves(&mut tab, stats(), 10);
    let wait = waits(tab.answered(ticket, true, at(10)));
    assert_eq!(tab.arrive(wait.auth_call, false, at(12)), Arrival::Go);
    tab.refresh_answered(wait.auth_call, auth_response(503, None), 0.9, at(13));
    tab.finished(wait.auth_call);
    let trial = leaves(&mut tab, items(), 14);
    assert!(matches!(tab.answered(trial, true, at(15)), Departure::Fail(_)));
    assert!(matches!(tab.depart(items(), at(16)), Departure::Fail(_)));
}

#[test]
fn a_stream_to_a_forbidden_resource_costs_one_refresh_not_one_per_call() {
    let mut tab = signed_in();
    let ticket = leaves(&mut tab, stats(), 10);
    assert_eq!(tab.answered(ticket, false, at(10)), Departure::Deliver);
    let effects = told(&mut tab);
    let [Effect::Start(auth_call, _)] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(tab.arrive(auth_call, false, at(11)), Arrival::Go);
    tab.refresh_answered(auth_call, auth_response(200, Some(opaque("second"))), 0.5, at(12));
    tab.finished(auth_call);
    told(&mut tab);
    for ms in [20, 30] {
        let ticket = leaves(&mut tab, stats(), ms);
        assert_eq!(tab.answered(ticket, false, at(ms)), Departure::Deliver);
    }
    assert_eq!(starts(&mut tab), 0);
}

#[test]
fn a_call_aborted_while_it_waits_causes_no_refresh_the_next_time_either() {
    let mut tab = signed_in();
    let ticket = leaves(&mut tab, stats(), 10);
    let wait = waits(tab.answered(ticket, true, at(10)));
    is_renewed(&mut tab, wait, "second", 20);
    assert!(tab.watches_resources(), "its next answer shows what it means");
    let ticket = leaves(&mut tab, stats(), 30);
    assert_eq!(tab.answered(ticket, true, at(30)), Departure::Deliver);
    assert_eq!(starts(&mut tab), 0);
}

#[test]
fn a_refusal_long_after_the_renewal_is_a_reason_to_refresh() {
    let mut tab = signed_in();
    let ticket = leaves(&mut tab, stats(), 10);
    let wait = waits(tab.answered(ticket, true, at(10)));
    is_renewed(&mut tab, wait, "second", 20);
    let ticket = leaves(&mut tab, stats(), 2 * MINUTE);
    assert!(matches!(tab.answered(ticket, true, at(2 * MINUTE)), Departure::Wait(_)));
}

#[test]
fn a_request_waits_again_up_to_three_times_if_the_new_token_was_refused_first() {
    let mut tab = signed_in();
    let mut wait = waits({
        let ticket = leaves(&mut tab, items(), 10);
        tab.answered(ticket, true, at(10))
    });
    for turn in 0..4 {
        is_renewed(&mut tab, wait, &format!("token{turn}"), 20);
        // Another request is faster each time, and is refused.
        let other = Resource::new("GET", &format!("https://api.test/{turn}"));
        let ticket = leaves(&mut tab, other, 30);
        waits(tab.answered(ticket, true, at(30)));
        let departure = tab.resume(wait, &RefreshOutcome::Renewed, at(40));
        if turn == 3 {
            assert!(matches!(departure, Departure::Send(_)), "{departure:?}");
        } else {
            wait = waits(departure);
        }
    }
}

#[test]
fn in_a_pause_a_request_tries_a_token_that_only_another_resource_refused() {
    let mut tab = signed_in();
    let ticket = leaves(&mut tab, items(), 10);
    let wait = waits(tab.answered(ticket, true, at(10)));
    is_renewed(&mut tab, wait, "second", 20);
    let other = leaves(&mut tab, stats(), 30);
    let of_other = waits(tab.answered(other, true, at(30)));
    assert_eq!(tab.arrive(of_other.auth_call, false, at(31)), Arrival::Go);
    tab.refresh_answered(of_other.auth_call, auth_response(429, None), 0.9, at(32));
    tab.finished(of_other.auth_call);
    assert!(matches!(tab.resume(wait, &RefreshOutcome::Renewed, at(33)), Departure::Send(_)));
}

#[test]
fn asking_whether_a_request_may_leave_changes_nothing() {
    let mut tab = signed_in();
    for ms in [0, 575_000, 700_000] {
        let before = (format!("{tab:?}"), tab.snapshot());
        let _ = tab.may_leave(at(ms));
        assert_eq!((format!("{tab:?}"), tab.snapshot()), before, "{ms}");
    }
    assert_eq!(
        tab.may_leave(at(0)).map(Ticket::number),
        Some(leaves(&mut tab, items(), 0).number())
    );
    assert!(told(&mut tab).is_empty());
}

#[test]
fn an_answer_that_is_no_success_does_not_reopen_a_forbidden_resource() {
    for (status, is_open) in [(204, true), (304, true), (403, false), (404, false), (503, false)] {
        let mut tab = signed_in();
        is_refused_twice(&mut tab, stats(), "second", 10);
        let ticket = leaves(&mut tab, stats(), 20);
        tab.classified(ticket, status, Classification::Plain, true, at(20));
        let ticket = leaves(&mut tab, stats(), 30);
        let departure = tab.answered(ticket, true, at(30));
        assert_eq!(matches!(departure, Departure::Wait(_)), is_open, "{status}: {departure:?}");
    }
}
