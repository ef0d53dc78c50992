//! Random cases for the rules about a token that the app itself is given: an app asks for the token, reports
//! a refused one, peeks, and asks whether somebody is signed in, while time passes, refreshes are answered or
//! not, and users come and go. One tab only; `core_rules` covers the rest of the world.

// The crate that generates the cases is not built for the browser.
#![cfg(not(target_arch = "wasm32"))]

#[path = "core/many.rs"]
mod many;
#[path = "core/support.rs"]
#[expect(dead_code, reason = "the scenarios use the rest")]
mod support;

use std::collections::HashSet;

use many::check_cases;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use support::{at, auth_response, opaque, told};
use tokenkeep::core::{
    Arrival, AuthCall, Code, Departure, Effect, Kind, Owed, Policy, RefreshOutcome, Resource,
    Secret, Session, Status, TokenResponse, Wait,
};

const CASES: u32 = 10_000;
/// The life of every token, in milliseconds.
const LIFE: u64 = 600_000;
const URLS: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    Ask,
    /// A URL refuses one of the last tokens that the app was given.
    Report {
        back: usize,
        by: usize,
    },
    Peek,
    Known,
    /// The refresh is answered with a token, refused, or not answered.
    Answer {
        by: Option<bool>,
    },
    /// A caller whose refresh is settled continues.
    Resume {
        number: usize,
    },
    Enter,
    Logout,
    Tick {
        ms: u64,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let tick = prop_oneof![0..50_u64, 0..20_000_u64, 500_000..700_000_u64];
    prop_oneof![
        3 => Just(Op::Ask),
        6 => (0..4_usize, 0..URLS)
            .prop_map(|(back, by)| Op::Report { back, by }),
        2 => Just(Op::Peek),
        1 => Just(Op::Known),
        5 => prop_oneof![4 => Just(Some(true)), 1 => Just(Some(false)), 2 => Just(None)]
            .prop_map(|by| Op::Answer { by }),
        4 => (0..8_usize).prop_map(|number| Op::Resume { number }),
        1 => Just(Op::Enter),
        1 => Just(Op::Logout),
        4 => tick.prop_map(|ms| Op::Tick { ms }),
    ]
}

/// A waiting caller: what it asked for, the token that it reported, and its session.
struct Caller {
    wait: Wait,
    refused: Option<String>,
    session: usize,
    outcome: Option<RefreshOutcome>,
}

struct App {
    tab: Session,
    ms: u64,
    /// Counts sign-ins and sign-outs.
    session: usize,
    /// The tokens that the server has issued, with their time and session.
    issued: Vec<(String, u64, usize)>,
    /// The tokens that the app was given.
    given: Vec<(String, usize)>,
    /// The tokens that the app reported.
    refused: HashSet<String>,
    callers: Vec<Caller>,
    /// Refreshes that have begun and are not answered.
    pending: Vec<AuthCall>,
}

impl App {
    fn begun() -> Self {
        let tab = Session::new(Policy::default(), Owed::Nothing, at(0));
        let mut app = Self {
            tab,
            ms: 0,
            session: 0,
            issued: Vec::new(),
            given: Vec::new(),
            refused: HashSet::new(),
            callers: Vec::new(),
            pending: Vec::new(),
        };
        app.obeys();
        app
    }

    /// Issues another token of the session.
    fn issue(&mut self) -> TokenResponse {
        let token = format!("token{}", self.issued.len());
        self.issued.push((token.clone(), self.ms, self.session));
        opaque(&token)
    }

    /// Carries out the session's effects.
    fn obeys(&mut self) {
        for effect in told(&mut self.tab) {
            match effect {
                Effect::Start(auth_call, Kind::Refresh) => self.pending.push(auth_call),
                Effect::SettleRefresh(auth_call, outcome) => {
                    let waits = |caller: &&mut Caller| caller.wait.auth_call == auth_call;
                    for caller in self.callers.iter_mut().filter(waits) {
                        caller.outcome = Some(outcome);
                    }
                }
                _ => {}
            }
        }
    }

