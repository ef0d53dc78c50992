//! The events of the model world, and strategies that generate cases from them.
//!
//! Each event is made from one random number. Nested strategies would be more readable, and ten times slower.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use tokenkeep::core::{Renewal, Restore, Tabs};

use super::server::User;

/// How the server, or something in its place, treats a call that sets the cookie.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// It works. The token's life in milliseconds, if the answer names one.
    Well(Option<u64>),
    /// The server ends the session, and says so.
    Refuse,
    /// The server is not reached, or says nothing about the session.
    Outage(Outage),
}

/// The kind of outage.
#[derive(Clone, Copy, Debug)]
pub enum Outage {
    Network,
    Timeout,
    /// A status that says nothing about the session, perhaps with a `Retry-After` (in milliseconds).
    Busy(Option<u64>),
    /// A page of a captive portal.
    Page,
    /// A false success: another program's JSON, or its page.
    Foreign {
        is_json: bool,
    },
}

/// What an API's answer says about the session.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// Nothing.
    Fine,
    /// The token is refused.
    Refused,
    /// The session has ended.
    Ended,
    /// The user must sign in with a stronger method.
    More,
    /// A header field carries a new token with this life.
    Renewed(Option<u64>),
    /// A header field carries a token that was replaced: the answer comes from a cache.
    Cached,
}

/// How many resources the app requests.
pub const RESOURCES: u8 = 3;

/// One event. The numbers select among the existing items, modulo their count.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// The app makes a request.
    Request { tab: u8, repeatable: bool, resource: u8 },
    /// An API answers a request on the wire.
    Api { request: u8, says: Says },
    /// A request whose refresh is settled continues.
    Resume { request: u8 },
    /// The caller aborts a request.
    Abort { request: u8 },
    /// A resource begins, or stops, to answer 401 where it means "forbidden".
    Forbid { resource: u8 },
    /// The app is given the token for its own use.
    HandOut { tab: u8 },
    /// `refresh()`.
    Refresh { tab: u8 },
    /// `login()`.
    Login { tab: u8, user: User },
    /// A call that sets the cookie and carries the token.
    Exchange { tab: u8, user: User },
    /// Somebody signs in where no script of ours sees it. `is_told`: whether the app reports it in a tab.
    Elsewhere { tab: u8, user: User, is_told: bool },
    /// `signedIn()`.
    SignedIn { tab: u8 },
    /// The cookie that hints at a session is missing.
    NoHint { tab: u8 },
    /// `setTokens()`, after the app's own login. It cannot be ordered among tabs.
    SetTokens { tab: u8, user: User },
    /// `logout()`.
    Logout { tab: u8, reachable: bool },
    /// The next auth call in line gets the lock.
    Lock,
    /// An auth call that listens for news stops listening.
    Listened,
    /// The call on the wire is answered. A busy page hears the answer later.
    Answer { answer: Answer, chance: f64, is_heard: bool },
    /// The page hears the answer.
    Hear,
    /// The lock is released.
    Unlock,
    /// The four above, in order.
    Round { answer: Answer, chance: f64 },
    /// A message between tabs arrives.
    Deliver { mail: u8 },
    /// Both clocks advance.
    Tick { ms: u64 },
    /// The wall clock is set.
    Jump { ms: i64 },
    /// The renewal timer fires.
    RenewalTimer { tab: u8 },
    /// A tab is opened. `owed`: what it does about a mark.
    Open { owed: u8 },
    /// A tab is frozen, or put into the back/forward cache. It hears nothing there.
    Freeze { tab: u8 },
    /// It comes back.
    Thaw,
    /// The server ends the session for reasons of its own.
    End { identity: u8 },
}

/// A world's settings and events.
#[derive(Clone, Debug)]
pub struct Case {
    pub tabs: Tabs,
    pub restore: Restore,
    pub refresh_before: Option<u64>,
    /// Whether tokens name their subject.
    pub tells_subject: bool,
    /// Whether tokens say nothing: they are opaque, or the browser keeps them as a cookie.
    pub is_opaque: bool,
    /// What a refresh requires: if it is a token, the token is sent in the answers, and there is no cookie.
    pub renewal: Renewal,
    /// How many different managers there are, which share nothing but the turn.
    pub identities: usize,
    /// The resources that answer 401 where they mean "forbidden", as bits.
    pub forbidden: u8,
    /// How many tabs there are at the start.
    pub many: usize,
    pub ops: Vec<Op>,
}

