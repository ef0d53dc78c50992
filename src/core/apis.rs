//! The targets that may receive the token: an exact list (rule 1).
//!
//! This code works on URLs as the platform's parser serialised them (URL Standard, 4.5): `\`, `..`, tabs,
//! upper-case hosts and default ports are already gone. It never interprets a string that somebody typed.

use super::text::{find_any, pieces, split_at_any};

/// The targets that get the token. No other target does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apis {
    list: Vec<Api>,
    /// The manager's own endpoints, which are never an app's request.
    own: Vec<Api>,
    /// The query parameter that carries the token. URLs that already have it get none: a request keeps the value that
    /// it brings itself.
    pub(super) parameter: Option<String>,
}

/// One entry: an origin and a path prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    origin: String,
    path: String,
}

impl Api {
    /// Parses an entry from a serialised URL: `https://api.example.com`, `https://example.com/api`. `None` if
    /// it is not a plain `http` or `https` URL: an entry has no user name, query or fragment.
    pub fn parse(href: &str) -> Option<Self> {
        let (origin, rest) = split(href)?;
        if find_any(rest, "?#").is_some() {
            return None;
        }
        let path = if rest.is_empty() { "/" } else { rest };
        Some(Self { origin: origin.to_owned(), path: path.to_owned() })
    }

    /// `/api` covers `/api` and everything below it, not `/apix`; `/api/` covers only what is below it.
    fn covers(&self, origin: &str, path: &str) -> bool {
        self.origin == origin
            && path.strip_prefix(self.path.as_str()).is_some_and(|rest| {
                self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/')
            })
    }
}

impl Apis {
    /// The complete list: if it names only another origin, the page's own origin is not on it.
    pub fn new(list: Vec<Api>) -> Self {
        Self { list, ..Self::default() }
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, href: &str) {
        if let Some(api) = Api::parse(href) {
            self.list.push(api);
        }
    }

    /// Excludes one of the manager's own endpoints: an expired token must not get a refresh refused, and a 401 from
    /// these endpoints must not cause a refresh.
    pub(super) fn exclude(&mut self, href: &str) {
        if let Some(api) = Api::parse(split_at_any(href, "?").0) {
            self.own.push(api);
        }
    }

    /// Whether the URL may receive the token. Scheme, host and port must match exactly, and the path on a
    /// segment border.
    pub fn cover(&self, href: &str) -> bool {
        let Some((origin, rest)) = split(href) else { return false };
        let (path, query) = split_at_any(rest, "?#");
        if let Some(name) = &self.parameter
            && pieces(split_at_any(query, "#").0, "?&")
                .any(|pair| split_at_any(pair, "=").0 == name)
        {
            return false;
        }
        let is_own = self.own.iter().any(|call| call.origin == origin && call.path == path);
        !is_own && self.list.iter().any(|api| api.covers(origin, path))
    }

    /// Whether the list names whole origins only.
    pub fn are_origins(&self) -> bool {
        self.list.iter().all(|api| api.path == "/")
    }

    /// Whether the whole origin of a URL may receive the token.
    pub fn cover_origin(&self, href: &str) -> bool {
        split(href).is_some_and(|(origin, _)| self.list.iter().any(|api| api.covers(origin, "/")))
    }
}

/// Whether two serialised URLs have the same origin.
pub(crate) fn is_same_origin(one: &str, other: &str) -> bool {
    split(one).zip(split(other)).is_some_and(|((one, _), (other, _))| one == other)
}

