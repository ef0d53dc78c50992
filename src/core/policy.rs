//! What the user chose, as far as decisions hang on it.

use super::apis::Apis;
use super::rules::Rules;

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

/// What a refresh needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing that is known here: a cookie has the refresh token.
    #[default]
    Always,
    /// The refresh token, which is held in memory.
    WithToken,
    /// There is no refresh: new tokens come with answers, or by a login.
    Never,
}

/// The choices.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Who may receive the token.
    pub apis: Apis,
    /// What answers mean.
    pub rules: Rules,
    /// Whether the rules say which answers to a refresh end the session. If not, see
    /// [`super::verdict`].
    pub rules_refusals: bool,
    /// `refreshBefore`, in milliseconds: how long before its end a token is renewed.
    pub refresh_before: Option<u64>,
    /// Statuses of an answer to a logout that mean success, beside 2xx and 401.
    pub logged_out: Vec<u16>,
    /// What a refresh needs.
    pub renewal: Renewal,
    /// When to ask for the first token.
    pub restore: Restore,
    /// What the tabs do for each other.
    pub tabs: Tabs,
}
