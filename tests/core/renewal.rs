//! A refresh token held in memory: without one, no refresh is attempted.

use tokenkeep::core::{
    Arrival, Code, Departure, Effect, Event, Kind, Message, Policy, Reason, RefreshOutcome,
    Renewal, Restore, Secret, Session, Status, Tabs,
};

use super::support::*;

fn tab(tabs: Tabs) -> Session {
    let policy = Policy { tabs, renewal: Renewal::WithToken, ..Policy::default() };
    let mut tab = Session::new(policy, owes(false), at(0));
    told(&mut tab);
    tab
}

fn with_refresh_token(token: &str) -> tokenkeep::core::TokenResponse {
    let refresh_token = Some(Secret::new("refresh".to_owned()).unwrap());
    tokenkeep::core::TokenResponse { refresh_token, ..opaque(token) }
}

#[test]
fn a_page_that_starts_without_a_refresh_token_is_signed_out_and_sends_no_refresh() {
    let mut tab = tab(Tabs::Off);
    let Departure::Wait(wait) = tab.depart(ANY, at(0)) else { panic!("it may have a session") };
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Skip);
    tab.finished(wait.auth_call);
    let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
    let RefreshOutcome::Rejected(failure) = &outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.code, failure.status), (Code::SignedOut, None));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    let Departure::Send(ticket) = tab.resume(wait, &outcome, at(1)) else { panic!("it leaves") };
    assert_eq!(tab.credential(ticket), None);
}

#[test]
fn a_starting_page_listens_to_the_other_tabs_first() {
    let mut tab = tab(Tabs::Share);
    let Departure::Wait(wait) = tab.depart(ANY, at(0)) else { panic!("it may have a session") };
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Listen);
    tab.heard(renewed(1, 0, "theirs"), at(1));
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Skip);
    assert_eq!(refresh_outcome(&told(&mut tab), wait.auth_call), RefreshOutcome::Renewed);
    assert_eq!(sends(&mut tab, at(2)).1.as_deref(), Some("theirs"));
}

#[test]
fn a_page_waits_only_once_for_silent_tabs() {
    let mut tab = tab(Tabs::Share);
    let Departure::Wait(wait) = tab.depart(ANY, at(0)) else { panic!("it may have a session") };
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Listen);
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Skip);
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    tab.finished(wait.auth_call);
    told(&mut tab);
    // A later login in another tab is still heard.
    tab.heard(entered(5, "theirs"), at(5));
    assert_eq!(tab.snapshot().status, Status::SignedIn);
}

#[test]
fn a_token_that_cannot_be_renewed_is_used_to_its_end_and_beyond() {
    let mut tab = tab(Tabs::Off);
    tab.enter(opaque("only"), at(0));
    told(&mut tab);
    for ms in [0, 599_000, 700_000] {
        assert_eq!(sends(&mut tab, at(ms)).1.as_deref(), Some("only"), "{ms}");
    }
    assert_eq!(tab.renewal_due_in(0.0, at(0)), None);
    tab.renewal_timer_fired(at(599_000));
    assert!(told(&mut tab).is_empty());
    assert_eq!(tab.refresh(at(0)).unwrap_err().code, Code::SignedOut);
    assert_eq!(tab.snapshot().status, Status::SignedIn, "asking for one loses none");
}

#[test]
fn a_refused_token_that_cannot_be_renewed_ends_the_session_without_a_refresh() {
    let mut tab = tab(Tabs::Off);
    tab.enter(opaque("only"), at(0));
    let (ticket, _) = sends(&mut tab, at(1));
    told(&mut tab);
    let Departure::Wait(wait) = tab.answered(ticket, true, at(2)) else { panic!("it waits") };
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Skip);
    let effects = told(&mut tab);
    assert_eq!(sign_outs(&effects), [Reason::Rejected]);
    assert_eq!(
        tab.resume(wait, &refresh_outcome(&effects, wait.auth_call), at(3)),
        Departure::Deliver
    );
}

#[test]
fn a_refresh_without_a_new_refresh_token_keeps_the_old_one() {
    let mut tab = tab(Tabs::Off);
    tab.enter(with_refresh_token("first"), at(0));
    refreshes(&mut tab, Some(opaque("second")), at(1));
    assert_eq!(tab.refresh_token().map(Secret::reveal), Some("refresh"));
    assert!(tab.renewal_due_in(0.0, at(1)).is_some());
    let effects = refreshes(&mut tab, Some(opaque("third")), at(2));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Tell(Event::Refresh))));
}

#[test]
fn a_kept_refresh_token_is_passed_on_with_the_new_token() {
    let (mut first, mut second) = (tab(Tabs::Share), tab(Tabs::Share));
    first.enter(with_refresh_token("first"), at(0));
    told(&mut first);
    for message in posted(refreshes(&mut first, Some(opaque("second")), at(1))) {
        second.heard(message, at(2));
    }
    assert_eq!(second.refresh_token().map(Secret::reveal), Some("refresh"));
    assert!(second.refresh(at(3)).is_ok(), "it can go on by itself");
}