/// Splits a serialised URL into its origin and the rest. `None` for a URL without a tuple origin of `http` or
/// `https` (URL Standard, 4.7), and for one with a user name.
fn split(href: &str) -> Option<(&str, &str)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| href.starts_with(scheme))?;
    let (_, rest) = href.split_at(scheme.len());
    let (authority, _) = split_at_any(rest, "/?#");
    if authority.is_empty() || find_any(authority, "@").is_some() {
        return None;
    }
    Some(href.split_at(scheme.len() + authority.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(hrefs: &[&str]) -> Apis {
        Apis::new(hrefs.iter().map(|href| Api::parse(href).unwrap()).collect())
    }

    #[test]
    fn an_origin_covers_all_its_paths_and_no_other_origin() {
        let apis = list(&["https://api.example.com/"]);
        assert!(apis.cover("https://api.example.com/"));
        assert!(apis.cover("https://api.example.com/v1/me?q=https://evil.test/#x"));
        for other in [
            "http://api.example.com/",
            "https://api.example.com:8443/",
            "https://api.example.com.evil.test/",
            "https://evil.test/https://api.example.com/",
            "https://example.com/",
            "https://xapi.example.com/",
            "https://user@api.example.com/",
            "https://api.example.com@evil.test/",
            "blob:https://api.example.com/8a3b",
            "data:text/plain,https://api.example.com/",
            "ws://api.example.com/",
            "",
        ] {
            assert!(!apis.cover(other), "{other}");
        }
    }

    #[test]
    fn a_path_matches_on_a_segment_border() {
        let apis = list(&["https://example.com/api"]);
        for below in ["/api", "/api/", "/api/me", "/api?x", "/api#x"] {
            assert!(apis.cover(&format!("https://example.com{below}")), "{below}");
        }
        for beside in ["/apix", "/", "/API", "/ap", "/x/api", "/api%2Fme", "/?/api"] {
            assert!(!apis.cover(&format!("https://example.com{beside}")), "{beside}");
        }
    }

    #[test]
    fn a_path_that_ends_in_a_slash_covers_only_what_is_below_it() {
        let apis = list(&["https://example.com/api/"]);
        assert!(apis.cover("https://example.com/api/"));
        assert!(apis.cover("https://example.com/api/me"));
        assert!(!apis.cover("https://example.com/api"));
    }

    #[test]
    fn the_managers_own_calls_get_no_token() {
        let mut apis = list(&["https://example.com/"]);
        apis.exclude("https://example.com/auth/refresh?account=1");
        assert!(!apis.cover("https://example.com/auth/refresh"));
        assert!(!apis.cover("https://example.com/auth/refresh?x"));
        for other in ["/auth", "/auth/refresh/", "/auth/refresher", "/api"] {
            assert!(apis.cover(&format!("https://example.com{other}")), "{other}");
        }
    }

    #[test]
    fn a_url_that_brings_the_parameter_itself_gets_no_token() {
        let mut apis = list(&["https://example.com/"]);
        apis.parameter = Some("token".to_owned());
        for own in ["?token=x", "?a=b&token=x", "?token", "?token=&a"] {
            assert!(!apis.cover(&format!("https://example.com/api{own}")), "{own}");
        }
        for none in ["", "?", "?tokens=x", "?a=token", "?my-token=x", "#?token=x", "?a#&token=x"] {
            assert!(apis.cover(&format!("https://example.com/api{none}")), "{none}");
        }
    }

    #[test]
    fn a_whole_origin_is_covered_where_no_path_is_named() {
        let apis = list(&["https://whole.test/", "https://part.test/api"]);
        assert!(apis.cover_origin("https://whole.test/x?y"));
        for part in ["https://part.test/", "https://part.test/api/x", "https://other.test/", "x"] {
            assert!(!apis.cover_origin(part), "{part}");
        }
        assert!(!apis.are_origins());
        assert!(list(&["https://whole.test/", "http://other.test"]).are_origins());
    }

    #[test]
    fn an_empty_list_covers_nothing() {
        assert!(!list(&[]).cover("https://example.com/"));
    }

    #[test]
    fn invalid_entries_are_rejected() {
        for odd in [
            "ftp://x/",
            "https://",
            "https:///x",
            "https://u@x/",
            "https://x/?q",
            "https://x/#f",
            "/api",
        ] {
            assert_eq!(Api::parse(odd), None, "{odd}");
        }
    }
}
