//! The mark that a logout is still owed to the server: all that outlives a page, and no secret. It stands
//! in `localStorage`, where every tab and the next start see it. What it means is decided in
//! [`crate::core::owed`].

use super::platform;
use crate::core::{Mark, Now, concat};

/// The place of the mark. `None` where managers cannot be told apart, so that nobody finishes
/// another's logout.
pub(super) struct PendingLogout {
    key: Option<String>,
}

impl PendingLogout {
    pub(super) fn new(share: Option<&str>) -> Self {
        Self { key: share.map(|name| concat(&[name, " logout owed"])) }
    }

    /// The mark, if it is there.
    pub(super) fn mark(&self, now: Now) -> Option<Mark> {
        Some(Mark::read(&platform::marked(self.key.as_deref()?)?, now))
    }

    /// Sets the mark, or takes it away.
    pub(super) fn set(&self, mark: Option<Mark>) {
        if let Some(key) = &self.key {
            platform::mark(key, mark.map(Mark::text).as_deref());
        }
    }
}
