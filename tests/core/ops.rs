//! What can happen in the model world, and strategies that make up a life of it.
//!
//! Each thing that happens is made of one random number. Nested strategies would read better, and
//! take ten times as long.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use tokenkeep::core::{Renewal, Restore, Tabs};

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

/// What an API's answer says of the session.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// Nothing.
    Fine,
    /// The token is refused.
    Refused,
    /// The session has ended.
    Ended,
    /// A stronger login is wanted.
    More,
    /// There is a new token in a header field, of such a life.
    Renewed(Option<u64>),
}

/// One thing that happens. Numbers pick among what there is, modulo how many there are.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// An app's request wants to leave.
    Request { tab: u8, repeatable: bool },
    /// An API answers a request on the wire.
    Api { request: u8, says: Says },
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
    /// A tab is put away: frozen, or in the back/forward cache. It hears nothing there.
    Freeze { tab: u8 },
    /// It comes back.
    Thaw,
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
    /// Whether tokens tell nothing: opaque ones, and those that the browser has as a cookie.
    pub is_opaque: bool,
    /// What a refresh needs: with a token, that travels in the answers, and there is no cookie.
    pub renewal: Renewal,
    /// How many tabs there are at the beginning.
    pub many: usize,
    pub ops: Vec<Op>,
}

/// A random number, taken apart. Zero is the simplest of everything.
struct Bits(u64);

impl Bits {
    fn below(&mut self, many: u64) -> u64 {
        let number = self.0 % many;
        self.0 /= many;
        number
    }

    fn within(&mut self, range: Range<i64>) -> i64 {
        range.start + self.below(range.start.abs_diff(range.end)) as i64
    }

    /// One of several, the likelier the greater its weight.
    fn pick<const N: usize>(&mut self, weights: [u64; N]) -> usize {
        let mut number = self.below(weights.iter().sum());
        for (at, weight) in weights.into_iter().enumerate() {
            if number < weight {
                return at;
            }
            number -= weight;
        }
        unreachable!("a number below the sum lies within it")
    }

    fn number(&mut self) -> u8 {
        self.below(256) as u8
    }

    fn tab(&mut self) -> u8 {
        self.below(8) as u8
    }

    fn user(&mut self) -> User {
        1 + self.below(3) as User
    }

    fn chance(&mut self) -> f64 {
        self.below(1_000) as f64 / 1_000.0
    }

    fn life_of_a_token(&mut self) -> Option<u64> {
        match self.pick([6, 1, 1]) {
            0 => Some(2_000 + self.below(598_000)),
            1 => Some(1 + self.below(2_000)),
            _ => None,
        }
    }

    fn outage(&mut self) -> Outage {
        match self.below(5) {
            0 => Outage::Network,
            1 => Outage::Timeout,
            2 => Outage::Page,
            3 => Outage::Busy(None),
            _ => Outage::Busy(Some(1 + self.below(20_000))),
        }
    }

    fn says(&mut self) -> Says {
        match self.pick([8, 10, 1, 1, 2]) {
            0 => Says::Fine,
            1 => Says::Refused,
            2 => Says::Ended,
            3 => Says::More,
            _ => Says::Renewed(self.life_of_a_token()),
        }
    }

    fn answer(&mut self) -> Answer {
        match self.pick([5, 1, 3]) {
            0 => Answer::Well(self.life_of_a_token()),
            1 => Answer::Refuse,
            _ => Answer::Outage(self.outage()),
        }
    }

    fn tick(&mut self) -> u64 {
        let most = [5, 500, 5_000, 700_000][self.below(4) as usize];
        self.below(most)
    }

