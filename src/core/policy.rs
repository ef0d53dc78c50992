//! What the user chose, as far as decisions hang on it.

use super::apis::Apis;
use super::unauthorized::Unauthorized;

/// When a page that has no token yet asks for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restore {
    /// The first call that needs a token asks for one.
    #[default]
    Lazy,
    /// At once.
    Eager,
    /// Only `refresh()` does.
    Manual,
}

/// What the tabs of one origin do for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tabs {
    /// They take turns, and hand a new token on.
    #[default]
    Share,
    /// They take turns; each asks for a token of its own.
    Lock,
    /// Nothing.
    Off,
}

/// The choices.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Who may receive the token.
    pub apis: Apis,
    /// What counts as "ended".
    pub unauthorized: Unauthorized,
    /// `refreshBefore`, in milliseconds: how long before its end a token is renewed.
    pub refresh_before: Option<u64>,
    /// When to ask for the first token.
    pub restore: Restore,
    /// What the tabs do for each other.
    pub tabs: Tabs,
}
