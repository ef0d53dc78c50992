//! News from other tabs arrives late, and out of order.

use tokenkeep::core::{
    Arrival, Code, Departure, Effect, HybridTime, Kind, Message, Now, Policy, Reason,
    RefreshOutcome, Renewal, Secret, Session, Status, Tabs, TokenResponse,
};

use super::support::*;

#[test]
fn a_request_of_a_refused_session_is_not_sent_again_in_the_next_one() {
    // The next session comes from a refresh here, or from another tab's.
    for by_another_tab in [false, true] {
        let mut tab = tab();
        refreshes(&mut tab, Some(opaque("old")), at(10));
        let (ticket, _) = sends(&mut tab, at(20));
        let effects = refreshes(&mut tab, None, at(30));
        assert_eq!(sign_outs(&effects), [Reason::Rejected]);
        if by_another_tab {
            tab.heard(renewed(60, 50, "new"), at(60));
        } else {
            refreshes(&mut tab, Some(opaque("new")), at(60));
        }
        assert_eq!(sends(&mut tab, at(70)).1.as_deref(), Some("new"));
        assert_eq!(tab.answered(ticket, true, at(80)), Departure::Deliver);
    }
}

#[test]
fn a_renewal_heard_before_its_login_ends_the_old_epoch() {
    let mut tab = tab();
    refreshes(&mut tab, Some(opaque("old")), at(10));
    let (ticket, _) = sends(&mut tab, at(20));
    // Somebody signs in elsewhere at 50, and a third tab renews at 60 and is heard first.
    tab.heard(renewed(60, 50, "new"), at(70));
    assert_eq!(tab.answered(ticket, true, at(80)), Departure::Deliver);
    tab.heard(entered(50, "first"), at(90));
    assert_eq!(sends(&mut tab, at(100)).1.as_deref(), Some("new"), "that login is no news");
}

#[test]
fn learning_when_a_found_session_began_does_not_end_it() {
    let mut tab = tab();
    refreshes(&mut tab, Some(opaque("mine")), at(60));
    let (ticket, _) = sends(&mut tab, at(70));
    tab.heard(renewed(80, 50, "theirs"), at(90));
    let departure = tab.answered(ticket, true, at(100));
    assert!(matches!(departure, Departure::Send(_)), "{departure:?}");
}

#[test]
fn a_login_heard_after_this_tabs_own_refresh_ends_the_old_epoch() {
    let mut tab = tab();
    tab.enter(opaque("old"), at(10));
    let (ticket, _) = sends(&mut tab, at(20));
    // Another user signs in elsewhere at 50. This tab's refresh comes later, and uses that cookie.
    refreshes(&mut tab, Some(opaque("new")), at(60));
    tab.heard(entered(50, "new-too"), at(70));
    assert_eq!(tab.answered(ticket, true, at(80)), Departure::Deliver);
    assert_eq!(tab.snapshot().status, Status::SignedIn);
}

#[test]
fn a_tab_that_has_not_heard_of_a_login_does_not_renew_the_new_session() {
    let mut tab = tab();
    tab.enter(opaque("new"), at(50));
    let (ticket, _) = sends(&mut tab, at(60));
    tab.heard(renewed(70, 10, "whose"), at(80));
    assert_eq!(sends(&mut tab, at(90)), (ticket, Some("new".to_owned())));
}

#[test]
fn an_older_renewal_does_not_restore_a_refused_session() {
    let mut tab = tab();
    tab.enter(opaque("old"), at(10));
    let (ticket, _) = sends(&mut tab, at(20));
    refreshes(&mut tab, None, at(100));
    tab.heard(renewed(90, 10, "late"), at(110));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    // A newer renewal does: a tab that renewed after the refusal has a session.
    tab.heard(renewed(120, 10, "newer"), at(130));
    assert_eq!(tab.snapshot().status, Status::SignedIn);
    assert_eq!(tab.answered(ticket, true, at(140)), Departure::Deliver, "but not for old requests");
}

#[test]
fn after_a_login_that_a_refusal_may_have_ended_the_server_is_asked() {
    for ms in [90, 100] {
        let mut tab = tab();
        tab.enter(opaque("old"), at(10));
        refreshes(&mut tab, None, at(100));
        tab.heard(entered(ms, "late"), at(110));
        assert_eq!(tab.snapshot().status, Status::Unknown);
        assert!(matches!(tab.depart(ANY, at(120)), Departure::Wait(_)));
    }
}

