//! Answers to the manager's own calls, with every part that a server decides.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tokenkeep::core::{
    Arrival, AuthResponse, Body, Flaw, Life, Now, Owed, Policy, Resource, Secret, Session, Status, Tabs,
    TokenResponse, life, payload, retry_after,
};

#[derive(Arbitrary, Debug)]
struct Answer {
    status: u16,
    body: What,
    after_seconds: Option<f64>,
    after_date: Option<f64>,
    date: Option<f64>,
    chance: u8,
    gone: u32,
    clock: i32,
}

#[derive(Arbitrary, Debug)]
enum What {
    Empty,
    Other,
    Error(Option<String>),
    Tokens {
        access: String,
        refresh: Option<String>,
        expires_in: Option<f64>,
        expires_at: Option<f64>,
        iat: Option<f64>,
        exp: Option<f64>,
    },
}

const HOUR: u64 = 3_600_000;
const TEN_YEARS: u64 = 10 * 365 * 24 * HOUR;

fuzz_target!(|answers: Vec<Answer>| {
    let mut now = Now { wall: 1_700_000_000_000, steady: 0 };
    let mut session = page(now);
    for answer in answers {
        now.steady += u64::from(answer.gone);
        now.wall = now.wall.saturating_add_signed(i64::from(answer.gone) + i64::from(answer.clock));
        let Ok(Some(wait)) = session.refresh(now) else { continue };
        assert_eq!(session.arrive(wait.auth_call, false, now), Arrival::Go);
        while session.poll_effect().is_some() {}
        let served = answer.date.unwrap_or(now.wall as f64);
        let named = retry_after(answer.after_seconds, answer.after_date, served);
        assert!(named.is_none_or(|named| (0..=HOUR).contains(&named.0)), "{named:?}");
        let (body, is_token) = body(answer.body, answer.date, now);
        // Any status that the platform shows to a page.
        let status = 200 + answer.status % 400;
        let is_clear = match &body {
            Body::Json { error: Some(error), .. } if error == "invalid_grant" => {
                (400..500).contains(&status)
            }
            Body::Json { .. } | Body::Empty => matches!(status, 400 | 401 | 403),
            // Answers to other kinds of calls are read elsewhere.
            _ => false,
        };
        let before = session.snapshot();
        let chance = f64::from(answer.chance) / 256.0;
        let response = AuthResponse { status, body, rejected: None, retry_after: named };
        session.refresh_answered(wait.auth_call, response, chance, now);
        session.finished(wait.auth_call);
        while session.poll_effect().is_some() {}
        let after = session.snapshot();
        if is_token && status < 300 {
            assert_eq!(after.status, Status::SignedIn);
            let end = after.expires_at.unwrap_or(now.wall);
            assert!((now.wall..=now.wall + TEN_YEARS).contains(&end), "{end}");
        } else if is_clear {
            assert_eq!(after.status, Status::SignedOut);
        } else {
            assert_eq!(after, before, "an outage changes nothing");
            assert!(
                session.refresh(now).is_ok() == named.is_none_or(|named| named.0 == 0),
                "by name, only Retry-After holds"
            );
            session.logout(false, now);
            session = page(now);
        }
        assert!(session.renewal_due_in(0.0, now).is_none_or(|ms| ms <= TEN_YEARS));
        session.renewal_timer_fired(now);
        let _ = session.depart(Resource::ANY, now);
        while session.poll_effect().is_some() {}
        // Drops whatever is in flight.
        session = again(session, now);
    }
});

/// The body as the shell describes it, and whether it contains a token.
fn body(what: What, date: Option<f64>, now: Now) -> (Body, bool) {
    match what {
        What::Empty => (Body::Empty, false),
        What::Other => (Body::Other, false),
        What::Error(error) => (Body::Json { error, tokens: Err(Flaw::NoString) }, false),
        What::Tokens { access, refresh, expires_in, expires_at, iat, exp } => {
            let Ok(access_token) = Secret::new(access) else { return (Body::Other, false) };
            let claims = payload(access_token.reveal());
            let tokens = TokenResponse {
                life: life(&Life { expires_in, expires_at, iat, exp, date }, now),
                session_life: None,
                refresh_token: refresh.and_then(|token| Secret::new(token).ok()),
                claims: claims.map(Into::into),
                subject: None,
                issued: iat.map(|seconds| (seconds * 1000.0) as u64),
                access_token,
            };
            assert!(
                tokens.life.is_none_or(|ms| (1..=TEN_YEARS).contains(&ms)),
                "{:?}",
                tokens.life
            );
            (Body::Json { error: None, tokens: Ok(tokens) }, true)
        }
    }
}

/// A page without other tabs.
fn page(now: Now) -> Session {
    Session::new(Policy { tabs: Tabs::Off, ..Policy::default() }, Owed::Nothing, now)
}

/// A session in the same state, as far as an answer depends on it, with an empty queue.
fn again(session: Session, now: Now) -> Session {
    let is_in = session.snapshot().status == Status::SignedIn;
    let mut fresh = page(now);
    if is_in {
        fresh.enter(
            TokenResponse {
                access_token: Secret::new("token".to_owned()).expect("visible"),
                refresh_token: None,
                life: Some(60_000),
                session_life: None,
                claims: None,
                subject: None,
                issued: None,
            },
            now,
        );
    }
    while fresh.poll_effect().is_some() {}
    fresh
}
