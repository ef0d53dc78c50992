//! What the user chose, as far as decisions hang on it.

use super::answer::Form;
use super::apis::Apis;
use super::failure::{Code, Failure};
use super::rules::{ResponseFacts, RuleKind, Rules, is_safe};

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

/// What becomes of a call that needs a token while the refresh does not reach the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offline {
    /// Decided by what is known: whether the page is off line, and whether the call is safe.
    #[default]
    Auto,
    /// A safe call is sent without a token.
    Send,
    /// It fails.
    Reject,
}

/// What is known of the way to the server, when a refresh has not reached it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// A service worker answers the calls of this page.
    pub is_controlled: bool,
    /// The platform says that there is no network.
    pub is_offline: bool,
    /// The call goes to the origin that the refresh went to.
    pub is_same_origin: bool,
}

impl Policy {
    /// Whether a call leaves without a token, since the refresh that it needs has not reached the server
    /// (rule 8). By default that is so where nobody but a service worker can answer it: the page's
    /// worker controls it, and there is no network, or none to that origin.
    pub fn goes_bare(&self, failure: &Failure, method: &str, reach: Reach) -> bool {
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
    /// What becomes of calls while the refresh does not reach the server.
    pub offline: Offline,
    /// A cookie that scripts may read and that is there as long as there is a session: without it
    /// there is none. `None` where nothing is known of one.
    pub hint: Option<String>,
}

impl Policy {
    /// Whether an answer to a call of the session's own is a refusal, where the user's rules say so. `None`:
    /// they say nothing, and [`super::verdict`] does.
    pub(crate) fn refuses(&self, form: Form, facts: &ResponseFacts<'_>) -> Option<bool> {
        if self.rules_refusals {
            return Some(self.rules.say(RuleKind::Rejected, facts));
        }
        // A gateway whose own session is over sends whoever calls to its login page.
        (form == Form::Other && self.rules.turn_away(facts)).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::failure::Step;
    use super::super::rules::AnswerRule;
    use super::*;

    #[test]
    fn a_redirect_to_a_page_is_a_refusal_where_redirects_mean_sign_in_again() {
        let redirected = AnswerRule { redirected: true, ..AnswerRule::default() };
        let facts = ResponseFacts { status: 200, redirected: true, ..ResponseFacts::default() };
        let rules = Rules::new(vec![(RuleKind::Unauthorized, vec![redirected.clone()])]);
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
        let rules = Rules::new(vec![(RuleKind::Rejected, vec![redirected])]);
        let policy = Policy { rules, ..policy };
        assert_eq!(policy.refuses(Form::Other, &facts), Some(true));
    }

    #[test]
    fn a_call_leaves_without_a_token_where_a_service_worker_alone_can_answer_it() {
        let goes = |offline, code, method, is_controlled, is_offline, is_same_origin| {
            let policy = Policy { offline, ..Policy::default() };
            let reach = Reach { is_controlled, is_offline, is_same_origin };
            policy.goes_bare(&Failure::new(code, Step::Refresh), method, reach)
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