#[test]
fn a_tab_whose_token_has_ended_passes_its_refresh_token_on() {
    let (mut first, mut second) = (tab(Tabs::Share), tab(Tabs::Share));
    first.enter(with_refresh_token("first"), at(0));
    told(&mut first);
    // The new page has a waiting call, and listens to the other tabs first.
    let Departure::Wait(wait) = second.depart(ANY, at(700_000)) else {
        panic!("it may have a session")
    };
    assert_eq!(second.arrive(wait.auth_call, false, at(0)), Arrival::Listen);
    first.heard(Message::Ask, at(700_001));
    for message in posted(told(&mut first)) {
        second.heard(message, at(700_002));
    }
    let effects = told(&mut second);
    assert!(
        !effects.iter().any(|effect| matches!(effect, Effect::SettleRefresh(..))),
        "not served by it"
    );
    assert_eq!(second.arrive(wait.auth_call, false, at(0)), Arrival::Go);
    assert_eq!(second.refresh_token().map(Secret::reveal), Some("refresh"));
    second.refresh_answered(
        wait.auth_call,
        auth_response(200, Some(opaque("second"))),
        0.5,
        at(700_003),
    );
    let outcome = refresh_outcome(&told(&mut second), wait.auth_call);
    let Departure::Send(ticket) = second.resume(wait, &outcome, at(700_004)) else { panic!() };
    assert_eq!(second.credential(ticket).map(Secret::reveal), Some("second"));
}

#[test]
fn a_tab_whose_token_was_refused_passes_it_on_as_ended() {
    let (mut first, mut second) = (tab(Tabs::Share), tab(Tabs::Share));
    first.enter(with_refresh_token("first"), at(0));
    let (ticket, _) = sends(&mut first, at(1));
    assert!(matches!(first.answered(ticket, true, at(2)), Departure::Wait(_)));
    told(&mut first);
    first.heard(Message::Ask, at(3));
    for message in posted(told(&mut first)) {
        second.heard(message, at(4));
    }
    assert!(matches!(second.depart(ANY, at(5)), Departure::Wait(_)), "it never leaves with that");
    assert_eq!(second.renewal_due_in(0.0, at(5)), None, "nor is a renewal due before it is used");
}

#[test]
fn a_token_equal_to_the_last_one_is_a_new_generation() {
    let mut tab = tab(Tabs::Off);
    tab.enter(with_refresh_token("same"), at(0));
    let (late, _) = sends(&mut tab, at(1));
    refreshes(&mut tab, Some(opaque("same")), at(2));
    let Departure::Send(again) = tab.answered(late, true, at(3)) else { panic!("it goes again") };
    assert_eq!(tab.credential(again).map(Secret::reveal), Some("same"));
    assert_eq!(tab.answered(again, true, at(4)), Departure::Deliver, "and no more than twice");
}

#[test]
fn an_eager_page_without_a_refresh_token_is_signed_out_at_once() {
    let policy = Policy {
        tabs: Tabs::Off,
        renewal: Renewal::WithToken,
        restore: Restore::Eager,
        ..Policy::default()
    };
    let mut tab = Session::new(policy, owes(false), at(0));
    let start = told(&mut tab);
    let [Effect::Start(auth_call, _)] = start[..] else { panic!("{start:?}") };
    assert_eq!(tab.arrive(auth_call, false, at(0)), Arrival::Skip);
    assert_eq!(tab.snapshot().status, Status::SignedOut);
}

#[test]
fn without_the_session_hint_an_eager_page_refreshes_only_if_explicitly_asked() {
    let eager = || {
        let policy = Policy { restore: Restore::Eager, ..Policy::default() };
        let mut tab = Session::new(policy, owes(false), at(0));
        let start = told(&mut tab).into_iter().find_map(|effect| match effect {
            Effect::Start(auth_call, Kind::Refresh) => Some(auth_call),
            _ => None,
        });
        (tab, start.expect("it asks at once"))
    };
    let (mut tab, auth_call) = eager();
    tab.no_session_hint();
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    assert_eq!(tab.arrive(auth_call, false, at(0)), Arrival::Skip, "it is not sent");
    tab.finished(auth_call);
    assert_eq!(sends(&mut tab, at(1)).1, None);

    let (mut tab, auth_call) = eager();
    assert!(tab.refresh(at(0)).is_ok_and(|wait| wait.is_some()));
    tab.no_session_hint();
    assert_eq!(tab.arrive(auth_call, true, at(0)), Arrival::Listen);
    assert_eq!(tab.arrive(auth_call, false, at(0)), Arrival::Go, "somebody wants it");

    let (mut tab, auth_call) = eager();
    assert_eq!(tab.arrive(auth_call, false, at(0)), Arrival::Go);
    tab.no_session_hint();
    assert_eq!(tab.snapshot().status, Status::Unknown, "the server is being asked");
}
