//! The options, and the decisions that follow from them. `browser/options.js` checks the options of apps in Rust and
//! in JavaScript.

use super::apis::Apis;
use super::attach::Attach;
use super::dpop::DpopKeys;
use super::endpoint::{Carrier, Endpoint};
use super::policy::{Offline, Policy, Renewal, Restore, Tabs};
use super::rules::{AnswerRule, Rules};

/// All options. Start from [`Options::new`] and change what you need.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The endpoint that gives new tokens.
    pub refresh: Endpoint,
    /// The endpoint for `logout` without a request, and for pending logouts.
    pub logout: Option<Endpoint>,
    /// Who may receive the token: origins, or origins with a path. `None`: the page's own origin.
    pub apis: Option<Vec<String>>,
    /// How the token is put on a request.
    pub attach: Attach,
    /// The responses that mean that the token has expired. 401 (RFC 9110, 15.5.2) unless set.
    pub unauthorized: Vec<AnswerRule>,
    /// The responses that mean that the session has ended, so that no refresh helps.
    pub ended: Vec<AnswerRule>,
    /// The responses that ask for more authentication than the session has: [`AnswerRule::step_up`] unless set.
    pub step_up: Vec<AnswerRule>,
    /// The responses to a refresh that end the session. `None`: 400, 401 and 403 with JSON or without a
    /// body, and `invalid_grant` (RFC 6749, 5.2) with any 4xx.
    pub rejected: Option<Vec<AnswerRule>>,
    /// The header field of responses that contains a new token.
    pub adopt: Option<String>,
    /// What a refresh needs if `refresh` does not determine it: with a refresh function of the app, and with
    /// [`Options::without_refresh`].
    pub(crate) renewal: Option<Renewal>,
    /// The place of the access token in a response: member names joined by dots. ` | ` separates several places, of
    /// which the first that is not empty counts. The same holds for the places below.
    pub access_token_at: String,
    /// The place of the refresh token, unless it is in a cookie.
    pub refresh_token_at: String,
    /// The place of the access token's lifetime, in seconds (RFC 6749, 5.1).
    pub expires_in_at: String,
    /// The place of the time when the access token expires: seconds or milliseconds since the epoch, or a date
    /// and time with a zone (RFC 3339, 5.6), by the server's clock. Empty for nowhere.
    pub expires_at_at: String,
    /// The place of the time for which the session can be renewed, in seconds.
    pub session_expires_in_at: String,
    /// A cookie, and the header field that carries its value (double submit). The cookie is read for each refresh and
    /// logout.
    pub csrf: Option<(String, String)>,
    /// Where the refresh token travels.
    pub refresh_token: Carrier,
    /// How long before it expires a token is renewed, in milliseconds. `None`: 30 seconds or a tenth of
    /// its lifetime, whichever is less.
    pub refresh_before: Option<f64>,
    /// How the tabs of one origin cooperate.
    pub tabs: Tabs,
    /// When a page without a token asks for one.
    pub restore: Restore,
    /// Whether the app may read the token.
    pub expose_token: bool,
    /// Distinguishes managers with equal options. Managers whose options contain functions share with other tabs
    /// only if they have a name.
    pub name: Option<String>,
    /// The claim that names the user: a string or a number. `sub` unless set (RFC 7519, 4.1.2).
    pub subject: String,
    /// A cookie that scripts may read and that exists as long as the session. Without this cookie, the server is not
    /// asked for a token. `None`: the cookie of `csrf`, if there is one.
    pub session_hint: Option<String>,
    /// How long the response to a login may take, in milliseconds. 30 seconds unless set.
    pub login_timeout: f64,
    /// The responses to a login that do not begin a session yet, as when the server asks for a second factor.
    pub incomplete: Vec<AnswerRule>,
    /// How to handle a call that needs a token while the refresh does not reach the server.
    pub offline: Offline,
    /// Whether tokens are bound to a key (RFC 9449), and where the key is kept. The `token_type` of each token says
    /// whether it is bound.
    pub dpop: Option<DpopKeys>,
}

