//! The mark that a logout is still owed to the server: all that outlives a page, and no secret.
//!
//! It says which call is to be made, method and URL without its query, and stands in
//! `localStorage`, where every tab and the next start see it.

use web_sys::Storage;

use super::platform;
use crate::core::Endpoint;

/// The place of the mark.
pub(crate) struct Debt {
    key: String,
}

impl Debt {
    pub(crate) fn new(name: &str) -> Self {
        Self { key: format!("{name} logout owed") }
    }

    /// The logout that is owed, if the mark is there. A mark that cannot be read is a mark still:
    /// then it is `otherwise` that is owed.
    pub(crate) fn owed(&self, otherwise: Option<&Endpoint>) -> Option<Endpoint> {
        let mark = storage()?.get_item(&self.key).ok()??;
        let (method, url) = mark.split_once(' ').unwrap_or(("POST", ""));
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
    pub(crate) fn set(&self, method: &str, url: &str) {
        let url = url.split(['?', '#']).next().unwrap_or_default();
        if let Some(storage) = storage() {
            // A storage that is full or forbidden loses the mark; the logout is tried all the same.
            let _ = storage.set_item(&self.key, &format!("{method} {url}"));
        }
    }

    /// Takes the mark away.
    pub(crate) fn clear(&self) {
        if let Some(storage) = storage() {
            let _ = storage.remove_item(&self.key);
        }
    }
}

/// The storage, where there is one and the page may use it.
fn storage() -> Option<Storage> {
    platform::scope().local_storage().ok()?
}
