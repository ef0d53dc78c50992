//! One tab: requests, refreshes, logins and logouts in sequence.

use tokenkeep::core::{
    Arrival, Code, Departure, Effect, Event, Policy, RefreshOutcome, Restore, RetryAfter, Session,
    Status, Tabs, Ticket, Wait,
};

use super::support::*;

fn alone(restore: Restore) -> Session {
    Session::new(Policy { tabs: Tabs::Off, restore, ..Policy::default() }, owes(false), at(0))
}

fn signed_in() -> Session {
    let mut tab = alone(Restore::Lazy);
    tab.enter(opaque("token"), at(0));
    told(&mut tab);
    tab
}

fn is_refused(tab: &mut Session, ticket: Ticket, ms: u64) -> Wait {
    let Departure::Wait(wait) = tab.answered(ticket, true, at(ms)) else { panic!("it waits") };
    wait
}

/// A refresh that fails to reach the server. With the largest jitter, the pause is one second.
fn fails(tab: &mut Session, ms: u64) {
    let auth_call = goes(tab, at(ms));
    tab.refresh_failed(auth_call, Code::Network, 0.999_9, at(ms));
    tab.finished(auth_call);
    told(tab);
}

#[test]
fn a_late_401_is_sent_again_with_the_current_token_and_refreshes_nothing() {
    let mut tab = signed_in();
    let (late, _) = sends(&mut tab, at(10));
    refreshes(&mut tab, Some(opaque("next")), at(20));
    let Departure::Send(again) = tab.answered(late, true, at(30)) else { panic!("it goes again") };
    assert_eq!(tab.credential(again).unwrap().reveal(), "next");
    assert!(told(&mut tab).is_empty());
    assert_eq!(tab.answered(again, true, at(40)), Departure::Deliver, "twice is the most");
}

#[test]
fn a_late_401_for_a_stream_goes_to_the_caller() {
    let mut tab = signed_in();
    let (late, _) = sends(&mut tab, at(10));
    refreshes(&mut tab, Some(opaque("next")), at(20));
    assert_eq!(tab.answered(late, false, at(30)), Departure::Deliver);
    assert!(told(&mut tab).is_empty(), "nor does it refresh");
}

#[test]
fn a_refused_stream_goes_to_the_caller_and_refreshes_unless_in_a_pause() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(10));
    assert_eq!(tab.answered(ticket, false, at(20)), Departure::Deliver);
    let effects = told(&mut tab);
    assert!(matches!(effects[..], [Effect::Start(..)]), "{effects:?}");

    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(10));
    fails(&mut tab, 20);
    assert_eq!(tab.answered(ticket, false, at(30)), Departure::Deliver);
    assert!(told(&mut tab).is_empty());
}

#[test]
fn a_request_sent_before_there_was_a_token_is_sent_again_with_it() {
    let mut tab = alone(Restore::Manual);
    let (ticket, sent) = sends(&mut tab, at(10));
    assert_eq!(sent, None);
    refreshes(&mut tab, Some(opaque("token")), at(20));
    let Departure::Send(again) = tab.answered(ticket, true, at(30)) else {
        panic!("it goes again")
    };
    assert_eq!(tab.credential(again).unwrap().reveal(), "token");
}

#[test]
fn a_ticket_gives_access_only_to_its_own_token() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(10));
    refreshes(&mut tab, Some(opaque("next")), at(20));
    assert_eq!(tab.credential(ticket), None);
    tab.enter(opaque("another"), at(30));
    assert_eq!(tab.credential(ticket), None);
}

#[test]
fn in_a_pause_a_token_near_its_end_is_sent() {
    let mut tab = signed_in();
    fails(&mut tab, 575_000);
    assert_eq!(sends(&mut tab, at(575_500)).1.as_deref(), Some("token"));
    assert!(matches!(tab.depart(ANY, at(576_000)), Departure::Wait(_)), "the pause is over");
}

#[test]
fn a_failed_early_refresh_does_not_fail_the_request() {
    let mut tab = signed_in();
    let Departure::Wait(wait) = tab.depart(ANY, at(575_000)) else { panic!("it waits") };
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Go);
    tab.refresh_failed(wait.auth_call, Code::Timeout, 0.5, at(576_000));
    let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
    assert!(matches!(outcome, RefreshOutcome::Failed(_)));
    assert!(matches!(tab.resume(wait, &outcome, at(576_000)), Departure::Send(_)));
    let too_late = tab.resume(wait, &outcome, at(600_000));
    assert!(matches!(too_late, Departure::Fail(failure) if failure.code == Code::Timeout));
}

