//! Answers to requests, other than a plain 401: they end the session, ask for more, bring a new token, or
//! never come. The request may be older than the session, or belong to it.

use tokenkeep::core::{
    AnswerRule, Arrival, Classification, Departure, Effect, Event, Kind, Policy, Reason,
    RefreshOutcome, RuleKind, Rules, Secret, Session, Status, Tabs, Unanswered,
};

use super::support::*;

fn signed_in() -> Session {
    let mut tab = tab_that(Tabs::Off, false);
    tab.enter(opaque("first"), at(0));
    told(&mut tab);
    tab
}

fn token(tab: &mut Session, ms: u64) -> Option<String> {
    sends(tab, at(ms)).1
}

#[test]
fn an_ended_session_is_reported_once_and_causes_no_refresh() {
    let mut tab = signed_in();
    let (one, _) = sends(&mut tab, at(1));
    let (other, _) = sends(&mut tab, at(1));
    assert_eq!(tab.classified(one, 200, Classification::Ended, true, at(2)), Departure::Deliver);
    assert_eq!(tab.classified(other, 200, Classification::Ended, true, at(3)), Departure::Deliver);
    let effects = told(&mut tab);
    assert_eq!(sign_outs(&effects), [Reason::Ended]);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Start(..))), "{effects:?}");
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    assert_eq!(token(&mut tab, 4), None);
}

#[test]
fn ended_in_answer_to_an_older_token_counts_as_a_late_401() {
    let mut tab = signed_in();
    let (late, _) = sends(&mut tab, at(1));
    refreshes(&mut tab, Some(opaque("second")), at(2));
    let Departure::Send(again) = tab.classified(late, 200, Classification::Ended, true, at(3))
    else {
        panic!("it goes again")
    };
    assert_eq!(tab.credential(again).map(Secret::reveal), Some("second"));
    assert!(sign_outs(&told(&mut tab)).is_empty());
    // The newer token has ended, too.
    assert_eq!(tab.classified(again, 200, Classification::Ended, true, at(4)), Departure::Deliver);
    assert_eq!(sign_outs(&told(&mut tab)), [Reason::Ended]);
}

#[test]
fn an_answer_about_the_last_users_session_does_not_end_this_one() {
    let mut tab = signed_in();
    let (late, _) = sends(&mut tab, at(1));
    tab.logout(false, at(2));
    tab.enter(opaque("bob"), at(3));
    told(&mut tab);
    assert_eq!(tab.classified(late, 200, Classification::Ended, true, at(4)), Departure::Deliver);
    assert!(told(&mut tab).is_empty());
    assert_eq!(token(&mut tab, 5).as_deref(), Some("bob"));
}

#[test]
fn an_ended_session_cancels_the_wanted_refresh() {
    let mut tab = signed_in();
    let (one, _) = sends(&mut tab, at(1));
    let Departure::Wait(wait) = tab.answered(one, true, at(2)) else { panic!("it waits") };
    let Departure::Deliver = tab.classified(one, 200, Classification::Ended, true, at(3)) else {
        panic!("it ends")
    };
    assert_eq!(refresh_outcome(&told(&mut tab), wait.auth_call), RefreshOutcome::Void);
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Skip, "nothing is sent");
    assert_eq!(tab.resume(wait, &RefreshOutcome::Void, at(4)), Departure::Deliver);
}

#[test]
fn an_ended_session_stays_ended_when_a_refresh_on_the_wire_is_answered() {
    let mut tab = signed_in();
    let (one, _) = sends(&mut tab, at(1));
    let auth_call = goes(&mut tab, at(2));
    tab.classified(one, 200, Classification::Ended, true, at(3));
    tab.refresh_answered(auth_call, auth_response(200, Some(opaque("late"))), 0.5, at(4));
    tab.finished(auth_call);
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    assert_eq!(token(&mut tab, 5), None);
}

#[test]
fn only_answers_to_this_session_can_ask_for_a_step_up() {
    let mut tab = signed_in();
    let (late, _) = sends(&mut tab, at(1));
    let more = || Classification::StepUp(Vec::new());
    assert_eq!(tab.classified(late, 200, more(), true, at(2)), Departure::Deliver);
    let effects = told(&mut tab);
    assert!(matches!(effects[..], [Effect::Tell(Event::StepUp(_))]), "{effects:?}");
    assert_eq!(token(&mut tab, 3).as_deref(), Some("first"), "nobody is signed out by it");
    tab.enter(opaque("bob"), at(4));
    told(&mut tab);
    assert_eq!(tab.classified(late, 200, more(), true, at(5)), Departure::Deliver);
    assert!(told(&mut tab).is_empty());
}

#[test]
fn a_token_in_an_answer_is_taken_only_if_the_request_had_the_newest_token() {
    let mut tab = signed_in();
    let (one, _) = sends(&mut tab, at(1));
    let (other, _) = sends(&mut tab, at(1));
    tab.adopt(one, opaque("second"), at(2));
    let effects = told(&mut tab);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Tell(Event::Refresh))));
    tab.adopt(other, opaque("stale"), at(3));
    assert!(told(&mut tab).is_empty());
    let (newest, held) = sends(&mut tab, at(4));
    assert_eq!(held.as_deref(), Some("second"));
    tab.adopt(newest, opaque("second"), at(5));
    assert!(told(&mut tab).is_empty(), "the token that is there is no news");
}

