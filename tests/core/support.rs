//! Shared helpers of the scenarios: calls to a session, and questions about its effects.

use tokenkeep::core::{
    Arrival, AuthCall, AuthResponse, Body, Departure, Effect, Event, HybridTime, Message, Now,
    Owed, Policy, Reason, RefreshOutcome, Resource, Secret, Session, Tabs, Ticket, TokenResponse,
};

/// For requests whose target does not matter.
pub const ANY: Resource = Resource::ANY;

pub const START: u64 = 1_700_000_000_000;

pub fn at(ms: u64) -> Now {
    Now { wall: START + ms, steady: ms }
}

pub fn stamp(ms: u64) -> HybridTime {
    HybridTime::at(START + ms)
}

/// A token that does not name its user, as opaque tokens do.
pub fn opaque(token: &str) -> TokenResponse {
    TokenResponse {
        access_token: Secret::new(token.to_owned()).unwrap(),
        refresh_token: None,
        life: Some(600_000),
        session_life: None,
        claims: None,
        subject: None,
        issued: None,
        bound: None,
    }
}

pub fn auth_response(status: u16, tokens: Option<TokenResponse>) -> AuthResponse {
    let body = tokens.map_or(Body::Empty, |tokens| Body::Json { error: None, tokens: Ok(tokens) });
    AuthResponse { status, body, rejected: None, retry_after: None }
}

/// A pending logout that can be finished.
pub fn owes(is_owed: bool) -> Owed {
    if is_owed { Owed::Finish } else { Owed::Nothing }
}

pub fn tab() -> Session {
    tab_that(Tabs::Share, false)
}

pub fn tab_that(tabs: Tabs, owed: bool) -> Session {
    let mut session = Session::new(Policy { tabs, ..Policy::default() }, owes(owed), at(0));
    told(&mut session);
    session
}

/// The session's effects since the last call.
pub fn told(session: &mut Session) -> Vec<Effect> {
    std::iter::from_fn(|| session.poll_effect()).collect()
}

pub fn posted(effects: Vec<Effect>) -> Vec<Message> {
    let post = |effect| if let Effect::Post(message) = effect { Some(*message) } else { None };
    effects.into_iter().filter_map(post).collect()
}

pub fn sign_outs(effects: &[Effect]) -> Vec<Reason> {
    let reason = |effect: &Effect| match effect {
        Effect::Tell(Event::SignOut(reason)) => Some(*reason),
        _ => None,
    };
    effects.iter().filter_map(reason).collect()
}

/// Puts a refresh on the wire.
pub fn goes(session: &mut Session, now: Now) -> AuthCall {
    let auth_call = session.refresh(now).unwrap().expect("it is asked for").auth_call;
    assert_eq!(session.arrive(auth_call, false, now), Arrival::Go);
    auth_call
}

/// Runs a whole refresh.
pub fn refreshes(session: &mut Session, answer: Option<TokenResponse>, now: Now) -> Vec<Effect> {
    let auth_call = goes(session, now);
    let status = if answer.is_some() { 200 } else { 401 };
    session.refresh_answered(auth_call, auth_response(status, answer), 0.5, now);
    session.finished(auth_call);
    told(session)
}

/// Sends a request. Returns the token it was sent with.
pub fn sends(session: &mut Session, now: Now) -> (Ticket, Option<String>) {
    let Departure::Send(ticket) = session.depart(ANY, now) else { panic!("it does not leave") };
    (ticket, session.credential(ticket).map(|token| token.reveal().to_owned()))
}

pub fn renewed(ms: u64, session: u64, token: &str) -> Message {
    let session = if session == 0 { HybridTime(0) } else { stamp(session) };
    Message::Renewed { stamp: stamp(ms), session, asked: HybridTime(0), tokens: opaque(token) }
}

pub fn entered(ms: u64, token: &str) -> Message {
    Message::Entered { stamp: stamp(ms), subject: None, tokens: Some(opaque(token)) }
}

/// The outcome of a refresh for the calls that waited for it.
pub fn refresh_outcome(effects: &[Effect], of: AuthCall) -> RefreshOutcome {
    let mut outcomes = effects.iter().filter_map(|effect| match effect {
        Effect::SettleRefresh(auth_call, outcome) if *auth_call == of => Some(*outcome),
        _ => None,
    });
    let outcome = outcomes.next().expect("it is settled");
    assert_eq!(outcomes.next(), None, "it is settled once");
    outcome
}