#[test]
fn a_login_does_not_count_if_the_user_signed_out_before_its_answer() {
    let mut tab = alone(Restore::Lazy);
    let login = tab.login();
    assert_eq!(tab.arrive(login, false, at(0)), Arrival::Go);
    let logout = tab.logout(true, at(10)).unwrap();
    let answered = tab.login_answered(login, auth_response(200, Some(opaque("token"))), at(20));
    assert_eq!(answered.unwrap_err().code, Code::SessionChanged);
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    tab.finished(login);
    assert_eq!(tab.arrive(logout, false, at(0)), Arrival::Go, "its cookie goes, too");
}

#[test]
fn a_failed_login_keeps_the_current_session() {
    let mut tab = signed_in();
    for status in [401, 503] {
        let login = tab.login();
        assert_eq!(tab.arrive(login, false, at(0)), Arrival::Go);
        assert!(tab.login_answered(login, auth_response(status, None), at(10)).is_err());
        tab.finished(login);
        assert_eq!(sends(&mut tab, at(20)).1.as_deref(), Some("token"));
    }
}

#[test]
fn a_refresh_on_the_wire_at_a_logout_may_finish_but_commits_nothing() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(10));
    let wait = is_refused(&mut tab, ticket, 20);
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Go);
    told(&mut tab);
    tab.logout(true, at(30)).unwrap();
    let effects = told(&mut tab);
    assert_eq!(refresh_outcome(&effects, wait.auth_call), RefreshOutcome::Void);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Start(..))), "not yet");
    assert_eq!(tab.resume(wait, &RefreshOutcome::Void, at(40)), Departure::Deliver);
    tab.refresh_answered(wait.auth_call, auth_response(200, Some(opaque("late"))), 0.5, at(50));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    assert!(told(&mut tab).is_empty());
    tab.finished(wait.auth_call);
    assert!(matches!(told(&mut tab)[..], [Effect::Start(..)]), "now it is the logout's turn");
}

#[test]
fn a_request_that_waited_for_a_session_that_ended_is_not_sent() {
    let mut tab = alone(Restore::Lazy);
    let Departure::Wait(wait) = tab.depart(ANY, at(10)) else { panic!("it waits") };
    tab.logout(false, at(20));
    let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
    let Departure::Fail(failure) = tab.resume(wait, &outcome, at(30)) else { panic!("it fails") };
    assert_eq!(failure.code, Code::SessionChanged);
}

#[test]
fn callers_waiting_for_a_refused_refresh_get_the_apis_own_401() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(10));
    let sent = is_refused(&mut tab, ticket, 20);
    let Departure::Wait(unsent) = tab.depart(ANY, at(30)) else { panic!("it waits") };
    assert_eq!(sent.auth_call, unsent.auth_call, "one refresh for both");
    assert_eq!(tab.arrive(sent.auth_call, false, at(0)), Arrival::Go);
    tab.refresh_answered(sent.auth_call, auth_response(401, None), 0.5, at(40));
    let effects = told(&mut tab);
    let outcome = refresh_outcome(&effects, sent.auth_call);
    assert_eq!(sign_outs(&effects).len(), 1);
    assert_eq!(tab.resume(sent, &outcome, at(50)), Departure::Deliver);
    let Departure::Send(bare) = tab.resume(unsent, &outcome, at(50)) else { panic!("it goes") };
    assert_eq!(tab.credential(bare), None);
    assert_eq!(tab.answered(bare, true, at(60)), Departure::Deliver);
}

#[test]
fn callers_waiting_for_a_refresh_that_reached_no_server_get_its_failure() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(10));
    let wait = is_refused(&mut tab, ticket, 20);
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Go);
    tab.refresh_failed(wait.auth_call, Code::Timeout, 0.5, at(30));
    let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
    let departure = tab.resume(wait, &outcome, at(40));
    assert!(matches!(&departure, Departure::Fail(failure) if failure.code == Code::Timeout));
}

#[test]
fn a_ticket_can_be_stored_as_a_number() {
    let mut tab = signed_in();
    refreshes(&mut tab, Some(opaque("next")), at(10));
    let (ticket, _) = sends(&mut tab, at(20));
    assert_eq!(Ticket::first(ticket.number(), ANY), ticket);
    assert_ne!(ticket.number(), sends(&mut signed_in(), at(20)).0.number(), "of another token");
}

