//! Sessions that begin elsewhere, and which tokens may answer an explicit `refresh()`.

use tokenkeep::core::{
    Arrival, Code, Departure, Effect, HybridTime, Kind, Message, Owed, Policy, Reason,
    RefreshOutcome, Restore, Secret, Session, Status, Tabs, TokenResponse,
};

use super::support::*;

fn of(user: &str, token: &str) -> TokenResponse {
    TokenResponse { subject: Some(user.to_owned()), ..opaque(token) }
}

fn asked_at(ms: u64, asked: u64, tokens: TokenResponse) -> Message {
    Message::Renewed { stamp: stamp(ms), session: HybridTime(0), asked: stamp(asked), tokens }
}

/// Delivers one tab's messages to another.
fn tells(one: &mut Session, other: &mut Session, ms: u64) {
    posted(told(one)).into_iter().for_each(|message| other.heard(message, at(ms)));
}

fn marks(effects: &[Effect]) -> Vec<bool> {
    let mark = |effect: &Effect| if let Effect::Owe(owed) = effect { Some(*owed) } else { None };
    effects.iter().filter_map(mark).collect()
}

fn begins(owed: Owed) -> (Session, Vec<Effect>) {
    let mut tab = Session::new(Policy::default(), owed, at(0));
    let effects = told(&mut tab);
    (tab, effects)
}

#[test]
fn refresh_is_not_answered_by_a_token_requested_before_the_call() {
    for asked in [5, 10] {
        let mut tab = tab();
        let wait = tab.refresh(at(10)).unwrap().unwrap();
        tab.heard(asked_at(20, asked, opaque("theirs")), at(21));
        let effects = told(&mut tab);
        assert!(
            !effects.iter().any(|effect| matches!(effect, Effect::SettleRefresh(..))),
            "{asked}"
        );
        assert_eq!(tab.arrive(wait.auth_call, false, at(22)), Arrival::Go, "{asked}");
    }
}

#[test]
fn refresh_is_answered_by_another_tabs_refresh_sent_after_the_call() {
    let mut tab = tab();
    let wait = tab.refresh(at(10)).unwrap().unwrap();
    tab.heard(asked_at(20, 11, opaque("theirs")), at(21));
    assert_eq!(refresh_outcome(&told(&mut tab), wait.auth_call), RefreshOutcome::Renewed);
    assert_eq!(tab.arrive(wait.auth_call, false, at(22)), Arrival::Skip);
}

#[test]
fn refresh_is_not_answered_by_a_token_from_an_answer_or_from_the_app() {
    for by_app in [false, true] {
        let mut tab = tab();
        tab.enter(of("ada", "first"), at(0));
        let (ticket, _) = sends(&mut tab, at(1));
        let wait = tab.refresh(at(10)).unwrap().unwrap();
        told(&mut tab);
        if by_app {
            tab.set_tokens(of("ada", "second"), at(11));
        } else {
            tab.adopt(ticket, of("ada", "second"), at(11));
        }
        assert_eq!(sends(&mut tab, at(12)).1.as_deref(), Some("second"));
        assert_eq!(tab.arrive(wait.auth_call, false, at(12)), Arrival::Go, "by the app: {by_app}");
        // The refusal concerns the token that is current when the refresh is sent.
        tab.refresh_answered(wait.auth_call, auth_response(401, None), 0.5, at(13));
        assert_eq!(tab.snapshot().status, Status::SignedOut);
    }
}

#[test]
fn a_late_report_of_a_handed_out_and_replaced_token_causes_no_refresh() {
    let mut tab = tab();
    tab.enter(opaque("first"), at(0));
    let (ticket, _) = sends(&mut tab, at(1));
    for _ in 0..3 {
        assert_eq!(tab.hand_out(ticket).as_ref().map(Secret::reveal), Some("first"));
    }
    // The first report causes the refresh; the other two come after its answer.
    refreshes(&mut tab, Some(opaque("second")), at(10));
    assert_eq!(tab.refresh(at(20)), Ok(None));
    assert_eq!(tab.refresh(at(30)), Ok(None));
    assert!(told(&mut tab).is_empty());
    assert!(matches!(tab.refresh(at(40)), Ok(Some(_))), "all have been told of");
}

