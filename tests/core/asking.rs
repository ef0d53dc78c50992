//! The app asks for the token itself, or whether somebody is signed in.

use tokenkeep::core::{
    Arrival, Code, Departure, Effect, Failure, Message, Policy, RefreshOutcome, Resource, Restore,
    Secret, Session, Status, Step, TokenResponse, Wait,
};

use super::support::*;

fn uploads() -> Resource {
    Resource::reported("https://api.test/uploads")
}

fn secret(token: &str) -> Secret {
    Secret::new(token.to_owned()).unwrap()
}

fn signed_in() -> Session {
    let mut tab = tab();
    tab.enter(opaque("first"), at(0));
    told(&mut tab);
    tab
}

/// The app reports a refused token and asks for another.
fn reports(tab: &mut Session, token: &str, ms: u64) -> Departure {
    tab.access_token(Some((&secret(token), uploads())), at(ms))
}

fn given(tab: &mut Session, departure: &Departure) -> Option<String> {
    let Departure::Send(ticket) = departure else { panic!("{departure:?}") };
    tab.hand_out(*ticket).map(|token| token.reveal().to_owned())
}

fn waits(departure: &Departure) -> Wait {
    let Departure::Wait(wait) = departure else { panic!("{departure:?}") };
    *wait
}

fn is_answered(
    tab: &mut Session,
    wait: Wait,
    tokens: Option<TokenResponse>,
    ms: u64,
) -> RefreshOutcome {
    assert_eq!(tab.arrive(wait.auth_call, false, at(ms)), Arrival::Go);
    let status = if tokens.is_some() { 200 } else { 401 };
    tab.refresh_answered(wait.auth_call, auth_response(status, tokens), 0.5, at(ms));
    tab.finished(wait.auth_call);
    refresh_outcome(&told(tab), wait.auth_call)
}

#[test]
fn a_refused_token_is_not_given_again_and_all_reports_share_one_refresh() {
    let mut tab = signed_in();
    let all: Vec<Wait> = (10..15).map(|ms| waits(&reports(&mut tab, "first", ms))).collect();
    assert!(all.iter().all(|wait| wait.auth_call == all[0].auth_call));
    let outcome = is_answered(&mut tab, all[0], Some(opaque("second")), 20);
    for wait in all {
        let departure = tab.resume(wait, &outcome, at(21));
        assert_eq!(given(&mut tab, &departure).as_deref(), Some("second"));
    }
    // A late report.
    let late = reports(&mut tab, "first", 30);
    assert_eq!(given(&mut tab, &late).as_deref(), Some("second"));
    assert!(told(&mut tab).is_empty());
}

#[test]
fn a_resource_that_also_refuses_the_newer_token_means_forbidden() {
    let mut tab = signed_in();
    let wait = waits(&reports(&mut tab, "first", 10));
    let outcome = is_answered(&mut tab, wait, Some(opaque("second")), 20);
    let departure = tab.resume(wait, &outcome, at(21));
    assert_eq!(given(&mut tab, &departure).as_deref(), Some("second"));
    let Departure::Fail(failure) = reports(&mut tab, "second", 30) else { panic!("it fails") };
    assert_eq!(failure.code, Code::Forbidden);
    assert!(told(&mut tab).is_empty(), "nobody is asked");
    // Other resources still get the token, and their refusals are worth a refresh.
    let other = tab.access_token(None, at(31));
    assert_eq!(given(&mut tab, &other).as_deref(), Some("second"));
    let items = Resource::reported("https://api.test/items");
    assert!(matches!(
        tab.access_token(Some((&secret("second"), items)), at(32)),
        Departure::Wait(_)
    ));
}

#[test]
fn a_report_after_the_session_was_refused_gets_no_token() {
    let mut tab = signed_in();
    let wait = waits(&reports(&mut tab, "first", 10));
    let outcome = is_answered(&mut tab, wait, None, 20);
    assert_eq!(tab.resume(wait, &outcome, at(21)), Departure::Deliver);
    assert_eq!(tab.status(), Status::SignedOut);
}

#[test]
fn reporting_a_former_users_token_gets_no_token_of_the_next_user() {
    let mut tab = signed_in();
    let wait = waits(&reports(&mut tab, "first", 10));
    is_answered(&mut tab, wait, Some(opaque("second")), 20);
    tab.enter(opaque("bobs"), at(30));
    for token in ["first", "second", "nobodys"] {
        let Departure::Fail(failure) = reports(&mut tab, token, 40) else { panic!("{token}") };
        assert_eq!(failure.code, Code::SessionChanged);
    }
    tab.logout(false, at(50));
    let departure = reports(&mut tab, "bobs", 60);
    assert_eq!(given(&mut tab, &departure), None, "nobody is signed in");
}