#[test]
fn a_queued_logout_does_not_end_a_session_that_began_meanwhile() {
    // Whether the session began here or in another tab.
    for here in [false, true] {
        let mut tab = tab();
        tab.enter(opaque("old"), at(10));
        let logout = tab.logout(true, at(20)).unwrap();
        if here {
            tab.enter(opaque("new"), at(30));
        } else {
            tab.heard(entered(30, "new"), at(40));
        }
        assert_eq!(tab.arrive(logout, true, at(0)), Arrival::Skip);
        tab.finished(logout);
        assert_eq!(tab.snapshot().status, Status::SignedIn);
        let wait = tab.refresh(at(50));
        assert!(wait.is_ok(), "nothing is owed any more: {wait:?}");
    }
}

#[test]
fn a_login_removes_the_mark_of_another_tabs_pending_logout() {
    let mut tab = tab();
    tab.heard(Message::Left { stamp: stamp(10) }, at(10));
    let login = tab.login();
    assert_eq!(tab.arrive(login, false, at(0)), Arrival::Go);
    tab.login_answered(login, auth_response(200, Some(opaque("new"))), at(20)).unwrap();
    let effects = told(&mut tab);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Owe(false))), "{effects:?}");
}

#[test]
fn the_mark_stays_while_a_later_logout_is_queued() {
    let mut tab = tab();
    tab.enter(opaque("first"), at(10));
    let first = tab.logout(true, at(20)).unwrap();
    assert_eq!(tab.arrive(first, false, at(0)), Arrival::Go);
    tab.enter(opaque("second"), at(30));
    let second = tab.logout(true, at(40)).unwrap();
    told(&mut tab);
    tab.logout_answered(Ok(204)).unwrap();
    tab.finished(first);
    let mark = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::Owe(_)));
    assert!(!mark(&told(&mut tab)), "the second is owed still");
    assert_eq!(tab.arrive(second, false, at(0)), Arrival::Go);
    tab.logout_answered(Ok(204)).unwrap();
    assert!(mark(&told(&mut tab)));
}

#[test]
fn a_later_logout_sets_a_mark_again_that_another_tab_removed() {
    let mut tab = tab();
    tab.enter(opaque("first"), at(10));
    let first = tab.logout(true, at(20)).unwrap();
    assert_eq!(tab.arrive(first, false, at(0)), Arrival::Go);
    assert!(tab.logout_answered(Ok(503)).is_err());
    tab.finished(first);
    told(&mut tab);
    // Meanwhile somebody signs in in another tab, and this tab has not heard of it.
    tab.logout(true, at(40)).unwrap();
    let effects = told(&mut tab);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Owe(true))), "{effects:?}");
}

#[test]
fn a_login_sent_after_another_tabs_logout_holds_even_if_the_news_is_late() {
    let mut tab = tab();
    let login = tab.login();
    assert_eq!(tab.arrive(login, true, at(0)), Arrival::Go);
    tab.heard(Message::Left { stamp: stamp(10) }, at(50));
    tab.login_answered(login, auth_response(200, Some(opaque("new"))), at(60)).unwrap();
    assert_eq!(tab.snapshot().status, Status::SignedIn);
}

#[test]
fn a_tab_that_renews_while_a_logout_is_on_the_wire_is_told_again() {
    let (mut leaver, mut other) = (tab(), tab());
    leaver.enter(opaque("token"), at(10));
    for message in posted(told(&mut leaver)) {
        other.heard(message, at(15));
    }
    leaver.logout(true, at(20)).unwrap();
    for message in posted(told(&mut leaver)) {
        other.heard(message, at(25));
    }
    // The app in the other tab calls `refresh()`, which is answered before the logout.
    let effects = refreshes(&mut other, Some(opaque("again")), at(30));
    assert_eq!(other.snapshot().status, Status::SignedIn);
    for message in posted(effects) {
        leaver.heard(message, at(35));
    }
    assert_eq!(leaver.snapshot().status, Status::SignedOut);
    for message in posted(told(&mut leaver)) {
        other.heard(message, at(40));
    }
    assert_eq!(other.snapshot().status, Status::SignedOut);
    assert_eq!(sign_outs(&told(&mut other)), [Reason::OtherTab]);
}

