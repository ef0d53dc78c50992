//! What an answer to an app's request says of the session (rule 5), by rules that the user may set.

use super::challenge::{Challenge, challenges};
use super::text::{split_at_any, trim_start};

/// A rule that answers match, or not: all of its members that are set must. One of them must be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerRule {
    /// One of these statuses. Empty: any.
    pub status: Vec<u16>,
    /// A member of a JSON body.
    pub body: Option<Field>,
    /// A header field.
    pub header: Option<HeaderField>,
    /// One of these as the `error` of a challenge in `WWW-Authenticate` (RFC 6750, 3). Empty: any.
    pub challenge: Vec<String>,
    /// It came by way of a redirect, as to a login page.
    pub redirected: bool,
    /// There is no answer: the platform's `fetch` rejected, and the token may be past its end. So it
    /// looks where a 401 comes without CORS headers.
    pub network_error: bool,
}

/// A member of a JSON body, and the values of it that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it stands: member names, with dots between them. `*` is each member of a list or an
    /// object: one that has the value will do.
    pub path: String,
    /// The values as text, for servers send 40101 and "40101" alike. Empty: any but `null`.
    pub equals: Vec<String>,
    /// The body is JSON, and there is nothing at the place, or `null`.
    pub absent: bool,
}

/// A header field of an answer, and the values of it that are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderField {
    /// Its name.
    pub name: String,
    /// The values. Empty: any.
    pub equals: Vec<String>,
}

/// The kind of a rule: what it says of the answers that match it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// To a request: the session has ended, and no refresh helps.
    Ended,
    /// To a request: the user is to prove more than the session has.
    StepUp,
    /// To a request: the token has ended, and a refresh may help.
    Unauthorized,
    /// To a refresh: the session has ended.
    Rejected,
    /// To a login: no session has begun yet.
    Incomplete,
}

impl RuleKind {
    /// Whether it is of answers to an app's requests.
    fn is_of_calls(self) -> bool {
        !matches!(self, Self::Rejected | Self::Incomplete)
    }
}

/// The rules of a session. The first that matches has the word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    list: Vec<(RuleKind, AnswerRule)>,
}

/// What rules look at in the response to a request, or to an auth call.
#[derive(Clone, Copy)]
pub struct ResponseFacts<'a> {
    /// Its status.
    pub status: u16,
    /// `WWW-Authenticate`, where it is there and not hidden by CORS.
    pub challenge: Option<&'a str>,
    /// Whether it came by way of a redirect.
    pub redirected: bool,
    /// Whether there is no response.
    pub network_error: bool,
    /// What the body has at each of the places of [`Rules::paths`], as texts. Empty where it is no JSON.
    pub body: &'a [Vec<String>],
    /// Reads a header field, where it is there and not hidden by CORS.
    pub header: &'a dyn Fn(&str) -> Option<String>,
}

impl Default for ResponseFacts<'_> {
    fn default() -> Self {
        Self {
            status: 0,
            challenge: None,
            redirected: false,
            network_error: false,
            body: &[],
            header: &|_| None,
        }
    }
}

/// What the rules make of an answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classification {
    /// It is the caller's.
    Plain,
    /// The token has ended.
    Unauthorized,
    /// The session has ended.
    Ended,
    /// The user is to prove more.
    StepUp(Vec<Challenge>),
}

impl AnswerRule {
    /// The rule that looks at the status alone.
    pub fn status(status: u16) -> Self {
        Self { status: vec![status], ..Self::default() }
    }

    /// The rule for a 401 that asks for a stronger or newer login (RFC 9470, 3), or other claims
    /// (OpenID Connect CAEP).
    pub fn step_up() -> Self {
        let challenge =
            vec!["insufficient_user_authentication".to_owned(), "insufficient_claims".to_owned()];
        Self { challenge, ..Self::status(401) }
    }

    /// Whether it can match an answer of this status.
    fn may_match(&self, status: u16) -> bool {
        (self.status.is_empty() || self.status.contains(&status))
            && (self.body.is_none() || !matches!(status, 0 | 204 | 205 | 304))
            && !self.network_error
    }