#[test]
fn a_late_report_is_counted_once() {
    let mut tab = signed_in();
    for _ in 0..2 {
        let asked = tab.access_token(None, at(1));
        given(&mut tab, &asked);
    }
    // One of the two reports its token this way, and the other calls `refresh`.
    let wait = waits(&reports(&mut tab, "first", 10));
    is_answered(&mut tab, wait, Some(opaque("second")), 20);
    assert_eq!(tab.refresh(at(30)), Ok(None));
    assert!(matches!(tab.refresh(at(40)), Ok(Some(_))));
}

#[test]
fn peek_returns_a_good_token_and_never_refreshes() {
    let mut tab = signed_in();
    assert_eq!(tab.peek(at(1)).as_ref().map(Secret::reveal), Some("first"));
    assert!(tab.peek(at(600_000)).is_none(), "it has ended");
    reports(&mut tab, "first", 10);
    assert!(tab.peek(at(11)).is_none(), "it was refused");
    assert!(super::support::tab().peek(at(0)).is_none());
}

#[test]
fn known_refreshes_once_and_not_at_all_if_the_status_is_known() {
    let mut tab = tab();
    let [one, other] = [1, 2].map(|ms| tab.known(at(ms)).unwrap().unwrap());
    assert_eq!(one.auth_call, other.auth_call);
    is_answered(&mut tab, one, None, 10);
    assert_eq!(tab.status(), Status::SignedOut);
    assert_eq!(tab.known(at(20)), Ok(None));
    let mut signed_in = signed_in();
    // It does not matter whether the token is still good.
    assert_eq!(signed_in.known(at(700_000)), Ok(None));
    assert!(told(&mut signed_in).is_empty());
}

/// What becomes of whoever waits for this refresh, by its outcome.
fn ends_with(tab: &mut Session, wait: Wait, outcome: &RefreshOutcome) -> Option<Code> {
    match tab.resume(wait, outcome, at(100)) {
        Departure::Deliver => None,
        Departure::Fail(failure) => Some(failure.code),
        departure => panic!("{departure:?}"),
    }
}

#[test]
fn a_refresh_that_was_asked_for_ends_as_the_refresh_does() {
    let mut tab = signed_in();
    let wait = tab.refresh(at(20_000)).unwrap().unwrap();
    let failure = |code| Failure::new(code, Step::Refresh);
    for (outcome, ends) in [
        (RefreshOutcome::Renewed, None),
        (RefreshOutcome::Rejected(failure(Code::Rejected)), Some(Code::Rejected)),
        (RefreshOutcome::Failed(failure(Code::Network)), Some(Code::Network)),
        (RefreshOutcome::Void, Some(Code::SessionChanged)),
    ] {
        assert_eq!(ends_with(&mut tab, wait, &outcome), ends, "{outcome:?}");
    }
}

#[test]
fn to_known_is_answered_by_whatever_tells() {
    let rejected = RefreshOutcome::Rejected(Failure::new(Code::Rejected, Step::Refresh));
    let failed = RefreshOutcome::Failed(Failure::new(Code::Network, Step::Refresh));
    let mut tab = tab();
    let wait = tab.known(at(1)).unwrap().unwrap();
    assert_eq!(ends_with(&mut tab, wait, &RefreshOutcome::Renewed), None);
    assert_eq!(ends_with(&mut tab, wait, &failed), Some(Code::Network), "nothing is known");
    // A sign-in elsewhere: whether it is good is not known yet.
    tab.signed_in(at(2));
    let Departure::Wait(again) = tab.resume(wait, &RefreshOutcome::Void, at(3)) else {
        panic!("it asks once more")
    };
    tab.finished(wait.auth_call);
    is_answered(&mut tab, again, None, 10);
    for outcome in [rejected, failed, RefreshOutcome::Void] {
        assert_eq!(ends_with(&mut tab, again, &outcome), None, "nobody is signed in: {outcome:?}");
    }
}

#[test]
fn what_is_disposed_of_asks_nobody_to_know() {
    let mut tab = tab();
    let wait = tab.known(at(1)).unwrap().unwrap();
    tab.dispose();
    told(&mut tab);
    assert_eq!(ends_with(&mut tab, wait, &RefreshOutcome::Void), Some(Code::Disposed));
    assert!(told(&mut tab).is_empty());
}

#[test]
fn known_sends_no_refresh_where_the_app_restores_by_itself() {
    let policy = Policy { restore: Restore::Manual, ..Policy::default() };
    let mut tab = Session::new(policy, owes(false), at(0));
    assert_eq!(tab.known(at(1)), Ok(None));
    assert_eq!(tab.status(), Status::Unknown);
}