#[test]
fn a_report_long_after_the_renewal_causes_a_refresh() {
    let mut tab = tab();
    tab.enter(opaque("first"), at(0));
    let (ticket, _) = sends(&mut tab, at(1));
    tab.hand_out(ticket);
    tab.hand_out(ticket);
    refreshes(&mut tab, Some(opaque("second")), at(10));
    assert!(matches!(tab.refresh(at(10_010)), Ok(Some(_))));
    assert_eq!(tab.hand_out(ticket), None, "it is not the token of now");
}

#[test]
fn a_newer_token_of_the_same_user_from_the_app_renews_and_voids_nothing() {
    let (mut here, mut there) = (tab(), tab());
    here.enter(of("ada", "first"), at(0));
    tells(&mut here, &mut there, 1);
    let (one, _) = sends(&mut here, at(2));
    let (other, _) = sends(&mut there, at(2));
    told(&mut there);
    let epoch = there.epoch();
    here.set_tokens(of("ada", "second"), at(10));
    tells(&mut here, &mut there, 11);
    assert_eq!(there.epoch(), epoch);
    for (tab, ticket) in [(&mut here, one), (&mut there, other)] {
        let Departure::Send(again) = tab.answered(ticket, true, at(20)) else {
            panic!("it goes again")
        };
        assert_eq!(tab.credential(again).map(Secret::reveal), Some("second"));
    }
}

#[test]
fn a_token_of_another_user_from_the_app_begins_a_session() {
    let mut tab = tab();
    tab.enter(of("ada", "adas"), at(0));
    let (ticket, _) = sends(&mut tab, at(1));
    tab.set_tokens(of("bob", "bobs"), at(10));
    assert_eq!(tab.answered(ticket, true, at(11)), Departure::Deliver);
    let effects = posted(told(&mut tab));
    assert!(matches!(effects[..], [.., Message::Entered { .. }]), "{effects:?}");
}

#[test]
fn an_older_token_of_the_same_user_from_the_app_is_accepted() {
    let mut tab = tab();
    tab.enter(TokenResponse { issued: Some(2_000), ..of("ada", "newer") }, at(0));
    tab.set_tokens(TokenResponse { issued: Some(1_000), ..of("ada", "older") }, at(10));
    assert_eq!(sends(&mut tab, at(11)).1.as_deref(), Some("older"));
}

#[test]
fn a_login_of_the_same_user_in_another_tab_voids_nothing_and_shares_its_token() {
    let (mut here, mut there) = (tab(), tab());
    here.enter(TokenResponse { issued: Some(9_000), ..of("ada", "first") }, at(0));
    let (ticket, _) = sends(&mut here, at(1));
    told(&mut here);
    // The servers' clocks may differ: the login is news all the same.
    there.enter(TokenResponse { issued: Some(8_000), ..of("ada", "second") }, at(10));
    tells(&mut there, &mut here, 11);
    let Departure::Send(again) = here.answered(ticket, true, at(20)) else {
        panic!("it goes again")
    };
    assert_eq!(here.credential(again).map(Secret::reveal), Some("second"));
    assert!(sign_outs(&told(&mut here)).is_empty());
}

#[test]
fn a_sign_in_elsewhere_begins_an_epoch_in_all_tabs_and_the_server_is_asked() {
    let (mut here, mut there) = (tab(), tab());
    here.enter(of("ada", "adas"), at(0));
    tells(&mut here, &mut there, 1);
    let tickets = [sends(&mut here, at(2)).0, sends(&mut there, at(2)).0];
    here.signed_in(at(10));
    tells(&mut here, &mut there, 11);
    for (tab, ticket) in [&mut here, &mut there].into_iter().zip(tickets) {
        assert_eq!(tab.snapshot().status, Status::Unknown);
        assert_eq!(tab.answered(ticket, true, at(12)), Departure::Deliver);
        assert!(matches!(tab.depart(ANY, at(13)), Departure::Wait(_)));
        assert!(sign_outs(&told(tab)).is_empty());
    }
}

#[test]
fn after_a_sign_in_elsewhere_no_older_token_of_another_tab_is_taken() {
    // Also if the token is heard of before the sign-in, and in the tab that was only told of it.
    let tokens = || of("ada", "adas");
    let (mut here, mut told_of_it, mut late) = (tab(), tab(), tab());
    here.signed_in(at(10));
    for message in posted(told(&mut here)) {
        told_of_it.heard(message.clone(), at(11));
        late.heard(asked_at(15, 9, tokens()), at(15));
        late.heard(message, at(16));
    }
    for tab in [&mut here, &mut told_of_it] {
        tab.heard(asked_at(15, 9, tokens()), at(16));
    }
    for tab in [&mut here, &mut told_of_it, &mut late] {
        assert_eq!(tab.snapshot().status, Status::Unknown);
        let Departure::Wait(wait) = tab.depart(ANY, at(20)) else { panic!("it asks") };
        assert_eq!(tab.arrive(wait.auth_call, false, at(20)), Arrival::Go);
    }
}