    /// `challenges`: `None` where they cannot be seen; `values`: what the body has at its place, if it
    /// is JSON.
    fn matches(
        &self,
        facts: &ResponseFacts<'_>,
        challenges: Option<&[Challenge]>,
        values: Option<&[String]>,
        kind: RuleKind,
    ) -> bool {
        if facts.network_error {
            return self.network_error;
        }
        let says = |list: &[Challenge]| {
            list.iter().any(|challenge| {
                self.challenge.iter().any(|error| challenge.get("error") == Some(error))
            })
        };
        // Where CORS hides the challenge of an expiry the status must do.
        let unseen = kind == RuleKind::Unauthorized && !self.status.is_empty();
        self.may_match(facts.status)
            && (!self.redirected || facts.redirected)
            && (self.challenge.is_empty() || challenges.map_or(unseen, says))
            && self.header.as_ref().is_none_or(|field| {
                (facts.header)(&field.name).is_some_and(|value| is_among(&value, &field.equals))
            })
            && self.body.as_ref().is_none_or(|body| {
                values.is_some_and(|values| {
                    if body.absent {
                        values.is_empty()
                    } else {
                        values.iter().any(|value| is_among(value, &body.equals))
                    }
                })
            })
    }
}

/// Whether a value is one of those that are meant. None named: any.
fn is_among(value: &String, meant: &[String]) -> bool {
    meant.is_empty() || meant.contains(value)
}

impl Default for Rules {
    /// 401 (RFC 9110, 15.5.2) is an expiry, save where a stronger login or other claims are asked for.
    fn default() -> Self {
        Self::new(vec![
            (RuleKind::StepUp, vec![AnswerRule::step_up()]),
            (RuleKind::Unauthorized, vec![AnswerRule::status(401)]),
        ])
    }
}

impl Rules {
    /// The rules, in the order in which they are asked.
    pub fn new(all: Vec<(RuleKind, Vec<AnswerRule>)>) -> Self {
        let mut list = Vec::new();
        for (kind, rules) in all {
            for rule in rules {
                list.push((kind, rule));
            }
        }
        Self { list }
    }

    /// Whether an answer to a request is the caller's, whatever it says beside this status.
    pub fn settles(&self, status: u16) -> bool {
        !self.list.iter().any(|(kind, rule)| kind.is_of_calls() && rule.may_match(status))
    }

    /// Whether the lack of an answer may say something.
    pub fn hears_silence(&self) -> bool {
        self.list.iter().any(|(_, rule)| rule.network_error)
    }

    /// Whether an answer came by way of a redirect that one of the rules takes for "sign in again".
    pub fn turn_away(&self, facts: &ResponseFacts<'_>) -> bool {
        self.list.iter().any(|(kind, rule)| {
            rule.redirected
                && matches!(kind, RuleKind::Unauthorized | RuleKind::Ended)
                && rule.matches(facts, None, None, *kind)
        })
    }

    /// The places of a JSON body that must be known to judge an answer, ` | ` between them. Empty, if
    /// there are none.
    pub fn paths(&self) -> String {
        let mut paths = String::new();
        if self.list.iter().any(|(_, rule)| rule.body.is_some()) {
            for (_, rule) in &self.list {
                paths.push_str(rule.body.as_ref().map_or("", |body| &body.path));
                paths.push_str(" | ");
            }
        }
        paths
    }

    /// Whether one of the rules of this kind matches an answer to a call of the session's own.
    pub fn say(&self, kind: RuleKind, facts: &ResponseFacts<'_>) -> bool {
        self.judge(facts, &mut Vec::new(), Some(kind)).is_some()
    }

    /// Classifies an answer to a request.
    pub fn classify(&self, facts: &ResponseFacts<'_>) -> Classification {
        let mut list = Vec::new();
        match self.judge(facts, &mut list, None) {
            Some(RuleKind::Ended) => Classification::Ended,
            Some(RuleKind::StepUp) => Classification::StepUp(list),
            Some(RuleKind::Unauthorized) => Classification::Unauthorized,
            Some(RuleKind::Rejected | RuleKind::Incomplete) | None => Classification::Plain,
        }
    }

