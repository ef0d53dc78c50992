//! How redirects of a request with a token are handled (rule 1 before rule 2).
//!
//! A browser follows redirects by itself. If one leads to another origin, it drops `Authorization` (Fetch,
//! 4.4), but no other header field; and it does not know which paths must not get the token.

use super::apis::Apis;
use super::attach::Attach;
use super::header_fields::is_of;
use super::rules::is_safe;

/// How to send a request that carries the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// The browser follows redirects: it drops what must not be sent on.
    Follow,
    /// The browser follows redirects within the origin, and fails if one leads out of it (`mode:
    /// 'same-origin'`).
    SameOrigin,
    /// The browser follows no redirect (`redirect: 'manual'`). If the answer is a redirect, the request is
    /// sent without the token, to learn its final URL, and with the token if that URL is one of the APIs.
    Ask,
    /// The browser follows no redirect and treats one as an error: the request must not be sent twice.
    Refuse,
}

impl Redirects {
    /// Whether any request can need something other than [`Redirects::Follow`]. `may_be_bound`: whether a
    /// token may be bound to a key.
    pub fn matter(attach: &Attach, apis: &Apis, may_be_bound: bool) -> bool {
        may_be_bound
            || matches!(attach, Attach::Header(name, _) if !is_dropped(name) || !apis.are_origins())
    }

    /// For a request to `url`, which is one of the APIs. `is_bound`: the token is bound to a key, and its
    /// proof is valid for one URL (RFC 9449, 4.2).
    pub fn of(
        attach: &Attach,
        apis: &Apis,
        page: Option<&str>,
        url: &str,
        method: &str,
        is_bound: bool,
    ) -> Self {
        if is_bound {
            return Self::Refuse;
        }
        let Attach::Header(name, _) = attach else {
            // A redirect's own URL says which query parameters it has, and the browser handles cookies.
            return Self::Follow;
        };
        // When the browser follows the redirect, it leaves the origin without the token, or fails.
        let way = if is_dropped(name) {
            Self::Follow
        } else if page.is_some_and(|page| is_of(url, page)) {
            Self::SameOrigin
        } else {
            Self::Refuse
        };
        let is_safe_to_follow = way != Self::Refuse && apis.cover_origin(url);
        if is_safe(method) && !is_safe_to_follow { Self::Ask } else { way }
    }
}

/// Whether browsers drop a header field on a redirect to another origin.
fn is_dropped(name: &str) -> bool {
    name.eq_ignore_ascii_case("Authorization")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Api;

    const PAGE: Option<&str> = Some("https://app.test");

    fn of(header: &str, api: &str, url: &str, method: &str) -> Redirects {
        let attach = Attach::Header(header.to_owned(), "Bearer".to_owned());
        let apis = Apis::new(vec![Api::parse(api).unwrap()]);
        Redirects::of(&attach, &apis, PAGE, url, method, false)
    }

    #[test]
    fn authorization_for_a_whole_origin_is_left_to_the_browser() {
        for (api, url) in [
            ("https://app.test/", "https://app.test/api"),
            ("https://api.test/", "https://api.test/x"),
        ] {
            for method in ["GET", "POST"] {
                assert_eq!(of("authorization", api, url, method), Redirects::Follow);
            }
        }
    }

    #[test]
    fn redirects_matter_where_the_browser_would_send_the_token_on() {
        let whole = Apis::new(vec![Api::parse("https://api.test/").unwrap()]);
        let part = Apis::new(vec![Api::parse("https://api.test/v1").unwrap()]);
        let header = |name: &str| Attach::Header(name.to_owned(), String::new());
        assert!(!Redirects::matter(&header("AUTHORIZATION"), &whole, false));
        assert!(Redirects::matter(&header("Authorization"), &part, false));
        assert!(Redirects::matter(&header("X-Token"), &whole, false));
        assert!(!Redirects::matter(&Attach::Cookie(None), &part, false));
        assert!(Redirects::matter(&header("Authorization"), &whole, true));
    }

    #[test]
    fn a_proof_follows_no_redirect() {
        let attach = Attach::Header("Authorization".to_owned(), "Bearer".to_owned());
        let apis = Apis::new(vec![Api::parse("https://app.test/").unwrap()]);
        for method in ["GET", "POST"] {
            let way = Redirects::of(&attach, &apis, PAGE, "https://app.test/api", method, true);
            assert_eq!(way, Redirects::Refuse);
        }
    }

    #[test]
    fn another_header_stays_within_the_pages_origin() {
        for method in ["GET", "POST"] {
            let way = of("X-Token", "https://app.test/", "https://app.test/api", method);
            assert_eq!(way, Redirects::SameOrigin);
        }
    }

    #[test]
    fn another_header_for_another_origin_follows_no_redirect_by_itself() {
        let of = |method| of("X-Token", "https://api.test/", "https://api.test/x", method);
        assert_eq!(of("GET"), Redirects::Ask);
        assert_eq!(of("HEAD"), Redirects::Ask);
        assert_eq!(of("POST"), Redirects::Refuse);
        // An origin that only begins like the page's.
        let attach = Attach::Header("X-Token".to_owned(), String::new());
        let apis = Apis::new(vec![Api::parse("https://app.test.evil.test/").unwrap()]);
        let way =
            Redirects::of(&attach, &apis, PAGE, "https://app.test.evil.test/x", "POST", false);
        assert_eq!(way, Redirects::Refuse);
    }

    #[test]
    fn the_token_does_not_leave_a_path_where_the_request_may_be_sent_twice() {
        let of = |header, url: &str, method| {
            of(header, &[url, "/api"].concat(), &[url, "/api/x"].concat(), method)
        };
        assert_eq!(of("Authorization", "https://app.test", "GET"), Redirects::Ask);
        assert_eq!(of("Authorization", "https://app.test", "POST"), Redirects::Follow);
        assert_eq!(of("Authorization", "https://api.test", "POST"), Redirects::Follow);
        assert_eq!(of("X-Token", "https://app.test", "GET"), Redirects::Ask);
        assert_eq!(of("X-Token", "https://app.test", "POST"), Redirects::SameOrigin);
        assert_eq!(of("X-Token", "https://api.test", "POST"), Redirects::Refuse);
    }

    #[test]
    fn a_token_that_is_in_no_header_is_not_sent_on() {
        let apis = Apis::new(vec![Api::parse("https://api.test/v1").unwrap()]);
        for attach in [Attach::Query("token".to_owned()), Attach::Cookie(None)] {
            let way = Redirects::of(&attach, &apis, PAGE, "https://api.test/v1", "POST", false);
            assert_eq!(way, Redirects::Follow);
        }
    }
}
