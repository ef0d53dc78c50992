//! What a request to an API gets: the token, or what stands for it.

use zeroize::Zeroizing;

use super::endpoint::{Cookies, Sent, behind, proof};
use super::rules::is_safe;
use super::secret::Secret;
use super::text::concat;

/// How the token is put on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attach {
    /// In a header field, behind a scheme (RFC 9110, 11.6.2). A scheme that is empty is left out.
    Header(String, String),
    /// As a parameter of the URL (RFC 6750, 2.3), where a server wants nothing better: URLs end up in
    /// logs and histories.
    Query(String),
    /// By the browser, as a cookie: the page has no token. What holds one is double submit, for
    /// requests of all methods but the safe ones (RFC 9110, 9.2.1): a cookie and a header field.
    Cookie(Option<(String, String)>),
}

impl Attach {
    /// The name of the header field that carries the token; of a parameter of the URL, behind `?`.
    /// Empty where the browser has the token.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Header(name, _) => name.clone(),
            Self::Query(name) => concat(&["?", name]),
            Self::Cookie(_) => String::new(),
        }
    }

    /// The token as it stands there. `None` where the browser has it.
    pub(crate) fn value(&self, token: &Secret) -> Option<Zeroizing<String>> {
        match self {
            Self::Header(_, scheme) => Some(behind(scheme, token)),
            Self::Query(_) => Some(Zeroizing::new(token.reveal().to_owned())),
            Self::Cookie(_) => None,
        }
    }

    /// Name and value of what a request of such a method gets.
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
    fn a_token_stands_behind_its_scheme() {
        let attach = Attach::Header("Authorization".into(), "Bearer".into());
        assert_eq!(field(&attach, "POST"), pair("Authorization", "Bearer abc"));
        assert_eq!(attach.field("GET", None, &|_| None), None, "there is none");
        let bare = Attach::Header("X-Token".into(), String::new());
        assert_eq!(field(&bare, "GET"), pair("X-Token", "abc"));
    }

    #[test]
    fn a_parameter_of_the_url_is_told_by_its_question_mark() {
        assert_eq!(field(&Attach::Query("token".into()), "GET"), pair("?token", "abc"));
    }

    #[test]
    fn where_the_browser_has_the_token_a_request_gets_its_double_submit_and_no_token() {
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
