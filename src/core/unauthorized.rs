//! What counts as "your token has ended" (rule 5).

use super::challenge::{Challenge, challenges};
use super::text::{split_at_any, trim_start};

/// The rule, as the user set it: any of its parts may match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unauthorized {
    /// Statuses that say so.
    pub status: Vec<u16>,
    /// A field of a JSON body that says so, for APIs that answer 200 with an error code.
    pub field: Option<Field>,
}

/// A member of a JSON body, and the values of it that mean "ended".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it stands: member names, outermost first.
    pub path: Vec<String>,
    /// The values as text, for servers send 40101 and "40101" alike.
    pub equals: Vec<String>,
}

/// What a look at the status alone tells of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glance {
    /// It is the caller's.
    Deliver,
    /// The status says "ended": the challenge may still say that a refresh cures nothing.
    Suspect,
    /// The body must be read first.
    ReadBody,
}

impl Default for Unauthorized {
    /// 401 (RFC 9110, 15.5.2), and nothing else.
    fn default() -> Self {
        Self { status: vec![401], field: None }
    }
}

impl Unauthorized {
    /// What the status tells.
    pub fn glance(&self, status: u16) -> Glance {
        if self.status.contains(&status) {
            Glance::Suspect
        } else if self.field.is_some() && !matches!(status, 0 | 204 | 205 | 304) {
            Glance::ReadBody
        } else {
            Glance::Deliver
        }
    }

    /// Whether an answer says that the token has ended. `challenge`: the value of
    /// `WWW-Authenticate`, where it is there and not hidden by CORS; `field`: the value that the
    /// body has at [`Field::path`], as text.
    pub fn is_expiry(&self, status: u16, challenge: Option<&str>, field: Option<&str>) -> bool {
        let told = self.status.contains(&status)
            || self
                .field
                .as_ref()
                .zip(field)
                .is_some_and(|(rule, value)| rule.equals.iter().any(|equals| equals == value));
        told && !challenge
            .is_some_and(|value| challenges(value).iter().any(Challenge::is_beyond_a_refresh))
    }
}

/// Whether a media type is JSON: `application/json` or one with the suffix `+json` (RFC 6839, 3.1).
/// Body rules look at nothing else: a file or a stream may hold the same words.
pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = split_at_any(trim_start(content_type, b" \t"), b"; \t").0.to_ascii_lowercase();
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_40101() -> Unauthorized {
        let field = Field { path: vec!["code".into()], equals: vec!["40101".into()] };
        Unauthorized { status: vec![401], field: Some(field) }
    }

    #[test]
    fn by_default_401_is_an_expiry_and_403_is_not() {
        let rule = Unauthorized::default();
        assert_eq!(rule.glance(401), Glance::Suspect);
        for status in [0, 200, 204, 302, 400, 403, 407, 419, 500] {
            assert_eq!(rule.glance(status), Glance::Deliver, "{status}");
            assert!(!rule.is_expiry(status, None, None), "{status}");
        }
        assert!(rule.is_expiry(401, None, None));
        assert!(rule.is_expiry(401, Some("Bearer error=\"invalid_token\""), None));
    }

    #[test]
    fn a_challenge_that_a_refresh_does_not_cure_is_the_callers() {
        let rule = Unauthorized::default();
        assert!(!rule.is_expiry(
            401,
            Some("Bearer error=\"insufficient_user_authentication\""),
            None
        ));
        assert!(!rule.is_expiry(401, Some("Bearer error=\"insufficient_scope\""), None));
    }

    #[test]
    fn a_field_of_the_body_tells_where_the_status_does_not() {
        let rule = code_40101();
        assert_eq!(rule.glance(200), Glance::ReadBody);
        assert_eq!(rule.glance(204), Glance::Deliver);
        assert!(rule.is_expiry(200, None, Some("40101")));
        assert!(!rule.is_expiry(200, None, Some("0")));
        assert!(!rule.is_expiry(200, None, None));
    }

    #[test]
    fn only_json_is_read() {
        for json in
            ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"]
        {
            assert!(is_json(json), "{json}");
        }
        for other in
            ["", "text/html", "text/event-stream", "application/jsonl", "application/octet-stream"]
        {
            assert!(!is_json(other), "{other}");
        }
    }
}