impl Options {
    /// The defaults, with the endpoint that gives new tokens.
    pub fn new(refresh: impl Into<String>) -> Self {
        Self {
            refresh: Endpoint::new(refresh),
            logout: None,
            apis: None,
            attach: Attach::Header("Authorization".into(), "Bearer".into()),
            unauthorized: vec![AnswerRule::status(401)],
            ended: Vec::new(),
            step_up: vec![AnswerRule::step_up()],
            rejected: None,
            adopt: None,
            renewal: None,
            access_token_at: "access_token".into(),
            refresh_token_at: "refresh_token".into(),
            expires_in_at: "expires_in".into(),
            expires_at_at: String::new(),
            session_expires_in_at: "refresh_expires_in | refresh_token_expires_in".into(),
            csrf: None,
            refresh_token: Carrier::Cookie,
            refresh_before: None,
            tabs: Tabs::Share,
            restore: Restore::Lazy,
            expose_token: false,
            name: None,
            subject: "sub".into(),
            session_hint: None,
            login_timeout: 30_000.0,
            incomplete: Vec::new(),
            offline: Offline::Auto,
            dpop: None,
        }
    }

    /// The defaults, without a refresh: new tokens come from responses, from a login, or from
    /// [`crate::TokenManager::set_tokens`].
    pub fn without_refresh() -> Self {
        Self { renewal: Some(Renewal::Never), ..Self::new("") }
    }

    /// The policy for decisions. The options must be checked and completed.
    pub(crate) fn policy(&mut self, rules: Rules) -> Policy {
        let mut apis = Apis::default();
        for entry in self.apis.iter().flatten() {
            apis.add(entry);
        }
        apis.exclude(&self.refresh.url);
        if let Attach::Query(name) = &self.attach {
            apis.parameter = Some(name.clone());
        }
        let mut logged_out = Vec::new();
        if let Some(logout) = &mut self.logout {
            apis.exclude(&logout.url);
            logged_out = std::mem::take(&mut logout.success);
        }
        Policy {
            apis,
            rules,
            rules_refusals: self.rejected.is_some(),
            logged_out,
            refresh_before: self.refresh_before.map(|ms| ms as u64),
            renewal: match (self.renewal, &self.refresh_token) {
                (Some(renewal), _) => renewal,
                (None, Carrier::Cookie) => Renewal::Always,
                _ => Renewal::WithToken,
            },
            restore: self.restore,
            tabs: match (self.tabs, self.dpop) {
                // Another tab could not use a token that is bound to this tab's key.
                (Tabs::Share, Some(DpopKeys::Memory)) => Tabs::Lock,
                (tabs, _) => tabs,
            },
            offline: self.offline,
            hint: self.hint(),
        }
    }

    /// Whether a refresh token is kept in memory. A refresh token that a server sends in addition to the cookie is not
    /// kept. A refresh function gets the refresh token that it has returned.
    pub(crate) fn keeps_refresh_token(&self) -> bool {
        self.refresh_token != Carrier::Cookie || self.renewal == Some(Renewal::Always)
    }