    fn happens(&mut self, op: Op) -> TestCaseResult {
        match op {
            Op::Ask => self.asks(None, self.session),
            Op::Report { back, by } => {
                let Some((token, of)) =
                    self.given.len().checked_sub(back + 1).map(|at| self.given[at].clone())
                else {
                    return Ok(());
                };
                let begun = self.pending.len();
                let (newest, since, _) = self.issued.last().cloned().unwrap_or_default();
                let is_good = self.ms - since < LIFE * 9 / 10 && !self.refused.contains(&newest);
                let is_late = of == self.session && newest != token && is_good;
                self.refused.insert(token.clone());
                // For a token of another session, the app gets no token of the current one.
                self.asks(Some((token, by)), of)?;
                let is_begun = self.pending.len() > begun;
                prop_assert!(!is_late || !is_begun, "a late report has begun a refresh");
                Ok(())
            }
            Op::Peek => {
                let token = self.tab.peek(at(self.ms));
                self.obeys();
                token.map_or(Ok(()), |token| {
                    let (newest, since, of) = self.issued.last().cloned().unwrap();
                    prop_assert_eq!(token.reveal(), newest.as_str());
                    prop_assert_eq!(of, self.session);
                    prop_assert!(self.ms - since < LIFE, "a token past its end was shown");
                    self.given.push((newest, of));
                    Ok(())
                })
            }
            Op::Known => {
                let asked = self.tab.known(at(self.ms));
                self.obeys();
                let is_known = self.tab.status() != Status::Unknown;
                prop_assert_eq!(is_known, asked == Ok(None), "{:?}", asked);
                Ok(())
            }
            Op::Answer { by } => self.answers(by),
            Op::Resume { number } => {
                let settled: Vec<usize> = (0..self.callers.len())
                    .filter(|at| self.callers[*at].outcome.is_some())
                    .collect();
                settled.get(number).copied().map_or(Ok(()), |at| self.resumes(at))
            }
            Op::Enter => {
                self.session += 1;
                let tokens = self.issue();
                self.tab.enter(tokens, at(self.ms));
                self.obeys();
                Ok(())
            }
            Op::Logout => {
                self.session += 1;
                self.tab.logout(false, at(self.ms));
                self.obeys();
                Ok(())
            }
            Op::Tick { ms } => {
                self.ms += ms;
                Ok(())
            }
        }
    }

    /// `session`: the caller's session.
    fn asks(&mut self, refused: Option<(String, usize)>, session: usize) -> TestCaseResult {
        let secret = |token: &str| Secret::new(token.to_owned()).unwrap();
        let report = refused.as_ref().map(|(token, by)| {
            (secret(token), Resource::reported(&format!("https://api.test/{by}")))
        });
        let report = report.as_ref().map(|(token, by)| (token, *by));
        let departure = self.tab.access_token(report, at(self.ms));
        self.obeys();
        self.goes_on(departure, refused.map(|(token, _)| token), session)
    }

    fn resumes(&mut self, number: usize) -> TestCaseResult {
        let Caller { wait, refused, session, outcome } = self.callers.remove(number);
        let departure = self.tab.resume(wait, &outcome.unwrap(), at(self.ms));
        self.obeys();
        self.goes_on(departure, refused, session)
    }

    fn goes_on(
        &mut self,
        departure: Departure,
        refused: Option<String>,
        session: usize,
    ) -> TestCaseResult {
        if let Departure::Wait(wait) = departure {
            self.callers.push(Caller { wait, refused, session, outcome: None });
            return Ok(());
        }
        let secret = refused.as_ref().map(|token| Secret::new(token.clone()).unwrap());
        match self.tab.hand_over(departure, secret.as_ref()) {
            Ok(token) => {
                let (newest, _, of) = self.issued.last().cloned().unwrap();
                prop_assert_ne!(Some(token.reveal()), refused.as_deref(), "it was refused");
                prop_assert_eq!(token.reveal(), newest.as_str(), "not the newest");
                prop_assert_eq!((of, session), (self.session, self.session), "of another session");
                self.given.push((newest, of));
            }
            Err(failure) => {
                let is_over = session != self.session || self.tab.status() != Status::SignedIn;
                let as_ruled = match failure.code {
                    Code::SessionChanged => true,
                    Code::Forbidden => refused.is_some() && !is_over,
                    Code::SignedOut => is_over,
                    code => code.is_retryable(),
                };
                prop_assert!(as_ruled, "{failure:?} for {refused:?} of {session}");
            }
        }
        Ok(())
    }

    fn answers(&mut self, by: Option<bool>) -> TestCaseResult {
        if self.pending.is_empty() {
            return Ok(());
        }
        prop_assert_eq!(self.pending.len(), 1, "one refresh at a time");
        let auth_call = self.pending.remove(0);
        let now = at(self.ms);
        if self.tab.arrive(auth_call, false, now) == Arrival::Go {
            match by {
                Some(true) => {
                    let tokens = self.issue();
                    self.tab.refresh_answered(
                        auth_call,
                        auth_response(200, Some(tokens)),
                        0.5,
                        now,
                    );
                }
                Some(false) => {
                    self.session += 1;
                    self.tab.refresh_answered(auth_call, auth_response(401, None), 0.5, now);
                }
                None => self.tab.refresh_failed(auth_call, Code::Network, 0.5, now),
            }
        }
        self.tab.finished(auth_call);
        self.obeys();
        Ok(())
    }

    /// Lets everything pending finish.
    fn drains(&mut self) -> TestCaseResult {
        for _ in 0..100 {
            self.answers(Some(true))?;
            while let Some(at) = self.callers.iter().position(|caller| caller.outcome.is_some()) {
                self.resumes(at)?;
            }
        }
        prop_assert!(self.callers.is_empty(), "somebody waits for ever");
        Ok(())
    }
}

#[test]
fn the_app_is_given_the_newest_token_of_its_session_and_no_refused_one() {
    let cases = vec(op(), 1..60);
    check_cases("handed_out", cases, CASES, |ops| {
        let mut app = App::begun();
        for op in ops {
            app.happens(op)?;
        }
        app.drains()
    });
}