#[test]
fn after_a_sign_in_elsewhere_a_token_requested_since_is_taken() {
    let mut tab = tab();
    tab.signed_in(at(10));
    let Departure::Wait(wait) = tab.depart(ANY, at(11)) else { panic!("it asks") };
    tab.heard(asked_at(20, 12, of("bob", "bobs")), at(21));
    assert_eq!(refresh_outcome(&told(&mut tab), wait.auth_call), RefreshOutcome::Renewed);
    assert_eq!(sends(&mut tab, at(22)).1.as_deref(), Some("bobs"));
}

#[test]
fn a_sign_in_elsewhere_cancels_a_pending_logout() {
    let (mut tab, effects) = begins(Owed::Finish);
    let start = effects.iter().find_map(|effect| match effect {
        Effect::Start(auth_call, Kind::Logout) => Some(*auth_call),
        _ => None,
    });
    tab.signed_in(at(1));
    assert_eq!(marks(&told(&mut tab)), [false]);
    assert_eq!(tab.arrive(start.unwrap(), false, at(2)), Arrival::Skip);
    tab.finished(start.unwrap());
    refreshes(&mut tab, Some(opaque("new")), at(3));
    assert_eq!(tab.snapshot().status, Status::SignedIn);
}

#[test]
fn an_eager_page_refreshes_at_once_after_a_sign_in_elsewhere() {
    let policy = Policy { restore: Restore::Eager, tabs: Tabs::Off, ..Policy::default() };
    let mut tab = Session::new(policy, Owed::Untold, at(0));
    told(&mut tab);
    tab.signed_in(at(1));
    assert!(told(&mut tab).iter().any(|effect| matches!(effect, Effect::Start(_, Kind::Refresh))));
}

#[test]
fn a_logout_in_doubt_is_not_sent_and_an_explicit_refresh_may_find_the_session() {
    let (mut tab, effects) = begins(Owed::InDoubt);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Start(..))), "{effects:?}");
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    assert_eq!(sends(&mut tab, at(1)).1, None, "a call asks nobody");
    let effects = refreshes(&mut tab, Some(opaque("new")), at(2));
    assert_eq!(marks(&effects), [false]);
    assert_eq!(sends(&mut tab, at(3)).1.as_deref(), Some("new"));
}

#[test]
fn a_logout_in_doubt_stays_marked_if_there_is_no_session() {
    let (mut tab, _) = begins(Owed::InDoubt);
    assert!(marks(&refreshes(&mut tab, None, at(2))).is_empty());
    assert_eq!(tab.snapshot().status, Status::SignedOut);
}

#[test]
fn a_logout_that_cannot_be_finished_leaves_the_user_signed_out() {
    let (mut tab, effects) = begins(Owed::Untold);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Start(..))), "{effects:?}");
    assert_eq!(tab.refresh(at(1)).unwrap_err().code, Code::SignedOut);
    tab.heard(renewed(5, 3, "whose"), at(6));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
}

#[test]
fn a_page_with_a_pending_logout_joins_another_tabs_sign_in_and_its_renewals() {
    for owed in [Owed::Untold, Owed::InDoubt] {
        let (mut tab, _) = begins(owed);
        tab.heard(entered(10, "first"), at(11));
        assert_eq!(sends(&mut tab, at(12)).1.as_deref(), Some("first"));
        tab.heard(renewed(20, 10, "second"), at(21));
        assert_eq!(sends(&mut tab, at(22)).1.as_deref(), Some("second"), "{owed:?}");
    }
}

#[test]
fn waiting_tabs_hear_of_a_refusal_and_do_not_use_the_cookie_again() {
    for tabs in [Tabs::Share, Tabs::Lock] {
        let (mut first, mut second) = (tab_that(tabs, false), tab_that(tabs, false));
        let Departure::Wait(wait) = second.depart(ANY, at(5)) else { panic!("it waits") };
        told(&mut second);
        let effects = refreshes(&mut first, None, at(10));
        posted(effects).into_iter().for_each(|message| second.heard(message, at(11)));
        let effects = told(&mut second);
        assert!(
            matches!(refresh_outcome(&effects, wait.auth_call), RefreshOutcome::Rejected(_)),
            "{tabs:?}"
        );
        assert_eq!(second.arrive(wait.auth_call, true, at(12)), Arrival::Skip, "{tabs:?}");
        assert_eq!(second.snapshot().status, Status::SignedOut);
    }
}

