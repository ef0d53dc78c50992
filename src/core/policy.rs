//! The user's choices on which decisions depend.

use super::answer::Form;
use super::apis::Apis;
use super::failure::{Code, Failure};
use super::rules::{ResponseFacts, RuleKind, Rules, is_safe};

/// When a page without a token asks for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restore {
    /// The first call that needs a token asks for one.
    #[default]
    Lazy,
    /// When the manager is created.
    Eager,
    /// Only by `refresh()`.
    Manual,
}

/// How the tabs of one origin cooperate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tabs {
    /// They take turns, and pass new tokens on.
    #[default]
    Share,
    /// They take turns; each asks for its own token.
    Lock,
    /// They do not cooperate.
    Off,
}

/// What happens to a call that needs a token while the refresh cannot reach the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offline {
    /// Depends on whether the page is offline or a service worker controls it, and on whether the call is
    /// safe.
    #[default]
    Auto,
    /// A safe call is sent without a token.
    Send,
    /// It fails.
    Reject,
}

/// What is known about the connection to the server after a refresh has not reached it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// A service worker answers the calls of this page.
    pub is_controlled: bool,
    /// The platform reports that there is no network.
    pub is_offline: bool,
    /// The call goes to the origin that the refresh went to.
    pub is_same_origin: bool,
}

impl Policy {
    /// Whether a call is sent without a token because the refresh that it needs has not reached the server
    /// (rule 8). By default it is, if only a service worker can answer it: a service worker controls the
    /// page, and there is no network, or no connection to that origin.
    pub fn goes_bare(&self, failure: Failure, method: &str, reach: Reach) -> bool {
        let is_unreached = matches!(failure.code, Code::Network | Code::Timeout);
        let is_cut_off = reach.is_offline || reach.is_same_origin;
        is_safe(method)
            && match self.offline {
                Offline::Auto => is_unreached && reach.is_controlled && is_cut_off,
                Offline::Send => failure.code.is_retryable(),
                Offline::Reject => false,
            }
    }
}

/// What a refresh requires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing that the manager can see: a cookie holds the refresh token.
    #[default]
    Always,
    /// The refresh token, which is held in memory.
    WithToken,
    /// There is no refresh: new tokens come with answers, or by a login.
    Never,
}

/// The user's choices.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The APIs that may receive the token.
    pub apis: Apis,
    /// How answers are classified.
    pub rules: Rules,
    /// Whether the rules say which answers to a refresh end the session. If not, [`super::verdict`] decides.
    pub rules_refusals: bool,
    /// `refreshBefore`, in milliseconds: how long before its end a token is renewed.
    pub refresh_before: Option<u64>,
    /// Statuses that mean a successful logout, besides 2xx and 401.
    pub logged_out: Vec<u16>,
    /// What a refresh requires.
    pub renewal: Renewal,
    /// When to ask for the first token.
    pub restore: Restore,
    /// How the tabs cooperate.
    pub tabs: Tabs,
    /// What happens to calls while the refresh cannot reach the server.
    pub offline: Offline,
    /// The name of a cookie that scripts may read and that exists as long as the session: without the cookie
    /// there is no session. `None` if there is no such cookie.
    pub hint: Option<String>,
}

impl Policy {
    /// Whether the user's rules classify an answer to one of the manager's own calls as a refusal. `None`: no
    /// rule applies, and [`super::verdict`] decides.
    pub(crate) fn refuses(&self, form: Form, facts: &ResponseFacts<'_>) -> Option<bool> {
        if self.rules_refusals {
            return Some(self.rules.say(RuleKind::Rejected, facts));
        }
        // A gateway whose own session is over redirects every caller to its login page.
        (form == Form::Other && self.rules.turn_away(facts)).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::Step;
    use super::super::rules::AnswerRule;
    use super::*;

    #[test]
    fn a_redirect_to_a_page_is_a_refusal_where_a_rule_says_so() {
        let redirected = AnswerRule { redirected: true, ..AnswerRule::default() };
        let facts = ResponseFacts { status: 200, redirected: true, ..ResponseFacts::default() };
        let rules = Rules::new(vec![(RuleKind::Unauthorized, redirected.clone())]);
        let policy = Policy { rules, ..Policy::default() };
        assert_eq!(policy.refuses(Form::Other, &facts), Some(true));
        for form in [Form::Json, Form::Empty] {
            assert_eq!(policy.refuses(form, &facts), None, "it is no page");
        }
        assert_eq!(
            policy.refuses(Form::Other, &ResponseFacts { redirected: false, ..facts }),
            None
        );
        assert_eq!(Policy::default().refuses(Form::Other, &facts), None, "nobody says so");
        let policy = Policy { rules_refusals: true, ..policy };
        assert_eq!(policy.refuses(Form::Other, &facts), Some(false), "`rejected` has the word");
        let rules = Rules::new(vec![(RuleKind::Rejected, redirected)]);
        let policy = Policy { rules, ..policy };
        assert_eq!(policy.refuses(Form::Other, &facts), Some(true));
    }

    #[test]
    fn a_call_is_sent_without_a_token_where_only_a_service_worker_can_answer() {
        let goes = |offline, code, method, is_controlled, is_offline, is_same_origin| {
            let policy = Policy { offline, ..Policy::default() };
            let reach = Reach { is_controlled, is_offline, is_same_origin };
            policy.goes_bare(Failure::new(code, Step::Refresh), method, reach)
        };
        use Code::*;
        assert!(goes(Offline::Auto, Network, "GET", true, true, false));
        assert!(goes(Offline::Auto, Timeout, "head", true, false, true));
        assert!(!goes(Offline::Auto, Network, "GET", false, true, true), "nobody would answer");
        assert!(!goes(Offline::Auto, Network, "GET", true, false, false), "the API may answer");
        assert!(!goes(Offline::Auto, BadStatus, "GET", true, true, true), "the server is there");
        for method in ["POST", "DELETE"] {
            assert!(!goes(Offline::Send, Network, method, true, true, true), "{method}");
        }
        assert!(goes(Offline::Send, BadStatus, "GET", false, false, false));
        assert!(!goes(Offline::Send, Rejected, "GET", true, true, true));
        assert!(!goes(Offline::Reject, Network, "GET", true, true, true));
    }
}
