//! No type of the core prints a token, nor a token's claims: not in `Debug`, not in `Display`, wherever the
//! token is stored.

#![cfg(not(target_arch = "wasm32"))]

use std::fmt::Debug;

use tokenkeep::core::{
    Arrival, AuthResponse, Body, Code, Departure, Effect, Failure, Flaw, HybridTime, Message, Now,
    Owed, Policy, Resource, Secret, Session, Step, Tabs, TokenResponse, Verdict, payload, verdict,
};

const ACCESS: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl";
const REFRESH: &str = "r3fr3sh-t0k3n";
const SUBJECT: &str = "alice";
const CLAIMS: &str = r#"{"sub":"alice","email":"alice@example.com"}"#;
const NOON: Now = Now { wall: 1_700_000_000_000, steady: 0 };

fn token_response() -> TokenResponse {
    TokenResponse {
        access_token: Secret::new(ACCESS.to_owned()).unwrap(),
        refresh_token: Some(Secret::new(REFRESH.to_owned()).unwrap()),
        life: Some(60_000),
        session_life: None,
        claims: Some(CLAIMS.into()),
        subject: Some(SUBJECT.to_owned()),
        issued: None,
        bound: None,
    }
}

fn auth_response() -> AuthResponse {
    let body = Body::Json { error: None, tokens: Ok(token_response()) };
    AuthResponse { status: 200, body, rejected: None, retry_after: None }
}

#[track_caller]
fn is_silent(what: &str, printed: &str) {
    for secret in [ACCESS, REFRESH, SUBJECT, "example.com", "c2lnbmF0dXJl", "eyJ"] {
        assert!(!printed.contains(secret), "{what} prints {secret}: {printed}");
    }
}

#[track_caller]
fn keeps_to_itself(what: &str, value: &dyn Debug) {
    is_silent(what, &format!("{value:?}"));
    is_silent(what, &format!("{value:#?}"));
}

/// A session with a token from a login and from a refresh after it, in all its parts.
fn session() -> (Session, Vec<Effect>) {
    let policy = Policy { tabs: Tabs::Share, ..Policy::default() };
    let mut session = Session::new(policy, Owed::Nothing, NOON);
    session.enter(token_response(), NOON);
    let wait = session.refresh(NOON).unwrap().unwrap();
    assert_eq!(session.arrive(wait.auth_call, false, NOON), Arrival::Go);
    session.refresh_answered(wait.auth_call, auth_response(), 0.5, NOON);
    session.finished(wait.auth_call);
    session.heard(Message::Ask, NOON);
    let effects = std::iter::from_fn(|| session.poll_effect()).collect();
    (session, effects)
}

#[test]
fn a_session_in_use_prints_no_token() {
    let (mut session, effects) = session();
    assert_eq!(session.refresh_token().unwrap().reveal(), REFRESH, "there is something to hide");
    assert!(session.snapshot().claims.is_some(), "there is something to hide");
    keeps_to_itself("a session", &session);
    keeps_to_itself("its snapshot", &session.snapshot());
    let posted = effects.iter().filter(|effect| matches!(effect, Effect::Post(_))).count();
    assert!(posted >= 3, "the token is in the messages: {effects:?}");
    keeps_to_itself("effects", &effects);
    let Departure::Send(ticket) = session.depart(Resource::ANY, NOON) else {
        panic!("there is a token")
    };
    assert_eq!(session.credential(ticket).unwrap().reveal(), ACCESS);
    keeps_to_itself("a credential", &session.credential(ticket));
    keeps_to_itself("a departure", &session.depart(Resource::ANY, NOON));
    keeps_to_itself("a second departure", &session.answered(ticket, true, NOON));
    session.enter(token_response(), NOON);
    keeps_to_itself("a session with effects that wait", &session);
}

#[test]
fn values_that_are_not_secret_are_printed() {
    let (session, _) = session();
    for (printed, plain) in [
        (format!("{:?}", token_response()), "life: Some(60000)"),
        (format!("{:?}", session.snapshot()), "status: SignedIn"),
        (format!("{session:?}"), "used: false"),
    ] {
        assert!(printed.contains(plain), "{plain}: {printed}");
    }
}

#[test]
fn no_type_that_holds_a_token_prints_it() {
    keeps_to_itself("a secret", &token_response().access_token);
    keeps_to_itself("a token response", &token_response());
    keeps_to_itself("an answer", &auth_response());
    keeps_to_itself("a body", &auth_response().body);
    for step in [Step::Refresh, Step::Login] {
        let verdict = verdict(step, auth_response());
        assert!(matches!(verdict, Verdict::Granted(_)));
        keeps_to_itself("a verdict", &verdict);
    }
    let (stamp, session) = (HybridTime(2), HybridTime(1));
    keeps_to_itself(
        "a renewal",
        &Message::Renewed { stamp, session, asked: session, tokens: token_response() },
    );
    keeps_to_itself(
        "a login",
        &Message::Entered { stamp, subject: None, tokens: Some(token_response()) },
    );
    let message = Message::Entered { stamp, subject: None, tokens: Some(token_response()) };
    keeps_to_itself("an effect", &Effect::Post(Box::new(message)));
}

#[test]
fn a_failure_contains_nothing_of_the_answer_that_caused_it() {
    let refused = |status, error: &str| AuthResponse {
        status,
        body: Body::Json { error: Some(error.to_owned()), tokens: Err(Flaw::NoString) },
        rejected: None,
        retry_after: None,
    };
    // A server that echoes what it was sent.
    for (status, error) in [(401, ACCESS), (400, REFRESH), (503, ACCESS), (200, REFRESH)] {
        for step in [Step::Refresh, Step::Login] {
            match verdict(step, refused(status, error)) {
                Verdict::Granted(_) => panic!("there was no token"),
                Verdict::Rejected(failure) | Verdict::Unreached(failure, _) => {
                    is_silent("a failure", &failure.to_string());
                    keeps_to_itself("a failure", &failure);
                }
            }
        }
    }
    for token in ["", "two words\u{7f}", ACCESS] {
        if let Err(unusable) = Secret::new(token.to_owned()) {
            let flaw = Flaw::Unusable(unusable);
            let failure = Failure::new(Code::BadAnswer, Step::Refresh).with_flaw(flaw);
            assert!(!failure.to_string().contains("two words"));
        }
    }
}

#[test]
fn the_claims_are_available_on_request() {
    // The claims are not printed, but still available.
    assert_eq!(payload(ACCESS).as_deref(), Some(r#"{"sub":"alice"}"#));
    assert_eq!(session().0.snapshot().claims.as_deref(), Some(CLAIMS));
}
