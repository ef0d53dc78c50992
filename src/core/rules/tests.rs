use super::*;

fn code(code: &str) -> AnswerRule {
    let body = Some(Field { path: "code".into(), equals: vec![code.into()], absent: false });
    AnswerRule { body, ..AnswerRule::default() }
}

fn says(error: &str) -> AnswerRule {
    AnswerRule { challenge: vec![error.into()], ..AnswerRule::default() }
}

fn rules(unauthorized: &[AnswerRule], ended: &[AnswerRule]) -> Rules {
    let ended = ended.iter().map(|rule| (RuleKind::Ended, rule.clone()));
    let unauthorized = unauthorized.iter().map(|rule| (RuleKind::Unauthorized, rule.clone()));
    let step_up = [(RuleKind::StepUp, AnswerRule::step_up())];
    Rules::new(ended.chain(step_up).chain(unauthorized).collect())
}

/// `code`: the value in the body for every rule.
fn judge(
    rules: &Rules,
    status: u16,
    challenge: Option<&str>,
    code: Option<&str>,
) -> Classification {
    let body = vec![code.map(str::to_owned).into_iter().collect(); 9];
    rules.classify(&ResponseFacts { status, challenge, body: &body, ..ResponseFacts::default() })
}

#[test]
fn by_default_only_401_is_an_expiry() {
    let rules = Rules::default();
    assert!(!rules.settles(401));
    assert_eq!(rules.paths(), "");
    for status in [0, 200, 204, 302, 400, 403, 407, 419, 500] {
        assert!(rules.settles(status), "{status}");
        assert_eq!(judge(&rules, status, None, None), Classification::Plain, "{status}");
    }
    assert_eq!(judge(&rules, 401, None, None), Classification::Unauthorized);
    let invalid = Some("Bearer error=\"invalid_token\"");
    assert_eq!(judge(&rules, 401, invalid, None), Classification::Unauthorized);
}

#[test]
fn a_challenge_that_a_refresh_does_not_cure_goes_to_the_caller() {
    let scope = Some("Bearer error=\"insufficient_scope\"");
    assert_eq!(judge(&Rules::default(), 401, scope, None), Classification::Plain);
    let named = rules(&[says("insufficient_scope")], &[]);
    assert_eq!(judge(&named, 403, scope, None), Classification::Unauthorized, "unless it is named");
}

#[test]
fn a_demand_for_a_stronger_login_reaches_the_app_with_all_challenges() {
    let both = "Basic realm=\"x\", Bearer error=\"insufficient_user_authentication\", max_age=5";
    let Classification::StepUp(list) = judge(&Rules::default(), 401, Some(both), None) else {
        panic!("it asks for more");
    };
    assert_eq!(list.len(), 2);
    assert_eq!(list[1].get("max_age"), Some("5"));
    let off = Rules::new(vec![(RuleKind::Unauthorized, AnswerRule::status(401))]);
    assert_eq!(judge(&off, 401, Some(both), None), Classification::Plain, "no refresh, either");
}

#[test]
fn all_members_of_a_rule_must_match_but_only_one_rule() {
    let both = AnswerRule { status: vec![403, 422], ..code("7") };
    let rules = rules(&[both, AnswerRule::status(401)], &[]);
    assert_eq!(judge(&rules, 403, None, Some("7")), Classification::Unauthorized);
    assert_eq!(judge(&rules, 422, None, Some("7")), Classification::Unauthorized);
    assert_eq!(judge(&rules, 403, None, Some("8")), Classification::Plain);
    assert_eq!(judge(&rules, 403, None, None), Classification::Plain);
    assert_eq!(judge(&rules, 200, None, Some("7")), Classification::Plain);
    assert_eq!(judge(&rules, 401, None, None), Classification::Unauthorized);
    assert!(rules.settles(200));
}