#[test]
fn a_login_ended_by_a_logout_on_the_wire_is_ended_in_all_tabs() {
    let mut tab = tab();
    let logout = tab.logout(true, at(20)).unwrap();
    assert_eq!(tab.arrive(logout, true, at(0)), Arrival::Go);
    told(&mut tab);
    tab.heard(entered(30, "new"), at(40));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    let posted = posted(told(&mut tab));
    assert!(matches!(posted[..], [Message::Left { stamp: s }] if s >= stamp(30)), "{posted:?}");
}

#[test]
fn a_failed_logout_stays_pending_for_a_later_login_too() {
    // The login has removed the mark: without a new mark, a page opened now would continue that session.
    for (status, is_owed) in [(503, true), (204, false)] {
        let mut tab = tab();
        let logout = tab.logout(true, at(20)).unwrap();
        assert_eq!(tab.arrive(logout, true, at(0)), Arrival::Go);
        let _ = tab.logout_answered(Ok(status));
        told(&mut tab);
        tab.heard(entered(30, "new"), at(40));
        let marks = told(&mut tab).iter().any(|effect| matches!(effect, Effect::Owe(true)));
        assert_eq!(marks, is_owed, "{status}");
    }
}

#[test]
fn a_logout_outweighs_a_login_of_the_same_moment() {
    let mut tab = tab();
    tab.enter(opaque("new"), at(50));
    tab.heard(Message::Left { stamp: stamp(50) }, at(60));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    tab.heard(entered(50, "new"), at(70));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
}

#[test]
fn a_logout_followed_by_a_login_is_no_news() {
    let mut tab = tab();
    tab.enter(opaque("new"), at(50));
    tab.heard(Message::Left { stamp: stamp(40) }, at(60));
    assert_eq!(tab.snapshot().status, Status::SignedIn);
}

#[test]
fn a_logout_heard_twice_does_not_stop_the_login_after_it() {
    let mut tab = tab();
    tab.heard(Message::Left { stamp: stamp(40) }, at(50));
    let login = tab.login();
    assert_eq!(tab.arrive(login, false, at(0)), Arrival::Go);
    tab.heard(Message::Left { stamp: stamp(40) }, at(60));
    assert!(tab.login_answered(login, auth_response(200, Some(opaque("new"))), at(70)).is_ok());
}

#[test]
fn a_logout_is_believed_after_the_clock_was_set_back() {
    let set_back = Now { wall: START - 7_200_000, steady: 5_000 };
    let mut tab = tab();
    tab.enter(opaque("token"), at(50));
    // A tab that was opened since knows no later timestamp.
    tab.heard(Message::Left { stamp: HybridTime::at(set_back.wall) }, set_back);
    assert_eq!(tab.snapshot().status, Status::SignedOut);
}

#[test]
fn a_refresh_token_that_was_renewed_elsewhere_is_taken_though_the_clock_was_set_back() {
    let policy = Policy { renewal: Renewal::WithToken, ..Policy::default() };
    let with = |token: &str, refresh_token: &str| TokenResponse {
        refresh_token: Some(Secret::new(refresh_token.to_owned()).unwrap()),
        ..opaque(token)
    };
    let [mut here, mut there] = [(); 2].map(|()| Session::new(policy.clone(), owes(false), at(0)));
    here.enter(with("first", "r1"), at(7_200_000));
    posted(told(&mut here)).into_iter().for_each(|news| there.heard(news, at(7_200_000)));
    told(&mut there);
    // The clock is set back by two hours.
    let renewed = posted(refreshes(&mut there, Some(with("second", "r2")), at(10)));
    for token in ["brought", "again"] {
        let (ticket, _) = sends(&mut here, at(20));
        here.adopt(ticket, opaque(token), at(20));
    }
    let brought = posted(told(&mut here));
    brought.into_iter().for_each(|news| there.heard(news, at(30)));
    renewed.into_iter().for_each(|news| here.heard(news, at(30)));
    for tab in [&mut here, &mut there] {
        assert_eq!(tab.refresh_token().map(Secret::reveal), Some("r2"));
        assert_eq!(sends(tab, at(40)).1.as_deref(), Some("second"));
    }
}

#[test]
fn a_logout_from_the_far_future_signs_out_but_does_not_block_later_sign_ins() {
    let day = 24 * 60 * 60 * 1_000;
    let mut tab = tab();
    tab.enter(opaque("token"), at(10));
    tab.heard(Message::Left { stamp: HybridTime(u64::MAX) }, at(20));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    tab.heard(entered(day + 1_000, "new"), at(day + 1_000));
    assert_eq!(tab.snapshot().status, Status::SignedIn);
}

