//! The mark of a logout that the server has not yet confirmed. Nothing else outlives a page, and the mark is no
//! secret. It is in `localStorage`, where every tab and the next start see it. [`crate::core::owed`] interprets it.

use super::platform;
use crate::core::{Mark, Now, concat};

/// The storage key of the mark. `None` if managers cannot be told apart, so that no manager finishes the logout of
/// another.
pub(super) struct PendingLogout {
    key: Option<String>,
}

impl PendingLogout {
    pub(super) fn new(share: Option<&str>) -> Self {
        Self { key: share.map(|name| concat(&[name, " logout owed"])) }
    }

    /// The mark, if there is one.
    pub(super) fn mark(&self, now: Now) -> Option<Mark> {
        Some(Mark::read(&platform::marked(self.key.as_deref()?)?, now))
    }

    /// Sets or removes the mark.
    pub(super) fn set(&self, mark: Option<Mark>) {
        if let Some(key) = &self.key {
            platform::mark(key, mark.map(Mark::text).as_deref());
        }
    }
}