#[test]
fn any_answer_that_has_a_body_is_read() {
    let by_code = rules(&[code("40101")], &[]);
    assert_eq!(by_code.paths(), " | code | ", "a place for each rule");
    assert_eq!(judge(&by_code, 200, None, Some("40101")), Classification::Unauthorized);
    assert_eq!(judge(&by_code, 200, None, Some("0")), Classification::Plain);
    for status in [0, 204, 205, 304] {
        assert!(by_code.settles(status), "{status}");
    }
    let mut any = code("");
    any.body.as_mut().unwrap().equals.clear();
    let any = rules(&[any], &[]);
    assert_eq!(judge(&any, 200, None, Some("whatever")), Classification::Unauthorized);
    assert_eq!(judge(&any, 200, None, None), Classification::Plain);
}

#[test]
fn each_rule_looks_at_its_own_field() {
    let rules = rules(&[code("1")], &[code("2")]);
    let value = |text: &str| vec![text.to_owned()];
    let body = [value("1"), vec![], value("2")];
    let facts = ResponseFacts { status: 200, body: &body, ..ResponseFacts::default() };
    assert_eq!(rules.classify(&facts), Classification::Plain);
    let body = [value("1"), vec![], value("1")];
    assert_eq!(
        rules.classify(&ResponseFacts { body: &body, ..facts }),
        Classification::Unauthorized
    );
}

#[test]
fn an_end_takes_precedence_over_everything_else() {
    let rules = rules(&[AnswerRule::status(401)], &[code("40103")]);
    assert_eq!(judge(&rules, 401, None, Some("40103")), Classification::Ended);
    let more = Some("Bearer error=\"insufficient_claims\"");
    assert_eq!(judge(&rules, 401, more, Some("40103")), Classification::Ended);
    assert_eq!(judge(&rules, 401, None, Some("40101")), Classification::Unauthorized);
}

#[test]
fn a_challenge_hidden_by_cors_is_no_end_but_may_be_an_expiry() {
    let expired = AnswerRule { status: vec![401], ..says("invalid_token") };
    let revoked = AnswerRule { status: vec![401], ..says("revoked") };
    let rules = rules(&[expired], &[revoked]);
    assert_eq!(judge(&rules, 401, None, None), Classification::Unauthorized);
    assert_eq!(judge(&rules, 401, Some("Bearer"), None), Classification::Plain);
    assert_eq!(judge(&rules, 401, Some("Bearer error=revoked"), None), Classification::Ended);
}

#[test]
fn redirects_and_network_errors_count_only_for_rules_that_name_them() {
    let redirected = AnswerRule { redirected: true, ..AnswerRule::default() };
    let silent = AnswerRule { network_error: true, ..AnswerRule::default() };
    let rules = rules(&[redirected, silent], &[]);
    assert!(!rules.settles(200));
    let facts = ResponseFacts { status: 200, ..ResponseFacts::default() };
    assert_eq!(rules.classify(&facts), Classification::Plain);
    assert_eq!(
        rules.classify(&ResponseFacts { redirected: true, ..facts }),
        Classification::Unauthorized
    );
    let none = ResponseFacts { network_error: true, ..ResponseFacts::default() };
    assert!(rules.hears_silence());
    assert_eq!(rules.classify(&none), Classification::Unauthorized);
    assert!(!Rules::default().hears_silence());
    assert_eq!(Rules::default().classify(&none), Classification::Plain);
}

#[test]
fn rules_for_a_refresh_and_rules_for_requests_are_separate() {
    let rules = Rules::new(vec![
        (RuleKind::Unauthorized, AnswerRule::status(401)),
        (RuleKind::Rejected, AnswerRule::status(422)),
    ]);
    assert!(rules.settles(422));
    assert_eq!(judge(&rules, 422, None, None), Classification::Plain);
    let refuses = |status| {
        rules.say(RuleKind::Rejected, &ResponseFacts { status, ..ResponseFacts::default() })
    };
    assert!(refuses(422));
    assert!(!refuses(401));
}

