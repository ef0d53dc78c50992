//! Messages on the channel between tabs: another version of the package, or a hostile script of the same
//! origin, may send anything.

#![no_main]

use std::collections::HashSet;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tokenkeep::core::{
    Arrival, AuthCall, AuthResponse, Body, Code, Departure, Effect, Event, HybridTime, Kind,
    Message, Now, Owed, Policy, Resource, Secret, Session, Status, Tabs, TokenResponse,
};

#[derive(Arbitrary, Debug)]
enum Op {
    Ask,
    Here,
    Renewed {
        stamp: When,
        session: When,
        asked: When,
        token: u8,
        life: Option<u64>,
        user: Option<u8>,
    },
    Entered {
        stamp: When,
        subject: Option<u64>,
        token: Option<u8>,
        life: Option<u64>,
    },
    Refused {
        stamp: When,
        session: When,
        asked: When,
    },
    Left {
        stamp: When,
    },
    Missed {
        since: When,
        session: When,
    },
    CameBack,
    Depart,
    Unauthorized,
    Refresh,
    Login,
    SetTokens {
        token: u8,
        user: Option<u8>,
    },
    SignedIn,
    NoSessionHint,
    Logout,
    Arrive {
        contended: bool,
    },
    Answer {
        status: u16,
        token: Option<u8>,
    },
    Fail,
    Finish,
    Tick(u16),
    Clock(i32),
}

/// A time near now, as the times of outcomes are, or any time.
#[derive(Arbitrary, Debug)]
enum When {
    Near(i16),
    Any(u64),
}

impl When {
    fn stamp(self, now: Now) -> HybridTime {
        match self {
            Self::Near(ms) => HybridTime::at(now.wall.saturating_add_signed(ms.into())),
            Self::Any(stamp) => HybridTime(stamp),
        }
    }
}

/// One tab and the auth calls it has requested.
struct Tab {
    session: Session,
    now: Now,
    line: Vec<(AuthCall, Kind)>,
    settled: HashSet<AuthCall>,
}

fuzz_target!(|case: (u8, u8, Vec<Op>)| {
    let (tabs, owed, ops) = case;
    let tabs = [Tabs::Share, Tabs::Lock, Tabs::Off][usize::from(tabs % 3)];
    let now = Now { wall: 1_700_000_000_000, steady: 0 };
    let owed = [Owed::Nothing, Owed::Finish, Owed::Untold, Owed::InDoubt][usize::from(owed % 4)];
    let session = Session::new(Policy { tabs, ..Policy::default() }, owed, now);
    let mut tab = Tab { session, now, line: Vec::new(), settled: HashSet::new() };
    let mut ticket = None;
    tab.obeys();
    for op in ops {
        let before = tab.session.snapshot();
        let is_message = matches!(
            op,
            Op::Ask
                | Op::Here
                | Op::Renewed { .. }
                | Op::Entered { .. }
                | Op::Refused { .. }
                | Op::Left { .. }
                | Op::Missed { .. }
        );
        tab.does(op, &mut ticket);
        tab.obeys();
        let after = tab.session.snapshot();
        assert!(!is_message || tabs != Tabs::Off || before == after, "nobody is listened to");
        assert!(after.expires_at.is_none() || after.status == Status::SignedIn);
    }
    // Whatever was received: after a logout the tab is signed out, after a login it is signed in, and
    // everything settles.
    tab.session.logout(false, tab.now);
    tab.obeys();
    assert_eq!(tab.session.snapshot().status, Status::SignedOut);
    tab.session.enter(token_response(7, None, Some(60_000)), tab.now);
    tab.obeys();
    let Departure::Send(ticket) = tab.session.depart(Resource::ANY, tab.now) else {
        panic!("it has a token")
    };
    assert_eq!(tab.session.credential(ticket).map(Secret::reveal), Some("token7"));
    tab.session.dispose();
    tab.obeys();
    while let Some((auth_call, _)) = tab.line.first().copied() {
        tab.session.arrive(auth_call, false, tab.now);
        tab.finishes();
        tab.obeys();
    }
});

fn token_response(token: u8, user: Option<u8>, life: Option<u64>) -> TokenResponse {
    TokenResponse {
        access_token: Secret::new(format!("token{token}")).expect("visible"),
        refresh_token: None,
        life,
        session_life: None,
        claims: None,
        subject: user.map(|user| user.to_string()),
        issued: None,
    }
}

