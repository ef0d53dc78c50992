//! The mark that a logout is still owed to the server: all that outlives a page, and no secret.
//!
//! It says which call is to be made, method and URL without its query, and stands in
//! `localStorage`, where every tab and the next start see it.

use super::platform;
use crate::core::{Endpoint, split_at_any};

/// The place of the mark.
pub(super) struct Debt {
    key: String,
}

impl Debt {
    pub(super) fn new(name: &str) -> Self {
        Self { key: [name, " logout owed"].concat() }
    }

    /// The logout that is owed, if the mark is there. A mark that cannot be read is a mark still:
    /// then it is `otherwise` that is owed.
    pub(super) fn owed(&self, otherwise: Option<&Endpoint>) -> Option<Endpoint> {
        let mark = platform::marked(&self.key)?;
        let (method, url) = split_at_any(&mark, b" ");
        let url = url.strip_prefix(' ').unwrap_or_default();
        let is_own = otherwise.is_some_and(|endpoint| endpoint.url == url);
        let is_call = matches!(method, "POST" | "DELETE" | "GET" | "PUT" | "PATCH")
            && (url.starts_with("https://") || url.starts_with("http://"));
        if is_call && !is_own {
            Some(Endpoint { method: method.to_owned(), ..Endpoint::new(url) })
        } else {
            otherwise.cloned()
        }
    }

    /// Sets the mark.
    pub(super) fn set(&self, method: &str, url: &str) {
        let (url, _) = split_at_any(url, b"?#");
        platform::mark(&self.key, Some(&[method, " ", url].concat()));
    }

    /// Takes the mark away.
    pub(super) fn clear(&self) {
        platform::mark(&self.key, None);
    }
}