#[test]
fn a_request_whose_refresh_failed_is_sent_with_another_tabs_token() {
    let mut tab = tab();
    tab.enter(opaque("old"), at(10));
    let (ticket, _) = sends(&mut tab, at(20));
    let Departure::Wait(wait) = tab.answered(ticket, true, at(30)) else { panic!("it waits") };
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Go);
    tab.heard(renewed(40, 10, "new"), at(50));
    tab.refresh_failed(wait.auth_call, Code::Timeout, 0.5, at(60));
    let outcome = refresh_outcome(&told(&mut tab), wait.auth_call);
    assert!(matches!(outcome, RefreshOutcome::Failed(_)), "{outcome:?}");
    let Departure::Send(again) = tab.resume(wait, &outcome, at(70)) else { panic!("it goes") };
    assert_eq!(tab.credential(again).unwrap().reveal(), "new");
}

#[test]
fn a_queued_refresh_is_settled_by_another_tabs_and_not_sent() {
    let mut tab = tab();
    let Departure::Wait(wait) = tab.depart(ANY, at(10)) else { panic!("it waits") };
    assert_eq!(tab.arrive(wait.auth_call, true, at(0)), Arrival::Listen);
    tab.heard(renewed(20, 15, "theirs"), at(30));
    assert_eq!(tab.arrive(wait.auth_call, false, at(0)), Arrival::Skip);
    assert_eq!(refresh_outcome(&told(&mut tab), wait.auth_call), RefreshOutcome::Renewed);
    let Departure::Send(ticket) = tab.resume(wait, &RefreshOutcome::Renewed, at(40)) else {
        panic!("it goes")
    };
    assert_eq!(tab.credential(ticket).unwrap().reveal(), "theirs");
}

#[test]
fn tabs_that_only_take_turns_request_their_own_token_after_a_login_elsewhere() {
    let mut tab = tab_that(Tabs::Lock, false);
    tab.enter(opaque("old"), at(10));
    told(&mut tab);
    tab.heard(entered(20, "not-taken"), at(30));
    assert_eq!(tab.snapshot().status, Status::Unknown);
    let effects = told(&mut tab);
    assert!(sign_outs(&effects).is_empty());
    assert!(matches!(tab.depart(ANY, at(40)), Departure::Wait(_)));
    tab.heard(entered(50, "not-taken"), at(60));
    let changed = told(&mut tab).iter().filter(|e| matches!(e, Effect::Changed)).count();
    assert_eq!(changed, 0, "it is unknown still");
}

#[test]
fn a_page_that_starts_with_a_pending_logout_finishes_it_first() {
    let mut tab = Session::new(Policy::default(), owes(true), at(0));
    let effects = told(&mut tab);
    let logout = effects.iter().find_map(|effect| match effect {
        Effect::Start(auth_call, Kind::Logout) => Some(*auth_call),
        _ => None,
    });
    assert_eq!(sends(&mut tab, at(10)).1, None, "nothing is restored");
    assert_eq!(tab.refresh(at(10)).unwrap_err().code, Code::SignedOut);
    tab.heard(renewed(5, 0, "whose"), at(10));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    let logout = logout.unwrap();
    assert_eq!(tab.arrive(logout, false, at(0)), Arrival::Go);
    tab.logout_answered(Ok(204)).unwrap();
    tab.finished(logout);
    assert!(told(&mut tab).iter().any(|effect| matches!(effect, Effect::Owe(false))));
    // A login in the moment in which the page starts is later than the logout.
    tab.enter(opaque("new"), at(0));
    let posted = posted(told(&mut tab));
    assert!(matches!(posted[..], [Message::Entered { stamp: s, .. }] if s > stamp(0)));
}

#[test]
fn a_renewal_of_the_session_that_was_left_does_not_restore_it() {
    let mut tab = tab();
    tab.enter(opaque("token"), at(10));
    tab.logout(false, at(20));
    // The other tab had not heard of the logout when it renewed. Nor do all tabs know when their session
    // began.
    tab.heard(renewed(30, 10, "late"), at(40));
    tab.heard(renewed(31, 0, "late"), at(41));
    // A logout outweighs a login of the same moment.
    tab.heard(renewed(32, 20, "late"), at(42));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    tab.heard(renewed(60, 50, "new"), at(70));
    assert_eq!(tab.snapshot().status, Status::SignedIn);
}