#[test]
fn the_session_end_is_reported_kept_and_forgotten() {
    let lasting = |token, session_life| TokenResponse { session_life, ..opaque(token) };
    let mut tab = tab();
    tab.enter(lasting("first", Some(1_800_000)), at(0));
    let ends = |tab: &Session| tab.snapshot().session_expires_at.map(|at| at - START);
    assert_eq!(ends(&tab), Some(1_800_000));
    // As with a refresh token, an answer that omits it leaves it unchanged.
    refreshes(&mut tab, Some(opaque("second")), at(10));
    assert_eq!(ends(&tab), Some(1_800_000));
    refreshes(&mut tab, Some(lasting("third", Some(1_800_000))), at(100));
    assert_eq!(ends(&tab), Some(1_800_100));
    // A starting tab learns it.
    let mut other = super::support::tab();
    tab.heard(Message::Ask, at(1_100));
    for message in posted(told(&mut tab)) {
        other.heard(message, at(1_100));
    }
    assert_eq!(ends(&other), Some(1_800_100));
    tab.logout(false, at(2_000));
    assert_eq!(ends(&tab), None);
    tab.enter(opaque("another"), at(3_000));
    assert_eq!(ends(&tab), None);
}

#[test]
fn a_token_that_is_only_peeked_at_is_renewed_before_its_end() {
    let mut tab = signed_in();
    assert!(tab.peek(at(1)).is_some());
    // A tenth of its life before its end, at most half a minute.
    assert!(tab.renewal_due_in(0.5, at(1)).is_some());
    tab.renewal_timer_fired(at(595_000));
    let starts = |effect: &Effect| matches!(effect, Effect::Start(..));
    assert_eq!(told(&mut tab).iter().filter(|effect| starts(effect)).count(), 1);
}

#[test]
fn an_outage_keeps_the_report_of_a_token_near_its_end() {
    let mut tab = signed_in();
    let wait = waits(&reports(&mut tab, "first", 595_000));
    assert_eq!(tab.arrive(wait.auth_call, false, at(595_001)), Arrival::Go);
    tab.refresh_failed(wait.auth_call, Code::Network, 0.0, at(595_002));
    tab.finished(wait.auth_call);
    let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
    let Departure::Fail(failure) = tab.resume(wait, &outcome, at(595_003)) else {
        panic!("what was refused is not given again")
    };
    assert_eq!(failure.code, Code::Network);
    assert!(tab.peek(at(595_004)).is_none());
}

#[test]
fn a_url_that_refuses_a_token_near_its_end_and_the_next_one_means_forbidden() {
    let mut tab = signed_in();
    let wait = waits(&reports(&mut tab, "first", 595_000));
    is_answered(&mut tab, wait, Some(opaque("second")), 595_010);
    let Departure::Fail(failure) = reports(&mut tab, "second", 595_020) else { panic!("it fails") };
    assert_eq!(failure.code, Code::Forbidden);
    assert!(told(&mut tab).is_empty());
}

#[test]
fn a_report_of_a_token_past_its_end_does_not_count_for_an_earlier_one() {
    let mut tab = signed_in();
    let asked = tab.access_token(None, at(1));
    given(&mut tab, &asked);
    let wait = waits(&reports(&mut tab, "first", 600_000));
    is_answered(&mut tab, wait, Some(opaque("second")), 600_010);
    assert!(matches!(tab.refresh(at(600_020)), Ok(Some(_))));
}

#[test]
fn resources_reported_by_the_app_are_not_watched_for_in_answers() {
    let mut tab = signed_in();
    let wait = waits(&reports(&mut tab, "first", 10));
    is_answered(&mut tab, wait, Some(opaque("second")), 20);
    assert!(!tab.watches_resources(), "a request can leave at once again");
    assert!(matches!(reports(&mut tab, "second", 30), Departure::Fail(_)));
    assert!(!tab.watches_resources());
}

#[test]
fn a_token_from_many_renewals_ago_is_still_known_as_one_of_this_session() {
    let mut tab = signed_in();
    for n in 0..64 {
        refreshes(&mut tab, Some(opaque(&format!("token{n}"))), at(20_000 * (n + 1)));
    }
    let late = reports(&mut tab, "first", 1_300_000);
    assert_eq!(given(&mut tab, &late).as_deref(), Some("token63"));
}

#[test]
fn the_refused_token_is_not_handed_over() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(1));
    let refused = secret("first");
    let failure = tab.hand_over(Departure::Send(ticket), Some(&refused)).unwrap_err();
    assert_eq!(failure.code, Code::Forbidden);
    let token = tab.hand_over(Departure::Send(ticket), None).unwrap();
    assert_eq!(token.reveal(), "first");
    let changed = tab.hand_over(Departure::Deliver, None).unwrap_err();
    assert_eq!(changed.code, Code::SessionChanged);
    tab.logout(false, at(2));
    for departure in [Departure::Send(ticket), Departure::Deliver] {
        assert_eq!(tab.hand_over(departure, None).unwrap_err().code, Code::SignedOut);
    }
}