#[test]
fn a_success_ends_the_pause_and_the_next_pause_is_short_again() {
    let mut tab = signed_in();
    fails(&mut tab, 10);
    fails(&mut tab, 20);
    refreshes(&mut tab, Some(opaque("next")), at(30));
    let (ticket, _) = sends(&mut tab, at(40));
    let wait = is_refused(&mut tab, ticket, 50);
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Go);
    tab.refresh_failed(wait.auth_call, Code::Network, 0.999_9, at(60));
    tab.finished(wait.auth_call);
    assert!(matches!(tab.depart(ANY, at(1_000)), Departure::Fail(_)));
    assert!(matches!(tab.depart(ANY, at(1_060)), Departure::Wait(_)));
}

#[test]
fn retry_after_also_holds_for_an_explicit_refresh() {
    let mut tab = signed_in();
    let auth_call = goes(&mut tab, at(10));
    let mut busy = auth_response(503, None);
    busy.retry_after = Some(RetryAfter(5_000));
    tab.refresh_answered(auth_call, busy, 0.0, at(10));
    tab.finished(auth_call);
    assert_eq!(tab.refresh(at(5_009)).unwrap_err().code, Code::BadStatus);
    assert!(tab.refresh(at(5_010)).is_ok());
}

#[test]
fn an_unused_token_is_not_renewed() {
    let mut tab = signed_in();
    tab.renewal_timer_fired(at(575_000));
    assert!(told(&mut tab).is_empty());
    sends(&mut tab, at(10));
    assert_eq!(tab.renewal_due_in(0.0, at(10)), Some(569_990));
    tab.renewal_timer_fired(at(570_000));
    assert!(matches!(told(&mut tab)[..], [Effect::Start(..)]));
    assert_eq!(tab.renewal_due_in(0.0, at(570_000)), None, "it is under way");
}

#[test]
fn jitter_spreads_the_renewals_of_many_tabs_inside_the_margin() {
    let mut tab = signed_in();
    sends(&mut tab, at(10));
    // The margin begins at 570 s, and the token ends at 600 s.
    for (chance, ms) in [(0.0, 570_000), (0.5, 577_500), (0.999_999, 584_999)] {
        assert_eq!(tab.renewal_due_in(chance, at(0)), Some(ms));
    }
    tab.renewal_timer_fired(at(584_999));
    assert!(matches!(told(&mut tab)[..], [Effect::Start(..)]));
}

#[test]
fn the_renewal_timer_respects_the_pause() {
    let mut tab = signed_in();
    sends(&mut tab, at(10));
    fails(&mut tab, 575_000);
    assert_eq!(tab.renewal_due_in(0.0, at(575_100)), Some(899));
    tab.renewal_timer_fired(at(575_100));
    assert!(told(&mut tab).is_empty());
    tab.renewal_timer_fired(at(575_999));
    assert!(matches!(told(&mut tab)[..], [Effect::Start(..)]));
}

#[test]
fn a_token_from_a_refresh_is_reported_once() {
    let mut tab = alone(Restore::Lazy);
    let effects = refreshes(&mut tab, Some(opaque("token")), at(10));
    let told = |which: fn(&Effect) -> bool| effects.iter().filter(|effect| which(effect)).count();
    assert_eq!(told(|effect| matches!(effect, Effect::Changed)), 1);
    assert_eq!(told(|effect| matches!(effect, Effect::Tell(Event::Refresh))), 1);
    assert_eq!(told(|effect| matches!(effect, Effect::Tell(_))), 1);
}

#[test]
fn a_withdrawn_login_leaves_the_queue_unless_it_has_been_sent() {
    let mut tab = signed_in();
    let refresh = goes(&mut tab, at(10));
    let [login, logout] = [tab.login(), tab.logout(true, at(11)).unwrap()];
    tab.withdraw(login);
    tab.withdraw(logout);
    tab.finished(refresh);
    for auth_call in [login, logout] {
        assert_eq!(tab.arrive(auth_call, false, at(0)), Arrival::Skip);
        tab.finished(auth_call);
    }
    assert_eq!(tab.snapshot().status, Status::SignedOut, "the logout has done its work here");
    let effects = told(&mut tab);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Owe(false))), "{effects:?}");
    let sent = tab.login();
    assert_eq!(tab.arrive(sent, false, at(0)), Arrival::Go);
    tab.withdraw(sent);
    assert_eq!(tab.login_answered(sent, auth_response(200, Some(opaque("new"))), at(20)), Ok(()));
}