    /// What happens in any world.
    fn op(&mut self) -> Op {
        match self.pick([12, 10, 8, 1, 2, 3, 2, 6, 6, 6, 8, 4, 3, 1]) {
            0 => Op::Request { repeatable: self.pick([17, 3]) == 0, tab: self.tab() },
            1 => Op::Api { says: self.says(), request: self.number() },
            2 => Op::Resume { request: self.number() },
            3 => Op::Abort { request: self.number() },
            4 => Op::Refresh { tab: self.tab() },
            5 => Op::Login { tab: self.tab(), user: self.user() },
            6 => Op::Logout { reachable: self.pick([9, 1]) == 0, tab: self.tab() },
            7 => Op::Lock,
            8 => Op::Answer { answer: self.answer(), chance: self.chance() },
            9 => Op::Unlock,
            10 => Op::Round { answer: self.answer(), chance: self.chance() },
            11 => Op::Tick { ms: self.tick() },
            12 => Op::Wake { tab: self.tab() },
            _ => Op::End,
        }
    }

    fn op_of_one_tab(&mut self) -> Op {
        match self.pick([60, 1, 2]) {
            0 => self.op(),
            1 => Op::SetTokens { tab: self.tab(), user: self.user() },
            _ => {
                let most = [4_000, 90_000_000][self.below(2) as usize];
                Op::Jump { ms: self.within(-most..most) }
            }
        }
    }

    /// Several tabs get mail, and a lock that others hold.
    fn op_of_several_tabs(&mut self) -> Op {
        match self.pick([60, 12, 4, 1, 1, 2, 2]) {
            0 => self.op(),
            1 => Op::Deliver { mail: self.number() },
            2 => Op::Listened,
            3 => Op::Open,
            // Wall clocks of one machine are one clock. It is set forwards, as after a sleep.
            4 => match self.below(2) {
                0 => Op::Jump { ms: self.within(0..90_000_000) },
                _ => Op::Jump { ms: self.within(-3_600_000..0) },
            },
            5 => Op::Freeze { tab: self.tab() },
            _ => Op::Thaw,
        }
    }
}

fn ops(op: fn(&mut Bits) -> Op, most: usize) -> impl Strategy<Value = Vec<Op>> {
    vec(any::<u64>(), 1..most)
        .prop_map(move |numbers| numbers.into_iter().map(|number| op(&mut Bits(number))).collect())
}

fn restore() -> impl Strategy<Value = Restore> {
    prop_oneof![4 => Just(Restore::Lazy), 1 => Just(Restore::Eager), 1 => Just(Restore::Manual)]
}

fn refresh_before() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![Just(None), (0_u64..100_000).prop_map(Some)]
}

/// The life of one tab that has no others.
pub fn one_tab() -> impl Strategy<Value = Life> {
    let tells = prop_oneof![Just((true, false)), Just((false, false)), Just((false, true))];
    let renewal = prop_oneof![3 => Just(Renewal::Always), 1 => Just(Renewal::WithToken)];
    (restore(), refresh_before(), tells, renewal, ops(Bits::op_of_one_tab, 70)).prop_map(
        |(restore, refresh_before, (tells_subject, is_opaque), renewal, ops)| Life {
            tabs: Tabs::Off,
            restore,
            refresh_before,
            tells_subject,
            is_opaque,
            renewal,
            many: 1,
            ops,
        },
    )
}

/// The life of several tabs that share a cookie jar, and a lock.
pub fn several_tabs() -> impl Strategy<Value = Life> {
    // Tabs that share nothing can have no refresh token in common.
    let ways = prop_oneof![
        5 => Just((Tabs::Share, Renewal::Always)),
        2 => Just((Tabs::Lock, Renewal::Always)),
        1 => Just((Tabs::Share, Renewal::WithToken)),
    ];
    let ops = ops(Bits::op_of_several_tabs, 110);
    (ways, restore(), refresh_before(), 2_usize..4, ops).prop_map(
        |((tabs, renewal), restore, refresh_before, many, ops)| Life {
            tabs,
            restore,
            refresh_before,
            tells_subject: true,
            is_opaque: false,
            renewal,
            many,
            ops,
        },
    )
}
