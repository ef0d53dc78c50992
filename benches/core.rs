//! Measures the core's decisions natively: `cargo xtask bench --core`. They must cost far less than the
//! platform's `fetch`, and the cost of a storm must stay linear in its calls.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokenkeep::Secret;
use tokenkeep::core::{
    Api, Apis, Arrival, AuthResponse, Body, Departure, Effect, Now, Owed, Policy, RefreshOutcome,
    Resource, Session, Ticket, TokenResponse, challenges, payload,
};

const NOON: Now = Now { wall: 1_700_000_000_000, steady: 5_000 };

fn token_response(token: &str) -> TokenResponse {
    TokenResponse {
        access_token: Secret::new(token.to_owned()).expect("a token"),
        refresh_token: None,
        life: Some(300_000),
        session_life: None,
        claims: None,
        subject: None,
        issued: None,
        bound: None,
    }
}

fn signed_in() -> Session {
    let mut session = Session::new(Policy::default(), Owed::Nothing, NOON);
    session.enter(token_response("first"), NOON);
    while session.poll_effect().is_some() {}
    session
}

fn leave(session: &mut Session) -> Ticket {
    match session.depart(Resource::ANY, NOON) {
        Departure::Send(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

/// A storm: `calls` requests, all refused, one refresh, all sent again.
fn storm(session: &mut Session, calls: usize) -> usize {
    let tickets: Vec<_> = (0..calls).map(|_| leave(session)).collect();
    let waits: Vec<_> = tickets
        .into_iter()
        .map(|ticket| match session.answered(ticket, true, NOON) {
            Departure::Wait(wait) => wait,
            other => panic!("{other:?}"),
        })
        .collect();
    let auth_call = waits[0].auth_call;
    assert_eq!(session.arrive(auth_call, false, NOON), Arrival::Go);
    let body = Body::Json { error: None, tokens: Ok(token_response("second")) };
    session.refresh_answered(
        auth_call,
        AuthResponse { status: 200, body, rejected: None, retry_after: None },
        0.5,
        NOON,
    );
    session.finished(auth_call);
    let mut outcome = None;
    while let Some(effect) = session.poll_effect() {
        if let Effect::SettleRefresh(_, how) = effect {
            outcome = Some(how);
        }
    }
    assert_eq!(outcome, Some(RefreshOutcome::Renewed));
    waits
        .iter()
        .filter(|wait| {
            matches!(session.resume(**wait, &RefreshOutcome::Renewed, NOON), Departure::Send(_))
        })
        .count()
}

fn calls(criterion: &mut Criterion) {
    let mut session = signed_in();
    criterion.bench_function("a call that may leave", |bencher| {
        bencher.iter(|| {
            let ticket = leave(&mut session);
            black_box(session.credential(ticket).is_some())
        });
    });

    let mut session = signed_in();
    let late = leave(&mut session);
    storm(&mut session, 1);
    criterion.bench_function("a late 401", |bencher| {
        bencher.iter(|| match session.answered(black_box(late), true, NOON) {
            Departure::Send(ticket) => ticket,
            other => panic!("{other:?}"),
        });
    });

    let mut storms = criterion.benchmark_group("a storm");
    for count in [1, 10, 100, 1_000] {
        storms.throughput(Throughput::Elements(count as u64));
        storms.bench_with_input(BenchmarkId::from_parameter(count), &count, |bencher, &count| {
            bencher.iter_batched(
                signed_in,
                |mut session| assert_eq!(storm(&mut session, count), count),
                BatchSize::SmallInput,
            );
        });
    }
}

fn texts(criterion: &mut Criterion) {
    let list = ["https://app.example.com/api", "https://api.example.com/"];
    let apis = Apis::new(list.iter().filter_map(|href| Api::parse(href)).collect());
    criterion.bench_function("whether a URL gets the token", |bencher| {
        bencher.iter(|| apis.cover(black_box("https://api.example.com/v1/items/17?full=yes")));
    });

    criterion.bench_function("a challenge", |bencher| {
        bencher.iter(|| {
            challenges(black_box(
                r#"Bearer realm="api", error="invalid_token", error_description="The token expired""#,
            ))
        });
    });

    let claims =
        r#"{"iss":"https://id.example.com","sub":"ada","exp":1700000300,"iat":1700000000}"#;
    let token = jwt(claims);
    assert_eq!(payload(&token).as_deref(), Some(claims));
    criterion.bench_function("the payload of a JWT", |bencher| {
        bencher.iter(|| payload(black_box(&token)));
    });
}

fn jwt(claims: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
}

criterion_group!(benches, calls, texts);
criterion_main!(benches);
