//! What can happen in the model world, and strategies that make up a life of it.

use proptest::collection::vec;
use proptest::prelude::*;
use tokenkeep::core::{Restore, Tabs};

use super::server::User;

/// How the server, or what stands in its place, treats a call that sets the cookie.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// As it should. The life of the token, if it names one, in milliseconds.
    Well(Option<u64>),
    /// It ends the session, and says so.
    Refuse,
    /// It is not reached, or says nothing about the session.
    Outage(Outage),
}

/// In what way it is not reached.
#[derive(Clone, Copy, Debug)]
pub enum Outage {
    Network,
    Timeout,
    /// A status that says nothing, and perhaps a time that it names (in milliseconds).
    Busy(Option<u64>),
    /// A page of a captive portal.
    Page,
}

/// One thing that happens. Numbers pick among what there is, modulo how many there are.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// An app's request wants to leave.
    Request { tab: u8, repeatable: bool },
    /// An API answers a request on the wire.
    Api { request: u8, refuses: bool },
    /// A request whose refresh has landed goes on.
    Resume { request: u8 },
    /// The caller aborts a request.
    Abort { request: u8 },
    /// `refresh()`.
    Refresh { tab: u8 },
    /// `login()`.
    Login { tab: u8, user: User },
    /// `setTokens()`, after a login of the app's own. Nobody can order that among tabs.
    SetTokens { tab: u8, user: User },
    /// `logout()`.
    Logout { tab: u8, reachable: bool },
    /// The next in line for the lock has it.
    Lock,
    /// Who listened for news stops listening.
    Listened,
    /// The call on the wire is answered.
    Answer { answer: Answer, chance: f64 },
    /// The lock is given back.
    Unlock,
    /// The four above, one after the other.
    Round { answer: Answer, chance: f64 },
    /// A message between tabs arrives.
    Deliver { mail: u8 },
    /// Both clocks go on.
    Tick { ms: u64 },
    /// The wall clock is set.
    Jump { ms: i64 },
    /// The timer that was asked for goes off.
    Wake { tab: u8 },
    /// A tab is opened.
    Open,
    /// The server ends the session, for reasons of its own.
    End,
}

/// A world's settings, and what happens in it.
#[derive(Clone, Debug)]
pub struct Life {
    pub tabs: Tabs,
    pub restore: Restore,
    pub refresh_before: Option<u64>,
    /// Whether tokens tell their subject.
    pub tells_subject: bool,
    /// How many tabs there are at the beginning.
    pub many: usize,
    pub ops: Vec<Op>,
}

fn life_of_a_token() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![
        1 => Just(None),
        1 => (1_u64..2_000).prop_map(Some),
        6 => (2_000_u64..600_000).prop_map(Some),
    ]
}

fn outage() -> impl Strategy<Value = Outage> {
    prop_oneof![
        Just(Outage::Network),
        Just(Outage::Timeout),
        prop_oneof![Just(None), (1_u64..20_000).prop_map(Some)].prop_map(Outage::Busy),
        Just(Outage::Page),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        5 => life_of_a_token().prop_map(Answer::Well),
        1 => Just(Answer::Refuse),
        3 => outage().prop_map(Answer::Outage),
    ]
}

fn tick() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..5, 5_u64..500, 500_u64..5_000, 5_000_u64..700_000]
}

fn jump() -> impl Strategy<Value = i64> {
    prop_oneof![-4_000_i64..4_000, -90_000_000_i64..90_000_000]
}

/// What happens in any world. Several tabs get mail and a lock that others hold.
fn op(several: bool) -> impl Strategy<Value = Op> {
    let tab = || 0_u8..8;
    let all = prop_oneof![
        12 => (tab(), prop::bool::weighted(0.85))
            .prop_map(|(tab, repeatable)| Op::Request { tab, repeatable }),
        10 => (any::<u8>(), any::<bool>()).prop_map(|(request, refuses)| Op::Api { request, refuses }),
        8 => any::<u8>().prop_map(|request| Op::Resume { request }),
        1 => any::<u8>().prop_map(|request| Op::Abort { request }),
        2 => tab().prop_map(|tab| Op::Refresh { tab }),
        3 => (tab(), 1_u8..4).prop_map(|(tab, user)| Op::Login { tab, user }),
        2 => (tab(), prop::bool::weighted(0.9))
            .prop_map(|(tab, reachable)| Op::Logout { tab, reachable }),
        6 => Just(Op::Lock),
        6 => (answer(), 0.0..1.0_f64).prop_map(|(answer, chance)| Op::Answer { answer, chance }),
        6 => Just(Op::Unlock),
        8 => (answer(), 0.0..1.0_f64).prop_map(|(answer, chance)| Op::Round { answer, chance }),
        4 => tick().prop_map(|ms| Op::Tick { ms }),
        3 => tab().prop_map(|tab| Op::Wake { tab }),
        1 => Just(Op::End),
    ];
    if several {
        prop_oneof![
            60 => all,
            12 => any::<u8>().prop_map(|mail| Op::Deliver { mail }),
            4 => Just(Op::Listened),
            1 => Just(Op::Open),
            // Wall clocks of one machine are one clock. It is set forwards, as after a sleep.
            1 => prop_oneof![-3_600_000_i64..0, 0_i64..90_000_000].prop_map(|ms| Op::Jump { ms }),
        ]
        .boxed()
    } else {
        prop_oneof![
            60 => all,
            1 => (tab(), 1_u8..4).prop_map(|(tab, user)| Op::SetTokens { tab, user }),
            2 => jump().prop_map(|ms| Op::Jump { ms }),
        ]
        .boxed()
    }
}

fn restore() -> impl Strategy<Value = Restore> {
    prop_oneof![4 => Just(Restore::Lazy), 1 => Just(Restore::Eager), 1 => Just(Restore::Manual)]
}

fn refresh_before() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (0_u64..100_000).prop_map(Some)]
}

/// The life of one tab that has no others.
pub fn one_tab() -> impl Strategy<Value = Life> {
    (restore(), refresh_before(), any::<bool>(), vec(op(false), 1..70)).prop_map(
        |(restore, refresh_before, tells_subject, ops)| Life {
            tabs: Tabs::Off,
            restore,
            refresh_before,
            tells_subject,
            many: 1,
            ops,
        },
    )
}

/// The life of several tabs that share a cookie jar, and a lock.
pub fn several_tabs() -> impl Strategy<Value = Life> {
    let tabs = prop_oneof![3 => Just(Tabs::Share), 1 => Just(Tabs::Lock)];
    (tabs, restore(), refresh_before(), 2_usize..4, vec(op(true), 1..110)).prop_map(
        |(tabs, restore, refresh_before, many, ops)| Life {
            tabs,
            restore,
            refresh_before,
            tells_subject: true,
            many,
            ops,
        },
    )
}
