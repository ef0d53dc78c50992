//! Classifies the answers to an app's requests (rule 5), by rules that the user may set.

use super::challenge::{Challenge, challenges};
use super::text::{split_at_any, trim_start};

/// A rule for answers. It matches if all members that are set match. At least one must be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerRule {
    /// One of these statuses. Empty: any status.
    pub status: Vec<u16>,
    /// A field of a JSON body.
    pub body: Option<Field>,
    /// A header field.
    pub header: Option<HeaderField>,
    /// One of these as the `error` of a challenge in `WWW-Authenticate` (RFC 6750, 3). Empty: any answer.
    pub challenge: Vec<String>,
    /// The answer came after a redirect, for example to a login page.
    pub redirected: bool,
    /// There is no answer: the platform's `fetch` rejected, and the token may be past its end. A 401 without
    /// CORS headers looks like this.
    pub network_error: bool,
}

/// A field of a JSON body, and the values that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The path of the field: member names separated by dots. `*` stands for each member of a list or an
    /// object; one that matches is enough.
    pub path: String,
    /// The values as text, because servers send both 40101 and "40101". Empty: any value but `null`.
    pub equals: Vec<String>,
    /// Matches if the body is JSON and the field is missing or `null`.
    pub absent: bool,
}

/// A header field of an answer, and the values that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderField {
    /// Its name.
    pub name: String,
    /// The values. Empty: any value.
    pub equals: Vec<String>,
}

/// The kind of a rule: what it says about the answers that match it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// For requests: the session has ended, and no refresh helps.
    Ended,
    /// For requests: the user must prove more than the session does.
    StepUp,
    /// For requests: the token has ended, and a refresh may help.
    Unauthorized,
    /// For refreshes: the session has ended.
    Rejected,
    /// For logins: no session has begun yet.
    Incomplete,
}

impl RuleKind {
    /// Whether the rule is for answers to an app's requests.
    fn is_of_calls(self) -> bool {
        !matches!(self, Self::Rejected | Self::Incomplete)
    }
}

/// The rules of a session. The first that matches decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    list: Vec<(RuleKind, AnswerRule)>,
}

/// The facts of a response, to a request or an auth call, that rules look at.
#[derive(Clone, Copy)]
pub struct ResponseFacts<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `WWW-Authenticate`, if the answer has it and CORS does not hide it.
    pub challenge: Option<&'a str>,
    /// Whether the response came after a redirect.
    pub redirected: bool,
    /// Whether there is no response.
    pub network_error: bool,
    /// The texts in the body at each of [`Rules::paths`]. Empty if the body is not JSON.
    pub body: &'a [Vec<String>],
    /// Reads a header field, if the answer has it and CORS does not hide it.
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

/// The classification of an answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Classification {
    /// It goes to the caller.
    Plain,
    /// The token has ended.
    Unauthorized,
    /// The session has ended.
    Ended,
    /// The user must prove more.
    StepUp(Vec<Challenge>),
}

impl AnswerRule {
    /// A rule that looks at the status alone.
    pub fn status(status: u16) -> Self {
        Self { status: vec![status], ..Self::default() }
    }

    /// The rule for a 401 that asks for a stronger or newer login (RFC 9470, 3), or for other claims (OpenID
    /// Connect CAEP).
    pub fn step_up() -> Self {
        let challenge =
            vec!["insufficient_user_authentication".to_owned(), "insufficient_claims".to_owned()];
        Self { challenge, ..Self::status(401) }
    }

    /// Whether the rule can match an answer with this status.
    fn may_match(&self, status: u16) -> bool {
        // `contains` is fast, and large.
        (self.status.is_empty() || self.status.iter().copied().any(|own| own == status))
            && (self.body.is_none() || !matches!(status, 0 | 204 | 205 | 304))
            && !self.network_error
    }

    /// `challenges`: `None` if they cannot be seen; `values`: the values of the rule's field, if the body is
    /// JSON.
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
        // If CORS hides the challenge of an expiry, the status has to be enough.
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

/// Whether a value is one of the wanted values. An empty list allows any.
fn is_among(value: &String, meant: &[String]) -> bool {
    meant.is_empty() || meant.contains(value)
}

impl Default for Rules {
    /// 401 (RFC 9110, 15.5.2) is an expiry, unless it asks for a stronger login or other claims.
    fn default() -> Self {
        Self::new(vec![
            (RuleKind::StepUp, AnswerRule::step_up()),
            (RuleKind::Unauthorized, AnswerRule::status(401)),
        ])
    }
}

impl Rules {
    /// The rules, in the order in which they are tried.
    pub fn new(list: Vec<(RuleKind, AnswerRule)>) -> Self {
        Self { list }
    }

    /// Whether an answer with this status goes to the caller, whatever else it says.
    pub fn settles(&self, status: u16) -> bool {
        !self.list.iter().any(|(kind, rule)| kind.is_of_calls() && rule.may_match(status))
    }

    /// Whether any rule applies when there is no answer.
    pub fn hears_silence(&self) -> bool {
        self.list.iter().any(|(_, rule)| rule.network_error)
    }

    /// Whether an answer came after a redirect that a rule classifies as "sign in again".
    pub fn turn_away(&self, facts: &ResponseFacts<'_>) -> bool {
        self.list.iter().any(|(kind, rule)| {
            rule.redirected
                && matches!(kind, RuleKind::Unauthorized | RuleKind::Ended)
                && rule.matches(facts, None, None, *kind)
        })
    }

    /// The paths of a JSON body that are needed to judge an answer, separated by ` | `. Empty if no rule
    /// needs any.
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

    /// Whether a rule of this kind matches an answer to one of the manager's own calls.
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

    /// `only`: the wanted kind; `None` for all kinds for an app's requests.
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
            // A challenge that a refresh does not cure goes to the caller, unless the rule names it.
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

/// The methods that have no effect (RFC 9110, 9.2.1), except `TRACE`, which no page can send.
pub(crate) fn is_safe(method: &str) -> bool {
    ["GET", "HEAD", "OPTIONS"].iter().any(|safe| method.eq_ignore_ascii_case(safe))
}

/// What a media type says about a body. Body rules look at JSON only: a file or a stream may contain the same
/// words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    /// JSON: `application/json`, or a type with the suffix `+json` (RFC 6839, 3.1).
    Json,
    /// Text, or no media type: servers send JSON this way; its first byte tells.
    Text,
    /// Something else.
    Other,
}

impl Media {
    /// Reads a `Content-Type` (RFC 9110, 8.3).
    pub(crate) fn of(content_type: &str) -> Self {
        let essence = split_at_any(trim_start(content_type, " \t"), "; \t").0.to_ascii_lowercase();
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
mod tests;