#[test]
fn one_matching_member_of_a_list_is_enough() {
    let rules = rules(&[code("UNAUTHENTICATED")], &[]);
    let judge = |values: &[&str]| {
        let values: Vec<_> = values.iter().map(|value| (*value).to_owned()).collect();
        rules.classify(&ResponseFacts {
            status: 200,
            body: &vec![values; 3],
            ..ResponseFacts::default()
        })
    };
    assert_eq!(judge(&["NOT_FOUND", "UNAUTHENTICATED"]), Classification::Unauthorized);
    assert_eq!(judge(&["NOT_FOUND", "FORBIDDEN"]), Classification::Plain);
    assert_eq!(judge(&[]), Classification::Plain);
}

#[test]
fn absence_counts_in_json_only() {
    let mut absent = code("");
    absent.body = Some(Field { path: "user".into(), equals: Vec::new(), absent: true });
    let rules = Rules::new(vec![(RuleKind::Ended, absent)]);
    let judge = |body: &[Vec<String>]| {
        rules.classify(&ResponseFacts { status: 200, body, ..ResponseFacts::default() })
    };
    assert_eq!(judge(&[vec![]]), Classification::Ended);
    assert_eq!(judge(&[vec!["7".to_owned()]]), Classification::Plain);
    assert_eq!(judge(&[]), Classification::Plain, "it is no JSON");
    assert!(rules.settles(204));
}

#[test]
fn a_rule_may_look_at_a_header_field() {
    let header = |name: &str, equals: &[&str]| AnswerRule {
        header: Some(HeaderField {
            name: name.into(),
            equals: equals.iter().map(|value| (*value).to_owned()).collect(),
        }),
        ..AnswerRule::default()
    };
    let rules = rules(&[header("grpc-status", &["16"])], &[header("X-Signed-Out", &[])]);
    assert!(!rules.settles(200));
    let judge = |name: &str, value: &str| {
        let read = |asked: &str| (asked == name).then(|| value.to_owned());
        rules.classify(&ResponseFacts { status: 200, header: &read, ..ResponseFacts::default() })
    };
    assert_eq!(judge("grpc-status", "16"), Classification::Unauthorized);
    assert_eq!(judge("grpc-status", "7"), Classification::Plain);
    assert_eq!(judge("X-Signed-Out", "whatever"), Classification::Ended);
    assert_eq!(judge("X-Other", "16"), Classification::Plain);
}

#[test]
fn a_redirect_means_sign_in_again_where_a_rule_for_requests_says_so() {
    let redirected = || AnswerRule { redirected: true, ..AnswerRule::default() };
    let facts = ResponseFacts { status: 200, redirected: true, ..ResponseFacts::default() };
    assert!(rules(&[redirected()], &[]).turn_away(&facts));
    assert!(rules(&[], &[redirected()]).turn_away(&facts));
    assert!(!rules(&[redirected()], &[]).turn_away(&ResponseFacts { redirected: false, ..facts }));
    assert!(!rules(&[AnswerRule::status(200)], &[]).turn_away(&facts), "it says nothing of it");
    let more = AnswerRule { status: vec![403], ..redirected() };
    assert!(!rules(&[more], &[]).turn_away(&facts), "all of its members must match");
    let step_up = Rules::new(vec![(RuleKind::StepUp, redirected())]);
    assert!(!step_up.turn_away(&facts));
}

#[test]
fn json_is_recognised_by_its_media_type_or_its_first_byte() {
    for (content_type, media) in [
        ("application/json", Media::Json),
        ("Application/JSON; charset=utf-8", Media::Json),
        ("application/problem+json", Media::Json),
        ("text/json", Media::Json),
        ("", Media::Text),
        ("text/plain;charset=utf-8", Media::Text),
        ("Text/HTML", Media::Text),
        ("text/event-stream", Media::Other),
        ("application/jsonl", Media::Other),
        ("application/octet-stream", Media::Other),
    ] {
        assert_eq!(Media::of(content_type), media, "{content_type}");
    }
}