impl Tab {
    fn does(&mut self, op: Op, ticket: &mut Option<tokenkeep::core::Ticket>) {
        let now = self.now;
        let first = self.line.first().copied();
        match op {
            Op::Ask => self.session.heard(Message::Ask, now),
            Op::Here => self.session.heard(Message::Here, now),
            Op::Renewed { stamp, session, asked, token, life, user } => {
                let (stamp, session) = (stamp.stamp(now), session.stamp(now));
                let (asked, tokens) = (asked.stamp(now), token_response(token, user, life));
                self.session.heard(Message::Renewed { stamp, session, asked, tokens }, now);
            }
            Op::Entered { stamp, subject, token, life } => {
                let (stamp, tokens) =
                    (stamp.stamp(now), token.map(|token| token_response(token, None, life)));
                self.session.heard(Message::Entered { stamp, subject, tokens }, now);
            }
            Op::Refused { stamp, session, asked } => {
                let (stamp, session) = (stamp.stamp(now), session.stamp(now));
                let asked = asked.stamp(now);
                self.session.heard(Message::Refused { stamp, session, asked }, now);
            }
            Op::Left { stamp } => {
                self.session.heard(Message::Left { stamp: stamp.stamp(now) }, now);
            }
            Op::Missed { since, session } => {
                let (since, session) = (since.stamp(now), session.stamp(now));
                self.session.heard(Message::Missed { since, session }, now);
            }
            Op::CameBack => self.session.came_back(),
            Op::Depart => {
                if let Departure::Send(sent) = self.session.depart(Resource::ANY, now) {
                    *ticket = Some(sent);
                }
            }
            Op::Unauthorized => {
                if let Some(ticket) = ticket.take()
                    && let Departure::Send(again) = self.session.answered(ticket, true, now)
                {
                    assert_eq!(self.session.answered(again, true, now), Departure::Deliver);
                }
            }
            Op::Refresh => drop(self.session.refresh(now)),
            Op::Login => drop(self.session.login()),
            Op::SetTokens { token, user } => {
                self.session.set_tokens(token_response(token, user, Some(60_000)), now);
            }
            Op::SignedIn => self.session.signed_in(now),
            Op::NoSessionHint => self.session.no_session_hint(),
            Op::Logout => drop(self.session.logout(true, now)),
            Op::Arrive { contended } => {
                if let Some((auth_call, _)) = first
                    && self.session.arrive(auth_call, contended, now) == Arrival::Skip
                {
                    self.finishes();
                }
            }
            Op::Answer { status, token } => {
                let body = match token {
                    Some(token) => Body::Json {
                        error: None,
                        tokens: Ok(token_response(token, None, Some(60_000))),
                    },
                    None => Body::Empty,
                };
                let response = AuthResponse { status, body, rejected: None, retry_after: None };
                match first {
                    Some((auth_call, Kind::Refresh)) => {
                        self.session.refresh_answered(auth_call, response, 0.5, now);
                    }
                    Some((auth_call, Kind::Login)) => {
                        drop(self.session.login_answered(auth_call, response, now));
                    }
                    Some((_, Kind::Logout)) => drop(self.session.logout_answered(Ok(status))),
                    None => {}
                }
            }
            Op::Fail => {
                if let Some((auth_call, Kind::Refresh)) = first {
                    self.session.refresh_failed(auth_call, Code::Network, 0.5, now);
                }
            }
            Op::Finish => self.finishes(),
            Op::Tick(ms) => {
                self.now.steady += u64::from(ms);
                self.now.wall += u64::from(ms);
                self.session.renewal_timer_fired(self.now);
            }
            Op::Clock(ms) => self.now.wall = now.wall.saturating_add_signed(ms.into()),
        }
    }

    fn finishes(&mut self) {
        if !self.line.is_empty() {
            let (auth_call, _) = self.line.remove(0);
            self.session.finished(auth_call);
        }
    }

    fn obeys(&mut self) {
        let mut told = 0;
        while let Some(effect) = self.session.poll_effect() {
            told += 1;
            assert!(told < 20, "it comes to rest");
            match effect {
                Effect::Start(auth_call, kind) => {
                    assert!(self.line.is_empty(), "one has the turn");
                    self.line.push((auth_call, kind));
                }
                Effect::SettleRefresh(auth_call, _) => {
                    assert!(self.settled.insert(auth_call), "a refresh is settled once");
                }
                Effect::Tell(Event::SignOut(_)) => {
                    assert_eq!(self.session.snapshot().status, Status::SignedOut);
                }
                _ => {}
            }
        }
        self.session.renewal_due_in(0.0, self.now);
    }
}