#[test]
fn a_login_followed_by_a_logout_does_not_restore_the_session() {
    let mut tab = tab();
    tab.logout(false, at(50));
    tab.heard(entered(40, "late"), at(60));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
}

#[test]
fn a_token_of_another_user_ends_the_epoch_however_it_arrives() {
    let of = |user: &str| TokenResponse { subject: Some(user.to_owned()), ..opaque(user) };
    for by_another_tab in [false, true] {
        let mut tab = tab();
        refreshes(&mut tab, Some(of("alice")), at(10));
        let (ticket, _) = sends(&mut tab, at(20));
        if by_another_tab {
            let tokens = of("bob");
            tab.heard(
                Message::Renewed {
                    stamp: stamp(30),
                    session: HybridTime(0),
                    asked: HybridTime(0),
                    tokens,
                },
                at(40),
            );
        } else {
            refreshes(&mut tab, Some(of("bob")), at(40));
        }
        assert_eq!(sends(&mut tab, at(50)).1.as_deref(), Some("bob"));
        assert_eq!(tab.answered(ticket, true, at(60)), Departure::Deliver);
    }
}

#[test]
fn a_refusal_does_not_end_a_session_that_another_tab_renewed_meanwhile() {
    let mut tab = tab();
    tab.enter(opaque("old"), at(10));
    let auth_call = goes(&mut tab, at(20));
    tab.heard(renewed(30, 10, "new"), at(40));
    tab.refresh_answered(auth_call, auth_response(401, None), 0.5, at(50));
    let effects = told(&mut tab);
    assert_eq!(refresh_outcome(&effects, auth_call), RefreshOutcome::Renewed);
    assert!(sign_outs(&effects).is_empty());
    assert_eq!(sends(&mut tab, at(60)).1.as_deref(), Some("new"));
}

#[test]
fn a_starting_tab_is_given_only_a_good_token() {
    let given = |tab: &mut Session, now| {
        told(tab);
        tab.heard(Message::Ask, now);
        let renewed = |message: &Message| matches!(message, Message::Renewed { .. });
        let posted = posted(told(tab));
        assert_eq!(posted.len(), 1, "a tab that is there always says so");
        posted.iter().filter(|message| renewed(message)).count()
    };
    let mut tab = tab();
    assert_eq!(given(&mut tab, at(5)), 0, "there is none");
    tab.enter(opaque("token"), at(10));
    assert_eq!(given(&mut tab, at(20)), 1);
    assert_eq!(given(&mut tab, at(600_010)), 0, "it has ended");
    refreshes(&mut tab, Some(opaque("next")), at(600_020));
    let (ticket, _) = sends(&mut tab, at(600_030));
    assert!(matches!(tab.answered(ticket, true, at(600_040)), Departure::Wait(_)));
    assert_eq!(given(&mut tab, at(600_050)), 0, "it was refused");
}

#[test]
fn a_refusal_is_doubted_where_tabs_share_and_until_news_arrives() {
    let refusal = auth_response(401, None);
    let mut alone = tab_that(Tabs::Lock, false);
    goes(&mut alone, at(10));
    assert!(!alone.doubts(&refusal));
    let mut tab = tab();
    tab.enter(opaque("old"), at(10));
    let auth_call = goes(&mut tab, at(20));
    assert!(!tab.doubts(&refusal), "it has never met another tab");
    tab.heard(Message::Here, at(20));
    assert!(tab.doubts(&refusal));
    assert!(!tab.doubts(&auth_response(503, None)), "an outage ends nothing");
    tab.heard(renewed(30, 10, "new"), at(40));
    assert!(!tab.doubts(&refusal), "it is there");
    tab.refresh_answered(auth_call, refusal.clone(), 0.5, at(50));
    assert!(!tab.doubts(&refusal), "nobody waits");
}

#[test]
fn a_tab_that_only_takes_turns_neither_gives_nor_takes_tokens() {
    let mut tab = tab_that(Tabs::Lock, false);
    tab.enter(opaque("mine"), at(10));
    told(&mut tab);
    tab.heard(Message::Ask, at(20));
    assert!(posted(told(&mut tab)).is_empty());
    tab.heard(renewed(30, 10, "theirs"), at(40));
    assert_eq!(sends(&mut tab, at(50)).1.as_deref(), Some("mine"));
}

