//! A tab that was frozen or in the back/forward cache heard nothing in the meantime. It asks what it has
//! missed, and another tab answers.

use tokenkeep::core::{Departure, HybridTime, Message, Now, Session, Status, Tabs, TokenResponse};

use super::support::*;

/// Delivers one tab's messages to another.
fn tells(one: &mut Session, other: &mut Session, now: Now) {
    posted(told(one)).into_iter().for_each(|message| other.heard(message, now));
}

fn comes_back(away: &mut Session, there: &mut Session, now: Now) {
    away.came_back();
    tells(away, there, now);
    tells(there, away, now);
}

#[test]
fn a_tab_that_was_away_is_told_exactly_what_it_missed() {
    let missed = |tab: &mut Session, since| {
        told(tab);
        tab.heard(Message::Missed { since: stamp(since), session: HybridTime(0) }, at(100));
        posted(told(tab))
    };
    let mut tab = tab();
    tab.enter(opaque("first"), at(10));
    tab.logout(false, at(20));
    let all = missed(&mut tab, 15);
    assert!(matches!(all[..], [Message::Left { stamp: left }] if left == stamp(20)), "{all:?}");
    assert!(missed(&mut tab, 21).is_empty());
    tab.enter(opaque("second"), at(30));
    let all = missed(&mut tab, 15);
    assert!(
        matches!(all[..], [Message::Left { .. }, Message::Entered { .. }, Message::Renewed { .. }]),
        "{all:?}"
    );
    assert!(matches!(missed(&mut tab, 30)[..], [Message::Renewed { .. }]));
}

#[test]
fn a_tab_that_was_away_while_another_user_signed_in_continues_as_that_user() {
    let (mut away, mut there) = (tab(), tab());
    let of = |user: &str| TokenResponse { subject: Some(user.to_owned()), ..opaque(user) };
    away.enter(of("alice"), at(10));
    tells(&mut away, &mut there, at(10));
    there.logout(false, at(20));
    there.enter(of("bob"), at(30));
    told(&mut there);
    comes_back(&mut away, &mut there, at(40));
    assert_eq!(sends(&mut away, at(50)).1.as_deref(), Some("bob"));
}

#[test]
fn a_tab_that_was_away_hears_of_the_logout_that_ended_its_renewal() {
    let (mut leaver, mut away) = (tab(), tab());
    leaver.enter(opaque("token"), at(10));
    tells(&mut leaver, &mut away, at(10));
    leaver.logout(true, at(20)).unwrap();
    told(&mut leaver);
    // The other tab renews before it has heard of the logout, and is frozen before it is told.
    let effects = refreshes(&mut away, Some(opaque("again")), at(30));
    posted(effects).into_iter().for_each(|message| leaver.heard(message, at(31)));
    assert!(matches!(posted(told(&mut leaver))[..], [Message::Left { .. }]));
    comes_back(&mut away, &mut leaver, at(40));
    assert_eq!(away.snapshot().status, Status::SignedOut);
}

#[test]
fn a_tab_that_knew_no_session_hears_of_the_logout_that_it_missed() {
    let (mut away, mut leaver) = (tab_that(Tabs::Lock, false), tab_that(Tabs::Lock, false));
    leaver.logout(true, at(20)).unwrap();
    told(&mut leaver);
    comes_back(&mut away, &mut leaver, at(30));
    assert_eq!(
        away.snapshot().status,
        Status::SignedOut,
        "it asks for no token of the old session"
    );
}

#[test]
fn a_tab_that_was_away_hears_of_the_logout_that_ended_its_session_and_later_tokens() {
    let (mut away, mut there) = (tab(), tab());
    away.enter(opaque("token"), at(10));
    tells(&mut away, &mut there, at(10));
    let (ticket, _) = sends(&mut away, at(11));
    away.adopt(ticket, opaque("brought"), at(12));
    told(&mut away);
    // A logout on the wire ends a login that happens meanwhile.
    there.heard(Message::Left { stamp: stamp(10) }, at(13));
    told(&mut there);
    comes_back(&mut away, &mut there, at(20));
    assert_eq!(away.snapshot().status, Status::SignedOut);
}

#[test]
fn a_tab_that_was_away_hears_of_the_session_even_if_its_token_has_ended() {
    let (mut away, mut there) = (tab(), tab());
    there.enter(opaque("token"), at(10));
    told(&mut there);
    comes_back(&mut away, &mut there, at(700_000));
    assert_eq!(away.snapshot().status, Status::SignedIn);
    assert!(matches!(away.depart(ANY, at(700_001)), Departure::Wait(_)), "it has ended");
}

#[test]
fn a_tab_that_was_away_hears_of_no_login_if_there_was_none() {
    let mut tab = tab();
    tab.enter(opaque("first"), at(10));
    tab.logout(false, at(20));
    told(&mut tab);
    // The server was not told, so the cookie is still good.
    refreshes(&mut tab, Some(opaque("second")), at(30));
    tab.heard(Message::Missed { since: stamp(20), session: HybridTime(0) }, at(40));
    let all = posted(told(&mut tab));
    assert!(matches!(all[..], [Message::Left { .. }, Message::Renewed { .. }]), "{all:?}");
}

#[test]
fn no_tab_is_told_of_a_logout_if_nobody_has_signed_out() {
    let (mut away, mut there) = (tab(), tab());
    there.enter(opaque("token"), at(10));
    told(&mut there);
    away.came_back();
    tells(&mut away, &mut there, at(20));
    let all = posted(told(&mut there));
    assert!(matches!(all[..], [Message::Entered { .. }, Message::Renewed { .. }]), "{all:?}");
}