    /// `only`: the kind that is asked for; `None` for those of answers to an app's requests.
    fn judge(
        &self,
        facts: &ResponseFacts<'_>,
        list: &mut Vec<Challenge>,
        only: Option<RuleKind>,
    ) -> Option<RuleKind> {
        if let Some(value) = facts.challenge {
            *list = challenges(value);
        }
        let seen = facts.challenge.map(|_| list.as_slice());
        let is_beyond = list.iter().any(Challenge::is_beyond_a_refresh);
        for (at, (kind, rule)) in self.list.iter().enumerate() {
            let values = facts.body.get(at).map(Vec::as_slice);
            // A challenge that a refresh does not cure is the caller's, unless the rule names it.
            let is_cured =
                *kind != RuleKind::Unauthorized || !is_beyond || !rule.challenge.is_empty();
            let is_asked_for = only.map_or(kind.is_of_calls(), |only| only == *kind);
            if is_asked_for && is_cured && rule.matches(facts, seen, values, *kind) {
                return Some(*kind);
            }
        }
        None
    }
}

/// The methods that have no effect (RFC 9110, 9.2.1), save for `TRACE`, which no page can send.
pub(crate) fn is_safe(method: &str) -> bool {
    ["GET", "HEAD", "OPTIONS"].iter().any(|safe| method.eq_ignore_ascii_case(safe))
}

/// What a media type says of a body. Body rules look at nothing but JSON: a file or a stream may hold
/// the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// JSON: `application/json`, or a type with the suffix `+json` (RFC 6839, 3.1).
    Json,
    /// Some text, or nobody says what: servers send JSON so, which its first byte tells.
    Text,
    /// Something else.
    Other,
}

