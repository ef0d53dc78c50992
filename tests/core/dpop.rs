//! Tokens bound to a key (RFC 9449): which proof a call gets, when a call is sent again because of its proof,
//! and which refusals of a proof leave the session alone.

use tokenkeep::core::{
    AuthResponse, Body, Departure, Dpop, Draft, Effect, Flaw, Message, Objection, ProofAnswer,
    RefreshOutcome, ResponseFacts, Rules, Status, TokenResponse,
};

use super::support::*;

const API: &str = "https://api.test/v1/me?all";
const OTHER: &str = "https://auth.test/token";

fn draft(dpop: &Dpop, url: &str, ms: u64) -> Draft {
    dpop.draft(url, at(ms))
}

/// The payload of a proof.
fn payload(draft: &Draft) -> String {
    let nonce = draft.nonce.as_ref().map(|nonce| format!(r#","nonce":"{nonce}""#));
    let (target, issued) = (&draft.target, draft.issued());
    format!(r#""htu":"{target}","iat":{issued}{}"#, nonce.unwrap_or_default())
}

fn says(dpop: &Dpop, url: &str, ms: u64, what: &str) -> bool {
    payload(&draft(dpop, url, ms)).contains(what)
}

fn nonce(nonce: &str) -> ProofAnswer {
    ProofAnswer { nonce: Some(nonce.to_owned()), ..ProofAnswer::default() }
}

fn wants(wanted: &str) -> ProofAnswer {
    ProofAnswer { objection: Some(Objection::Nonce), ..nonce(wanted) }
}

/// An answer whose `Date` is `ms` milliseconds after the start.
fn dated(ms: i64, objection: Option<Objection>) -> ProofAnswer {
    let date = Some(START as f64 + ms as f64);
    ProofAnswer { date, objection, ..ProofAnswer::default() }
}

fn bound(token: &str, key: u64) -> TokenResponse {
    TokenResponse { bound: Some(key), ..opaque(token) }
}

#[test]
fn a_proof_names_its_target_without_query_and_fragment() {
    for url in [API, "https://api.test/v1/me", "https://api.test/v1/me#?x"] {
        let said = payload(&draft(&Dpop::default(), url, 1_999));
        assert_eq!(said, r#""htu":"https://api.test/v1/me","iat":1700000001"#);
    }
}

#[test]
fn a_nonce_from_any_answer_is_used_in_the_next_proof_for_its_origin() {
    let mut dpop = Dpop::default();
    let first = draft(&dpop, API, 0);
    assert!(!dpop.answered(&first, &nonce("n1"), at(1)));
    assert!(says(&dpop, "https://api.test/other", 2, r#","nonce":"n1""#));
    assert!(!says(&dpop, OTHER, 2, "nonce"));
    let other = draft(&dpop, OTHER, 0);
    dpop.answered(&other, &nonce("n2"), at(3));
    assert!(says(&dpop, OTHER, 4, r#","nonce":"n2""#));
    assert!(says(&dpop, API, 4, r#","nonce":"n1""#));
}

#[test]
fn a_malformed_nonce_is_not_kept() {
    let mut dpop = Dpop::default();
    let first = draft(&dpop, API, 0);
    dpop.answered(&first, &nonce("good"), at(1));
    assert!(!dpop.answered(&first, &wants(r#"a","b":"c"#), at(2)));
    assert!(says(&dpop, API, 3, r#","nonce":"good""#));
}

#[test]
fn the_number_of_origins_with_a_kept_nonce_is_limited() {
    let mut dpop = Dpop::default();
    let first = draft(&dpop, API, 0);
    let origin = |n: u32| format!("https://{n}.test/");
    for n in 0..40 {
        let other = draft(&dpop, &origin(n), 0);
        dpop.answered(&other, &nonce("n"), at(1));
        // A nonce in use is not forgotten.
        dpop.answered(&first, &nonce("n"), at(1));
    }
    let kept = (0..40).filter(|n| says(&dpop, &origin(*n), 2, "nonce")).count();
    assert_eq!(kept, 31);
    assert!(says(&dpop, API, 2, "nonce"));
    assert!(!says(&dpop, &origin(0), 2, "nonce"), "the oldest goes first");
}

#[test]
fn a_server_that_asks_for_another_nonce_gets_it() {
    let mut dpop = Dpop::default();
    let first = draft(&dpop, API, 0);
    assert!(dpop.answered(&first, &wants("n1"), at(1)));
    let second = draft(&dpop, API, 2);
    assert!(payload(&second).contains(r#""nonce":"n1""#));
    dpop.answered(&second, &nonce("n2"), at(3));
    // The next call begins with the known nonce.
    let third = draft(&dpop, API, 4);
    assert!(payload(&third).contains(r#""nonce":"n2""#));
    assert!(!dpop.answered(&third, &wants("n2"), at(5)), "it had that one");
    let none = ProofAnswer { objection: Some(Objection::Nonce), ..ProofAnswer::default() };
    assert!(!dpop.answered(&third, &none, at(6)), "there is none to send");
    assert!(dpop.answered(&third, &wants("n3"), at(7)));
}

#[test]
fn a_proof_is_dated_by_the_servers_clock() {
    let mut dpop = Dpop::default();
    // The local clock is an hour ahead.
    let other = draft(&dpop, OTHER, 0);
    dpop.answered(&other, &dated(-3_600_000, None), at(0));
    assert!(says(&dpop, API, 60_000, r#""iat":1699996460"#));
    // The local clock is set back while the page is open.
    let set_back = tokenkeep::core::Now { wall: START - 86_400_000, steady: 60_000 };
    assert!(payload(&dpop.draft(API, set_back)).contains(r#""iat":1699996460"#));
}

#[test]
fn a_missing_or_invalid_date_is_ignored() {
    let mut dpop = Dpop::default();
    let first = draft(&dpop, API, 0);
    for date in [f64::NAN, -1.0] {
        let answer = ProofAnswer { date: Some(date), ..ProofAnswer::default() };
        dpop.answered(&first, &answer, at(0));
        assert!(says(&dpop, API, 0, r#""iat":1700000000"#), "{date}");
    }
}

#[test]
fn a_refused_proof_is_repeated_only_if_the_clocks_differ() {
    let mut dpop = Dpop::default();
    let invalid = |ms| dated(ms, Some(Objection::Invalid));
    let first = draft(&dpop, API, 0);
    assert!(!dpop.answered(&first, &invalid(0), at(0)), "it is the caller's");
    assert!(!dpop.answered(&first, &invalid(2_000), at(0)), "that is rounding");
    let unseen = ProofAnswer { date: None, ..invalid(0) };
    assert!(!dpop.answered(&first, &unseen, at(0)), "CORS hides the date");
    assert!(dpop.answered(&first, &invalid(90_000), at(0)));
    let second = draft(&dpop, API, 1_000);
    assert!(payload(&second).contains(r#""iat":1700000091"#));
}

#[test]
fn a_refused_proof_is_not_a_refused_token() {
    for challenge in [r#"DPoP error="use_dpop_nonce""#, r#"DPoP error="invalid_dpop_proof""#] {
        let mut tab = tab();
        tab.enter(bound("first", 1), at(0));
        told(&mut tab);
        let (ticket, _) = sends(&mut tab, at(1));
        let challenge = Some(challenge);
        let facts = ResponseFacts { status: 401, challenge, ..ResponseFacts::default() };
        let classification = Rules::default().classify(&facts);
        assert_eq!(tab.classified(ticket, 401, classification, true, at(2)), Departure::Deliver);
        assert!(told(&mut tab).is_empty(), "no refresh");
    }
    let facts = ResponseFacts {
        status: 401,
        challenge: Some(r#"DPoP error="invalid_token""#),
        ..ResponseFacts::default()
    };
    let mut tab = tab();
    tab.enter(bound("first", 1), at(0));
    let (ticket, _) = sends(&mut tab, at(1));
    let classification = Rules::default().classify(&facts);
    let departure = tab.classified(ticket, 401, classification, true, at(2));
    assert!(matches!(departure, Departure::Wait(_)), "that is one");
}

#[test]
fn a_refresh_with_a_refused_proof_does_not_end_the_session() {
    for error in ["use_dpop_nonce", "invalid_dpop_proof"] {
        let mut tab = tab();
        tab.enter(bound("first", 1), at(0));
        let wait = tab.refresh(at(1)).unwrap().unwrap();
        tab.arrive(wait.auth_call, false, at(1));
        let tokens = Err(Flaw::NoString);
        let body = Body::Json { error: Some(error.to_owned()), tokens };
        let response = AuthResponse { status: 400, body, rejected: None, retry_after: None };
        told(&mut tab);
        tab.refresh_answered(wait.auth_call, response, 0.5, at(2));
        let outcome = told(&mut tab).into_iter().find_map(|effect| match effect {
            Effect::SettleRefresh(_, outcome) => Some(outcome),
            _ => None,
        });
        assert!(matches!(outcome, Some(RefreshOutcome::Failed(_))), "{outcome:?}");
        assert_eq!(tab.snapshot().status, Status::SignedIn);
    }
}

#[test]
fn each_token_keeps_its_own_key() {
    let mut tab = tab();
    assert_eq!(tab.bound(), None);
    tab.enter(bound("first", 1), at(0));
    assert_eq!(tab.bound(), Some(1));
    refreshes(&mut tab, Some(opaque("second")), at(1));
    assert_eq!(tab.bound(), None, "a server may go over to Bearer");
    refreshes(&mut tab, Some(bound("third", 1)), at(2));
    assert_eq!(tab.bound(), Some(1));
    tab.logout(false, at(3));
    assert_eq!(tab.bound(), None);
}

#[test]
fn a_token_in_an_answer_keeps_the_key_of_the_token_before() {
    for key in [Some(1), None] {
        let mut tab = tab();
        tab.enter(TokenResponse { bound: key, ..opaque("first") }, at(0));
        let (ticket, _) = sends(&mut tab, at(1));
        tab.adopt(ticket, opaque("second"), at(2));
        assert_eq!(sends(&mut tab, at(3)).1.as_deref(), Some("second"));
        assert_eq!(tab.bound(), key);
    }
}

#[test]
fn another_tab_learns_the_key_that_a_token_is_bound_to() {
    let mut first = tab();
    let mut second = tab();
    first.enter(bound("one", 1), at(0));
    let of = |message: &Message| match message {
        Message::Entered { tokens: Some(tokens), .. } | Message::Renewed { tokens, .. } => {
            tokens.bound
        }
        _ => None,
    };
    let entered = posted(told(&mut first)).into_iter().find(|message| of(message).is_some());
    second.heard(entered.expect("a message with the key"), at(1));
    assert_eq!(second.bound(), Some(1));
    refreshes(&mut first, Some(bound("two", 2)), at(2));
    let mut third = tab();
    first.heard(Message::Ask, at(3));
    let renewed = posted(told(&mut first)).into_iter().rfind(|message| of(message).is_some());
    third.heard(renewed.expect("a message with the key"), at(4));
    assert_eq!(third.bound(), Some(2));
}