    /// If the refresh token is in a cookie: another cookie, without which there is no session. This is the cookie of
    /// the option, or that of the refresh's double submit, which fails without it.
    fn hint(&self) -> Option<String> {
        let csrf = self.refresh.csrf.as_ref().or(self.csrf.as_ref()).map(|(cookie, _)| cookie);
        let has_cookie = self.refresh_token == Carrier::Cookie;
        self.session_hint.as_ref().or(csrf).filter(|_| has_cookie).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::Credentials;
    use super::*;

    /// The policy of these options, checked and completed as in a page.
    fn policy(change: impl FnOnce(&mut Options)) -> Policy {
        let mut options = Options::new("https://app.test/auth/refresh");
        options.apis = Some(vec!["https://app.test/".into()]);
        change(&mut options);
        options.policy(Rules::default())
    }

    /// `pkg/test/options.test.mjs` lists the same defaults for JavaScript.
    #[test]
    fn the_defaults_are_those_of_an_app_in_javascript() {
        let options = Options::new("/refresh");
        let Endpoint { url, method, timeout, credentials, .. } = &options.refresh;
        assert_eq!((url.as_str(), method.as_str(), *timeout), ("/refresh", "POST", 10_000.0));
        assert_eq!(*credentials, Credentials::Include);
        assert_eq!(options.attach, Attach::Header("Authorization".into(), "Bearer".into()));
        assert_eq!(options.unauthorized, [AnswerRule::status(401)]);
        let challenge = ["insufficient_user_authentication", "insufficient_claims"];
        assert_eq!(options.step_up[0].status, [401]);
        assert_eq!(options.step_up[0].challenge, challenge);
        assert!(options.ended.is_empty() && options.incomplete.is_empty());
        assert!(options.rejected.is_none() && options.apis.is_none() && options.logout.is_none());
        assert_eq!(options.access_token_at, "access_token");
        assert_eq!(options.refresh_token_at, "refresh_token");
        assert_eq!((&*options.expires_in_at, &*options.expires_at_at), ("expires_in", ""));
        let session = "refresh_expires_in | refresh_token_expires_in";
        assert_eq!(options.session_expires_in_at, session);
        assert_eq!((options.login_timeout, &*options.subject), (30_000.0, "sub"));
        assert_eq!(options.refresh_token, Carrier::Cookie);
        let choices = (options.tabs, options.restore, options.offline, options.expose_token);
        assert_eq!(choices, (Tabs::Share, Restore::Lazy, Offline::Auto, false));
        assert_eq!(Options::without_refresh().policy(Rules::default()).renewal, Renewal::Never);
    }

    #[test]
    fn the_apis_get_the_token_and_the_managers_own_calls_do_not() {
        let apis = policy(|_| {}).apis;
        assert!(apis.cover("https://app.test/api/me"));
        assert!(!apis.cover("https://api.app.test/"));
        assert!(!apis.cover("https://app.test/auth/refresh?x"));
        let logout = Some(Endpoint::new("https://app.test/out?all"));
        let apis = policy(|o| o.logout = logout).apis;
        assert!(!apis.cover("https://app.test/out"));
    }

    #[test]
    fn a_url_that_brings_the_parameter_of_the_token_is_left_alone() {
        let apis = policy(|o| o.attach = Attach::Query("token".into())).apis;
        assert!(apis.cover("https://app.test/api"));
        assert!(!apis.cover("https://app.test/api?token=x"));
    }

    #[test]
    fn what_a_refresh_needs_follows_from_where_its_token_travels() {
        let renewal = |change: fn(&mut Options)| policy(change).renewal;
        assert_eq!(renewal(|_| {}), Renewal::Always);
        let in_memory = |o: &mut Options| o.refresh_token = Carrier::Json("refresh".into());
        assert_eq!(renewal(in_memory), Renewal::WithToken);
        assert_eq!(renewal(|o| o.renewal = Some(Renewal::Never)), Renewal::Never);
    }

    #[test]
    fn tokens_of_keys_in_memory_are_not_shared() {
        let tabs = |keys, tabs| policy(|o| (o.dpop, o.tabs) = (keys, tabs)).tabs;
        assert_eq!(tabs(None, Tabs::Share), Tabs::Share);
        assert_eq!(tabs(Some(DpopKeys::Stored), Tabs::Share), Tabs::Share);
        assert_eq!(tabs(Some(DpopKeys::Memory), Tabs::Share), Tabs::Lock);
        assert_eq!(tabs(Some(DpopKeys::Memory), Tabs::Off), Tabs::Off);
    }

    #[test]
    fn a_cookie_tells_that_there_is_no_session_only_where_cookies_hold_it() {
        let hint = |change: fn(&mut Options)| policy(change).hint;
        let csrf = |name: &str| Some((name.to_owned(), "X-CSRF".to_owned()));
        assert_eq!(hint(|_| {}), None);
        assert_eq!(hint(|o| o.session_hint = Some("in".into())).as_deref(), Some("in"));
        assert_eq!(hint(|o| o.csrf = Some(("c".into(), "X".into()))).as_deref(), Some("c"));
        let both = |o: &mut Options| {
            (o.session_hint, o.csrf) = (Some("in".into()), Some(("c".into(), "X".into())));
        };
        assert_eq!(hint(both).as_deref(), Some("in"), "what is said outright");
        let mut options = Options { csrf: csrf("all"), ..Options::new("/refresh") };
        options.refresh.csrf = csrf("own");
        assert_eq!(options.hint().as_deref(), Some("own"), "what the refresh sends");
        options.refresh_token = Carrier::Json("refresh".into());
        assert_eq!(options.hint(), None, "a token in memory has no cookie");
    }

    #[test]
    fn a_refresh_token_beside_the_cookie_is_not_kept() {
        let mut options = Options::new("/refresh");
        assert!(!options.keeps_refresh_token());
        options.renewal = Some(Renewal::Never);
        assert!(!options.keeps_refresh_token());
        options.renewal = Some(Renewal::Always);
        assert!(options.keeps_refresh_token(), "a function gets what it gave");
        options = Options { refresh_token: Carrier::Json("r".into()), ..Options::new("/refresh") };
        assert!(options.keeps_refresh_token());
    }
}