#[test]
fn a_refusal_in_another_tab_ends_only_a_session_with_a_waiting_call_and_once() {
    let refused =
        || Message::Refused { stamp: stamp(30), session: HybridTime(0), asked: stamp(20) };
    let mut idle = tab();
    refreshes(&mut idle, Some(opaque("token")), at(0));
    idle.heard(refused(), at(31));
    assert_eq!(idle.snapshot().status, Status::SignedIn, "nobody waits");
    let mut waits = tab();
    refreshes(&mut waits, Some(opaque("token")), at(0));
    let (ticket, _) = sends(&mut waits, at(1));
    assert!(matches!(waits.answered(ticket, true, at(2)), Departure::Wait(_)));
    told(&mut waits);
    waits.heard(refused(), at(31));
    waits.heard(refused(), at(32));
    assert_eq!(sign_outs(&told(&mut waits)), [Reason::Rejected]);
}

#[test]
fn a_refusal_of_an_earlier_request_answers_neither_refresh_nor_another_session() {
    let refused = |ms, asked| Message::Refused {
        stamp: stamp(ms),
        session: HybridTime(0),
        asked: stamp(asked),
    };
    let mut asks = tab();
    let wait = asks.refresh(at(10)).unwrap().unwrap();
    asks.heard(refused(15, 9), at(16));
    assert_eq!(asks.arrive(wait.auth_call, false, at(17)), Arrival::Go);
    let mut elsewhere = tab();
    elsewhere.signed_in(at(10));
    let Departure::Wait(wait) = elsewhere.depart(ANY, at(11)) else { panic!("it asks") };
    elsewhere.heard(refused(15, 9), at(16));
    assert_eq!(elsewhere.arrive(wait.auth_call, false, at(17)), Arrival::Go);
}

#[test]
fn a_token_of_another_user_replaces_the_refresh_token_and_settles_waiting_calls() {
    let with = |tokens: TokenResponse| TokenResponse {
        refresh_token: Some(Secret::new("adas-refresh".to_owned()).unwrap()),
        ..tokens
    };
    for way in ["refresh", "renewed", "adopted", "set"] {
        let mut tab = tab();
        tab.enter(with(of("ada", "adas")), at(0));
        let (ticket, _) = sends(&mut tab, at(1));
        let (other, _) = sends(&mut tab, at(1));
        let Departure::Wait(wait) = tab.answered(ticket, true, at(2)) else { panic!("it waits") };
        let bobs = of("bob", "bobs");
        match way {
            "refresh" => {
                assert_eq!(tab.arrive(wait.auth_call, false, at(3)), Arrival::Go);
                tab.refresh_answered(wait.auth_call, auth_response(200, Some(bobs)), 0.5, at(4));
            }
            "renewed" => {
                let message = asked_at(4, 3, bobs);
                let Message::Renewed { stamp: s, asked, tokens, .. } = message else { panic!() };
                let session = stamp(3);
                tab.heard(Message::Renewed { stamp: s, session, asked, tokens }, at(4));
            }
            "adopted" => tab.adopt(other, bobs, at(4)),
            _ => tab.set_tokens(bobs, at(4)),
        }
        let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
        assert_eq!(tab.refresh_token().map(Secret::reveal), None, "{way}");
        assert_eq!(tab.resume(wait, &outcome, at(5)), Departure::Deliver, "{way}");
        assert_eq!(sends(&mut tab, at(6)).1.as_deref(), Some("bobs"), "{way}");
    }
}

#[test]
fn an_answer_from_a_cache_restores_no_old_token() {
    // Either the token says that it is older, or it says nothing and was replaced.
    for issued in [None, Some(1_000)] {
        let mut tab = tab();
        tab.enter(TokenResponse { issued, ..opaque("first") }, at(0));
        refreshes(
            &mut tab,
            Some(TokenResponse { issued: issued.map(|at| at + 1), ..opaque("second") }),
            at(1),
        );
        let (ticket, _) = sends(&mut tab, at(2));
        tab.adopt(ticket, TokenResponse { issued, ..opaque("first") }, at(3));
        assert_eq!(sends(&mut tab, at(4)).1.as_deref(), Some("second"), "{issued:?}");
    }
    let mut tab = tab();
    tab.enter(TokenResponse { issued: Some(1_000), ..opaque("first") }, at(0));
    let (ticket, _) = sends(&mut tab, at(2));
    tab.adopt(ticket, TokenResponse { issued: Some(999), ..opaque("unknown") }, at(3));
    assert_eq!(sends(&mut tab, at(4)).1.as_deref(), Some("first"));
}