impl Media {
    /// Reads a `Content-Type` (RFC 9110, 8.3).
    pub(crate) fn of(content_type: &str) -> Self {
        let essence =
            split_at_any(trim_start(content_type, b" \t"), b"; \t").0.to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" => Self::Json,
            "text/event-stream" => Self::Other,
            _ if essence.ends_with("+json") => Self::Json,
            _ if essence.is_empty() || essence.starts_with("text/") => Self::Text,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(code: &str) -> AnswerRule {
        let body = Some(Field { path: "code".into(), equals: vec![code.into()], absent: false });
        AnswerRule { body, ..AnswerRule::default() }
    }

    fn says(error: &str) -> AnswerRule {
        AnswerRule { challenge: vec![error.into()], ..AnswerRule::default() }
    }

    fn rules(unauthorized: &[AnswerRule], ended: &[AnswerRule]) -> Rules {
        Rules::new(vec![
            (RuleKind::Ended, ended.to_vec()),
            (RuleKind::StepUp, vec![AnswerRule::step_up()]),
            (RuleKind::Unauthorized, unauthorized.to_vec()),
        ])
    }

    /// `code`: what the body has, wherever it is looked for.
    fn judge(
        rules: &Rules,
        status: u16,
        challenge: Option<&str>,
        code: Option<&str>,
    ) -> Classification {
        let body = vec![code.map(str::to_owned).into_iter().collect(); 9];
        rules.classify(&ResponseFacts {
            status,
            challenge,
            body: &body,
            ..ResponseFacts::default()
        })
    }

    #[test]
    fn by_default_401_is_an_expiry_and_nothing_else_is() {
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
    fn a_challenge_that_a_refresh_does_not_cure_is_the_callers() {
        let scope = Some("Bearer error=\"insufficient_scope\"");
        assert_eq!(judge(&Rules::default(), 401, scope, None), Classification::Plain);
        let named = rules(&[says("insufficient_scope")], &[]);
        assert_eq!(
            judge(&named, 403, scope, None),
            Classification::Unauthorized,
            "unless it is named"
        );
    }

    #[test]
    fn a_stronger_login_is_asked_of_the_app_with_all_its_challenges() {
        let both =
            "Basic realm=\"x\", Bearer error=\"insufficient_user_authentication\", max_age=5";
        let Classification::StepUp(list) = judge(&Rules::default(), 401, Some(both), None) else {
            panic!("it asks for more");
        };
        assert_eq!(list.len(), 2);
        assert_eq!(list[1].get("max_age"), Some("5"));
        let off = Rules::new(vec![(RuleKind::Unauthorized, vec![AnswerRule::status(401)])]);
        assert_eq!(judge(&off, 401, Some(both), None), Classification::Plain, "no refresh, either");
    }

    #[test]
    fn all_members_of_a_rule_must_match_and_any_rule_may() {
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
    fn a_body_is_read_of_any_answer_that_has_one() {
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
    fn each_rule_looks_at_its_own_place() {
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
    fn an_end_goes_before_everything_else() {
        let rules = rules(&[AnswerRule::status(401)], &[code("40103")]);
        assert_eq!(judge(&rules, 401, None, Some("40103")), Classification::Ended);
        let more = Some("Bearer error=\"insufficient_claims\"");
        assert_eq!(judge(&rules, 401, more, Some("40103")), Classification::Ended);
        assert_eq!(judge(&rules, 401, None, Some("40101")), Classification::Unauthorized);
    }

    #[test]
    fn a_challenge_that_cors_hides_is_no_end_but_may_be_an_expiry() {
        let expired = AnswerRule { status: vec![401], ..says("invalid_token") };
        let revoked = AnswerRule { status: vec![401], ..says("revoked") };
        let rules = rules(&[expired], &[revoked]);
        assert_eq!(judge(&rules, 401, None, None), Classification::Unauthorized);
        assert_eq!(judge(&rules, 401, Some("Bearer"), None), Classification::Plain);
        assert_eq!(judge(&rules, 401, Some("Bearer error=revoked"), None), Classification::Ended);
    }

    #[test]
    fn a_redirect_and_silence_are_heard_by_who_asks_for_them() {
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
    fn rules_for_a_refresh_say_nothing_of_requests_nor_those_of_it() {
        let rules = Rules::new(vec![
            (RuleKind::Unauthorized, vec![AnswerRule::status(401)]),
            (RuleKind::Rejected, vec![AnswerRule::status(422)]),
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
    fn any_member_of_a_list_may_have_the_value() {
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
    fn what_is_absent_is_so_in_json_alone() {
        let mut absent = code("");
        absent.body = Some(Field { path: "user".into(), equals: Vec::new(), absent: true });
        let rules = Rules::new(vec![(RuleKind::Ended, vec![absent])]);
        let judge = |body: &[Vec<String>]| {
            rules.classify(&ResponseFacts { status: 200, body, ..ResponseFacts::default() })
        };
        assert_eq!(judge(&[vec![]]), Classification::Ended);
        assert_eq!(judge(&[vec!["7".to_owned()]]), Classification::Plain);
        assert_eq!(judge(&[]), Classification::Plain, "it is no JSON");
        assert!(rules.settles(204));
    }

    #[test]
    fn a_header_field_may_tell_what_the_status_does_not() {
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
            rules.classify(&ResponseFacts {
                status: 200,
                header: &read,
                ..ResponseFacts::default()
            })
        };
        assert_eq!(judge("grpc-status", "16"), Classification::Unauthorized);
        assert_eq!(judge("grpc-status", "7"), Classification::Plain);
        assert_eq!(judge("X-Signed-Out", "whatever"), Classification::Ended);
        assert_eq!(judge("X-Other", "16"), Classification::Plain);
    }

    #[test]
    fn a_redirect_means_sign_in_again_where_a_rule_for_calls_says_so() {
        let redirected = || AnswerRule { redirected: true, ..AnswerRule::default() };
        let facts = ResponseFacts { status: 200, redirected: true, ..ResponseFacts::default() };
        assert!(rules(&[redirected()], &[]).turn_away(&facts));
        assert!(rules(&[], &[redirected()]).turn_away(&facts));
        assert!(
            !rules(&[redirected()], &[]).turn_away(&ResponseFacts { redirected: false, ..facts })
        );
        assert!(!rules(&[AnswerRule::status(200)], &[]).turn_away(&facts), "it says nothing of it");
        let more = AnswerRule { status: vec![403], ..redirected() };
        assert!(!rules(&[more], &[]).turn_away(&facts), "all of its members must match");
        let step_up = Rules::new(vec![(RuleKind::StepUp, vec![redirected()])]);
        assert!(!step_up.turn_away(&facts));
    }

    #[test]
    fn json_is_told_by_its_media_type_or_by_its_first_byte() {
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
}