#[test]
fn a_token_in_an_answer_enters_no_other_session_and_starts_none() {
    let mut tab = signed_in();
    let (late, _) = sends(&mut tab, at(1));
    tab.logout(false, at(2));
    tab.adopt(late, opaque("alice"), at(3));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    tab.enter(opaque("bob"), at(4));
    tab.adopt(late, opaque("alice"), at(5));
    assert_eq!(token(&mut tab, 6).as_deref(), Some("bob"));
    let (nobodys, _) = sends(&mut tab_that(Tabs::Off, true), at(0));
    tab.adopt(nobodys, opaque("alice"), at(7));
    assert_eq!(token(&mut tab, 8).as_deref(), Some("bob"));
}

#[test]
fn a_token_in_an_answer_serves_waiting_calls_and_other_tabs() {
    let mut tab = tab_that(Tabs::Share, false);
    tab.enter(opaque("first"), at(0));
    told(&mut tab);
    let (one, _) = sends(&mut tab, at(1));
    let (other, _) = sends(&mut tab, at(1));
    let Departure::Wait(wait) = tab.answered(one, true, at(2)) else { panic!("it waits") };
    tab.adopt(other, opaque("second"), at(3));
    let effects = told(&mut tab);
    assert_eq!(refresh_outcome(&effects, wait.auth_call), RefreshOutcome::Renewed);
    assert_eq!(posted(effects).len(), 1);
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Skip);
    let Departure::Send(again) = tab.resume(wait, &RefreshOutcome::Renewed, at(4)) else {
        panic!("it goes again")
    };
    assert_eq!(tab.credential(again).map(Secret::reveal), Some("second"));
}

#[test]
fn a_token_in_an_answer_does_not_undo_a_login_in_another_tab() {
    let (mut here, mut there) = (tab_that(Tabs::Share, false), tab_that(Tabs::Share, false));
    for message in posted(refreshes(&mut here, Some(opaque("alices")), at(10))) {
        there.heard(message, at(11));
    }
    let (ticket, _) = sends(&mut here, at(20));
    there.enter(opaque("bobs"), at(30));
    let late = posted(told(&mut there));
    here.adopt(ticket, opaque("alices-next"), at(40));
    posted(told(&mut here)).into_iter().for_each(|message| there.heard(message, at(41)));
    assert_eq!(token(&mut there, 42).as_deref(), Some("bobs"));
    late.into_iter().for_each(|message| here.heard(message, at(43)));
    assert_eq!(token(&mut here, 44).as_deref(), Some("bobs"));
}

#[test]
fn no_answer_may_mean_a_refused_token_if_it_has_ended_or_was_replaced() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(1));
    assert!(!tab.may_be_refused(ticket, at(599_999)));
    assert!(tab.may_be_refused(ticket, at(600_000)));
    refreshes(&mut tab, Some(opaque("second")), at(2));
    assert!(tab.may_be_refused(ticket, at(3)), "there is a newer one");
    let mut endless = opaque("endless");
    endless.life = None;
    tab.enter(endless, at(4));
    let (ticket, _) = sends(&mut tab, at(5));
    assert!(tab.may_be_refused(ticket, at(6)), "nobody knows its end");
    tab.logout(false, at(7));
    assert!(!tab.may_be_refused(ticket, at(8)));
}

/// A request that comes to nothing: of this method, by the caller's abort or not, and it could be sent again or not.
fn silence(method: &str, is_aborted: bool, is_repeatable: bool) -> Unanswered<'_> {
    Unanswered::Silence { method, is_aborted, is_repeatable }
}

fn hears_silence() -> Rules {
    let silent = AnswerRule { network_error: true, ..AnswerRule::default() };
    Rules::new(vec![(RuleKind::Unauthorized, silent)])
}

#[test]
fn silence_counts_as_a_refusal_where_a_rule_says_so_and_sending_again_harms_nobody() {
    for (rules, why, is_refused) in [
        (hears_silence(), silence("GET", false, true), true),
        (hears_silence(), silence("POST", false, true), false),
        (hears_silence(), silence("GET", true, true), false),
        (Rules::default(), silence("GET", false, true), false),
    ] {
        let policy = Policy { rules, ..Policy::default() };
        let mut tab = Session::new(policy, owes(false), at(0));
        tab.enter(opaque("first"), at(0));
        let (ticket, _) = sends(&mut tab, at(1));
        assert_eq!(tab.unanswered(ticket, why, at(599_999)), None, "{why:?}: the token is good");
        let waits = matches!(tab.unanswered(ticket, why, at(600_000)), Some(Departure::Wait(_)));
        assert_eq!(waits, is_refused, "{why:?}");
    }
}

#[test]
fn silence_at_what_can_be_sent_once_is_refreshed_for_and_told() {
    let mut tab =
        Session::new(Policy { rules: hears_silence(), ..Policy::default() }, owes(false), at(0));
    tab.enter(opaque("first"), at(0));
    let (ticket, _) = sends(&mut tab, at(1));
    told(&mut tab);
    let why = silence("GET", false, false);
    assert_eq!(tab.unanswered(ticket, why, at(600_000)), Some(Departure::Deliver));
    assert!(matches!(told(&mut tab)[..], [Effect::Start(_, Kind::Refresh)]));
}

#[test]
fn a_token_whose_key_is_gone_is_as_good_as_refused_whatever_the_rules_say() {
    let mut tab = signed_in();
    let (ticket, _) = sends(&mut tab, at(1));
    let Some(Departure::Wait(wait)) = tab.unanswered(ticket, Unanswered::NoKey, at(2)) else {
        panic!("it waits for a token of the key that is there")
    };
    refreshes(&mut tab, Some(opaque("second")), at(3));
    let Departure::Send(again) = tab.resume(wait, &RefreshOutcome::Renewed, at(4)) else {
        panic!("it is sent again")
    };
    assert_eq!(tab.unanswered(again, Unanswered::NoKey, at(5)), Some(Departure::Deliver));
}