#[test]
fn a_call_with_the_token_waits_for_the_renewal_that_it_needs() {
    let mut tab = tab_that(Tabs::Off, false);
    tab.enter(opaque("first"), at(0));
    told(&mut tab);
    let auth_call = tab.exchange(at(700_000));
    let effects = told(&mut tab);
    let [Effect::Start(refresh, Kind::Refresh)] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(tab.arrive(auth_call, false, at(700_001)), Arrival::Skip, "it is not its turn");
    assert_eq!(tab.arrive(refresh, false, at(700_001)), Arrival::Go);
    tab.refresh_answered(refresh, auth_response(200, Some(opaque("second"))), 0.5, at(700_002));
    tab.finished(refresh);
    assert_eq!(tab.arrive(auth_call, false, at(700_003)), Arrival::Go);
    assert_eq!(tab.usable_token(at(700_003)).map(Secret::reveal), Some("second"));
    tab.login_answered(auth_call, auth_response(200, Some(opaque("third"))), at(700_004)).unwrap();
    assert_eq!(sends(&mut tab, at(700_005)).1.as_deref(), Some("third"));
}

#[test]
fn a_call_with_a_good_token_needs_no_renewal() {
    let mut tab = tab_that(Tabs::Off, false);
    tab.enter(opaque("first"), at(0));
    told(&mut tab);
    let auth_call = tab.exchange(at(10));
    let effects = told(&mut tab);
    assert!(
        matches!(effects[..], [Effect::Start(e, Kind::Login)] if e == auth_call),
        "{effects:?}"
    );
}

#[test]
fn without_the_session_hint_no_refresh_is_sent_and_no_event_is_reported() {
    let mut tab = tab();
    tab.no_session_hint();
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    assert!(matches!(told(&mut tab)[..], [Effect::Changed]));
    assert_eq!(sends(&mut tab, at(1)).1, None);
    // A known session, an explicit refresh, and a reported sign-in take precedence.
    let (mut there, mut asked, mut said) = (self::tab(), self::tab(), self::tab());
    there.enter(opaque("token"), at(2));
    assert!(asked.refresh(at(2)).unwrap().is_some());
    said.signed_in(at(2));
    for tab in [&mut there, &mut asked, &mut said] {
        tab.no_session_hint();
        assert_ne!(tab.snapshot().status, Status::SignedOut);
    }
}

#[test]
fn a_message_from_years_ahead_does_not_block_later_timestamps() {
    let day = 24 * 60 * 60 * 1_000;
    let mut tab = tab();
    tab.enter(of("ada", "adas"), at(0));
    // Ahead, as if the clock had been set right since: not believed, but local outcomes get later timestamps.
    tab.heard(Message::Entered { stamp: stamp(9 * day), subject: None, tokens: None }, at(10));
    assert_eq!(sends(&mut tab, at(11)).1.as_deref(), Some("adas"));
    told(&mut tab);
    tab.enter(of("bob", "bobs"), at(12));
    let effects = posted(told(&mut tab));
    let [Message::Entered { stamp: s, .. }] = effects[..] else { panic!("{effects:?}") };
    assert!(s > stamp(9 * day));
    // So far ahead that nothing could follow: ignored.
    let mut tab = self::tab();
    tab.heard(
        Message::Entered { stamp: HybridTime(u64::MAX), subject: None, tokens: None },
        at(10),
    );
    tab.enter(of("bob", "bobs"), at(12));
    let effects = posted(told(&mut tab));
    assert!(matches!(effects[..], [Message::Entered { stamp: s, .. }] if s == stamp(12)));
}

#[test]
fn a_tab_that_had_to_wait_for_the_lock_doubts_a_refusal() {
    let mut tab = tab();
    let wait = tab.refresh(at(10)).unwrap().unwrap();
    assert_eq!(tab.arrive(wait.auth_call, true, at(11)), Arrival::Listen);
    assert_eq!(tab.arrive(wait.auth_call, false, at(12)), Arrival::Go);
    assert!(tab.doubts(&auth_response(401, None)));
}