/// A random number, split into choices. Zero is the simplest choice everywhere.
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

    /// One of several choices, weighted.
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
        match self.below(7) {
            0 => Outage::Network,
            1 => Outage::Timeout,
            2 => Outage::Page,
            3 => Outage::Busy(None),
            4 => Outage::Foreign { is_json: self.below(2) == 0 },
            _ => Outage::Busy(Some(1 + self.below(20_000))),
        }
    }

    fn says(&mut self) -> Says {
        match self.pick([8, 10, 1, 1, 2, 1]) {
            0 => Says::Fine,
            1 => Says::Refused,
            2 => Says::Ended,
            3 => Says::More,
            4 => Says::Renewed(self.life_of_a_token()),
            _ => Says::Cached,
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

    /// An event that is possible in any world.
    fn op(&mut self) -> Op {
        match self.pick([24, 20, 16, 2, 4, 6, 4, 12, 12, 12, 16, 8, 6, 2, 4, 1, 2, 1, 2, 1, 1]) {
            0 => Op::Request {
                repeatable: self.pick([17, 3]) == 0,
                resource: self.below(RESOURCES.into()) as u8,
                tab: self.tab(),
            },
            1 => Op::Api { says: self.says(), request: self.number() },
            2 => Op::Resume { request: self.number() },
            3 => Op::Abort { request: self.number() },
            4 => Op::Refresh { tab: self.tab() },
            5 => Op::Login { tab: self.tab(), user: self.user() },
            6 => Op::Logout { reachable: self.pick([9, 1]) == 0, tab: self.tab() },
            7 => Op::Lock,
            8 => Op::Answer {
                is_heard: self.below(2) == 0,
                answer: self.answer(),
                chance: self.chance(),
            },
            9 => Op::Unlock,
            10 => Op::Round { answer: self.answer(), chance: self.chance() },
            11 => Op::Tick { ms: self.tick() },
            12 => Op::RenewalTimer { tab: self.tab() },
            13 => Op::End { identity: self.tab() },
            14 => Op::Hear,
            15 => Op::Forbid { resource: self.below(RESOURCES.into()) as u8 },
            16 => Op::HandOut { tab: self.tab() },
            17 => Op::Exchange { tab: self.tab(), user: self.user() },
            18 => Op::Elsewhere { is_told: self.below(2) == 0, tab: self.tab(), user: self.user() },
            19 => Op::SignedIn { tab: self.tab() },
            _ => Op::NoHint { tab: self.tab() },
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

    /// Several tabs exchange messages, and wait for locks that others hold.
    fn op_of_several_tabs(&mut self) -> Op {
        match self.pick([60, 12, 4, 1, 1, 2, 2, 1]) {
            0 => self.op(),
            1 => Op::Deliver { mail: self.number() },
            2 => Op::Listened,
            3 => Op::Open { owed: self.number() },
            // All tabs of one machine have the same wall clock. It is set forwards, as after a sleep.
            4 => match self.below(2) {
                0 => Op::Jump { ms: self.within(0..90_000_000) },
                _ => Op::Jump { ms: self.within(-3_600_000..0) },
            },
            5 => Op::Freeze { tab: self.tab() },
            6 => Op::Thaw,
            _ => Op::SetTokens { tab: self.tab(), user: self.user() },
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

/// Most resources mean what they say.
fn forbidden() -> impl Strategy<Value = u8> {
    prop_oneof![2 => Just(0), 1 => 0..1_u8 << RESOURCES]
}

/// A case with a single tab.
pub fn one_tab() -> impl Strategy<Value = Case> {
    let tells = prop_oneof![Just((true, false)), Just((false, false)), Just((false, true))];
    let renewal = prop_oneof![3 => Just(Renewal::Always), 1 => Just(Renewal::WithToken)];
    let settings = (restore(), refresh_before(), tells, renewal, forbidden());
    (settings, ops(Bits::op_of_one_tab, 70)).prop_map(
        |((restore, refresh_before, (tells_subject, is_opaque), renewal, forbidden), ops)| Case {
            tabs: Tabs::Off,
            restore,
            refresh_before,
            tells_subject,
            is_opaque,
            renewal,
            identities: 1,
            forbidden,
            many: 1,
            ops,
        },
    )
}

/// A case with several tabs that share a cookie jar and a lock.
pub fn several_tabs() -> impl Strategy<Value = Case> {
    // Tabs that share nothing cannot have a common refresh token.
    let ways = prop_oneof![
        5 => Just((Tabs::Share, Renewal::Always)),
        2 => Just((Tabs::Lock, Renewal::Always)),
        1 => Just((Tabs::Share, Renewal::WithToken)),
    ];
    let ops = ops(Bits::op_of_several_tabs, 110);
    let identities = prop_oneof![3 => Just(1), 1 => Just(2)];
    let settings = (ways, restore(), refresh_before(), identities, forbidden(), 2_usize..4);
    (settings, ops).prop_map(
        |(((tabs, renewal), restore, refresh_before, identities, forbidden, many), ops)| Case {
            tabs,
            restore,
            refresh_before,
            tells_subject: true,
            is_opaque: false,
            renewal,
            identities,
            forbidden,
            many: many + identities - 1,
            ops,
        },
    )
}