#[test]
fn messages_from_the_future_are_ignored() {
    // The clock may have been set back by a day, but not more.
    let day = 86_400_000;
    let mut tab = tab();
    tab.enter(opaque("mine"), at(10));
    tab.heard(renewed(day + 21, 10, "renewed"), at(20));
    tab.heard(entered(day + 21, "entered"), at(20));
    assert_eq!(sends(&mut tab, at(30)).1.as_deref(), Some("mine"));
    let mut tab = self::tab();
    tab.enter(opaque("mine"), at(10));
    tab.heard(renewed(day + 20, 10, "renewed"), at(20));
    assert_eq!(sends(&mut tab, at(40)).1.as_deref(), Some("renewed"));
}

#[test]
fn a_user_switch_is_heard_after_a_clock_days_ahead_is_set_right() {
    let ahead = 5 * 86_400_000;
    let of = |user: &str| TokenResponse { subject: Some(user.to_owned()), ..opaque(user) };
    let (mut first, mut begins) = (tab(), tab());
    first.enter(of("alice"), at(ahead));
    let post = posted(told(&mut first));
    // The clock is set right. A starting page hears of the session, and cannot believe its timestamp.
    begins.heard(Message::Here, at(10));
    post.into_iter().for_each(|message| begins.heard(message, at(10)));
    assert_eq!(begins.snapshot().status, Status::Unknown);
    begins.enter(of("bob"), at(20));
    posted(told(&mut begins)).into_iter().for_each(|message| first.heard(message, at(30)));
    assert_eq!(sends(&mut first, at(40)).1.as_deref(), Some("bob"));
}

#[test]
fn a_login_shares_its_token_only_where_tabs_share() {
    for (tabs, hands_on) in [(Tabs::Share, true), (Tabs::Lock, false)] {
        let mut tab = tab_that(tabs, false);
        tab.enter(opaque("token"), at(10));
        let posted = posted(told(&mut tab));
        let [Message::Entered { tokens, .. }] = &posted[..] else { panic!("{posted:?}") };
        assert_eq!(tokens.is_some(), hands_on, "{tabs:?}");
    }
}

#[test]
fn a_login_heard_after_its_token_does_not_make_the_token_younger() {
    let mut tab = tab();
    tab.heard(renewed(10, 0, "token"), at(10));
    let (ticket, _) = sends(&mut tab, at(20));
    told(&mut tab);
    tab.heard(entered(11, "token"), at(500_000));
    assert!(told(&mut tab).is_empty(), "it is the session that was known");
    assert_eq!(tab.credential(ticket).map(Secret::reveal), Some("token"));
    assert!(matches!(tab.depart(ANY, at(700_000)), Departure::Wait(_)), "it has ended");
}

#[test]
fn a_login_heard_after_a_later_users_token_restores_no_former_user() {
    let of = |user: &str| TokenResponse { subject: Some(user.to_owned()), ..opaque(user) };
    let mut tab = tab();
    tab.heard(
        Message::Renewed {
            stamp: stamp(10),
            session: stamp(5),
            asked: HybridTime(0),
            tokens: of("alice"),
        },
        at(10),
    );
    // The cookie belongs to bob by now. This tab hears late of carol, who signed in in between.
    refreshes(&mut tab, Some(of("bob")), at(100));
    tab.heard(
        Message::Entered { stamp: stamp(60), subject: None, tokens: Some(of("carol")) },
        at(110),
    );
    assert_eq!(sends(&mut tab, at(120)).1.as_deref(), Some("bob"));
}

#[test]
fn a_login_heard_late_ends_the_epoch_of_a_token_without_a_subject() {
    let mut tab = tab();
    tab.heard(renewed(10, 5, "first"), at(10));
    let (ticket, _) = sends(&mut tab, at(20));
    refreshes(&mut tab, Some(opaque("second")), at(100));
    tab.heard(entered(60, "between"), at(110));
    assert_eq!(tab.answered(ticket, true, at(120)), Departure::Deliver, "it was another user's");
    assert_eq!(sends(&mut tab, at(130)).1.as_deref(), Some("second"), "which came later");
}

#[test]
fn a_refusal_holds_against_all_earlier_logins() {
    let mut tab = tab();
    refreshes(&mut tab, None, at(100));
    assert_eq!(tab.snapshot().status, Status::SignedOut);
    for (ms, token) in [(40, "first"), (60, "second")] {
        tab.heard(entered(ms, token), at(110));
        assert_eq!(tab.snapshot().status, Status::Unknown, "it may have ended {token}");
    }
    assert!(matches!(tab.depart(ANY, at(120)), Departure::Wait(_)), "so the server is asked");
}
