//! Puts the token on a request to an API, or the header field that replaces it.

use zeroize::Zeroizing;

use super::header_fields::{Cookies, Sent, behind, proof};
use super::rules::is_safe;
use super::secret::Secret;
use super::text::concat;

/// How the token is put on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attach {
    /// In a header field, after a scheme (RFC 9110, 11.6.2). An empty scheme is left out.
    Header(String, String),
    /// In a query parameter of the URL (RFC 6750, 2.3), for servers that accept nothing better: URLs end up
    /// in logs and histories.
    Query(String),
    /// As a cookie that the browser sends; the page has no token. The pair is a cookie and a header field for
    /// double submit, on requests of all methods but the safe ones (RFC 9110, 9.2.1).
    Cookie(Option<(String, String)>),
}

impl Attach {
    /// The name of the header field that carries the token, or `?` and the name of the query parameter. Empty
    /// if the token is in a cookie.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Header(name, _) => name.clone(),
            Self::Query(name) => concat(&["?", name]),
            Self::Cookie(_) => String::new(),
        }
    }

    /// The value that carries the token. `None` if the token is in a cookie.
    pub(crate) fn value(&self, token: &Secret) -> Option<Zeroizing<String>> {
        match self {
            Self::Header(_, scheme) => Some(behind(scheme, token)),
            Self::Query(_) => Some(Zeroizing::new(token.reveal().to_owned())),
            Self::Cookie(_) => None,
        }
    }

    /// Name and value to add to a request of this method.
    pub(crate) fn field(
        &self,
        method: &str,
        token: Option<&Secret>,
        cookies: Cookies<'_>,
    ) -> Option<Sent> {
        match self {
            Self::Cookie(csrf) if !is_safe(method) => proof(csrf.as_ref()?, cookies),
            _ => Some((self.name(), self.value(token?)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(attach: &Attach, method: &str) -> Option<(String, String)> {
        let token = Secret::new("abc".into()).unwrap();
        let jar = |name: &str| (name == "csrf").then(|| "17".to_owned());
        attach.field(method, Some(&token), &jar).map(|(name, value)| (name, value.to_string()))
    }

    fn pair(name: &str, value: &str) -> Option<(String, String)> {
        Some((name.to_owned(), value.to_owned()))
    }

    #[test]
    fn a_token_follows_its_scheme() {
        let attach = Attach::Header("Authorization".into(), "Bearer".into());
        assert_eq!(field(&attach, "POST"), pair("Authorization", "Bearer abc"));
        assert_eq!(attach.field("GET", None, &|_| None), None, "there is none");
        let bare = Attach::Header("X-Token".into(), String::new());
        assert_eq!(field(&bare, "GET"), pair("X-Token", "abc"));
    }

    #[test]
    fn a_query_parameter_is_marked_by_a_question_mark() {
        assert_eq!(field(&Attach::Query("token".into()), "GET"), pair("?token", "abc"));
    }

    #[test]
    fn with_the_token_in_a_cookie_a_request_gets_double_submit_and_no_token() {
        let attach = Attach::Cookie(Some(("csrf".into(), "X-CSRF".into())));
        for method in ["POST", "PUT", "PATCH", "DELETE", "post"] {
            assert_eq!(field(&attach, method), pair("X-CSRF", "17"), "{method}");
        }
        for method in ["GET", "HEAD", "OPTIONS", "get"] {
            assert_eq!(field(&attach, method), None, "{method} has no effect to forge");
        }
        let without = Attach::Cookie(Some(("other".into(), "X-CSRF".into())));
        assert_eq!(field(&without, "POST"), None, "there is no such cookie");
        assert_eq!(field(&Attach::Cookie(None), "POST"), None);
    }
}
