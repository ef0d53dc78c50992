//! The options: what may be set, what it defaults to, and what is wrong with a wrong one.

use super::apis::{Api, Apis};
use super::attach::Attach;
use super::dpop::DpopKeys;
use super::endpoint::{Carrier, Content, Endpoint, Sends, is_field_value, is_of};
use super::failure::{Code, Failure, Step};
use super::policy::{Offline, Policy, Renewal, Restore, Tabs};
use super::rules::{AnswerRule, RuleKind, Rules};
use super::text::{concat, find_any, is_tchar, pieces, split_at_any, trim_start};

/// Everything that can be set. Start from [`Options::new`] and change what is to be different.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Where a new token is asked for.
    pub refresh: Endpoint,
    /// Where `logout` without a request goes, and where a logout that is owed is finished.
    pub logout: Option<Endpoint>,
    /// Who may receive the token: origins, or origins with a path. `None`: the page's own origin.
    pub apis: Option<Vec<String>>,
    /// How the token is put on a request.
    pub attach: Attach,
    /// Which answers say that the token has ended. 401 (RFC 9110, 15.5.2) unless set.
    pub unauthorized: Vec<AnswerRule>,
    /// Which answers say that the session has ended, so that no refresh helps.
    pub ended: Vec<AnswerRule>,
    /// Which answers ask for more than the session has: [`AnswerRule::step_up`] unless set.
    pub step_up: Vec<AnswerRule>,
    /// Which answers to a refresh end the session. `None`: 400, 401 and 403 with JSON or without a
    /// body, and `invalid_grant` (RFC 6749, 5.2) with any 4xx.
    pub rejected: Option<Vec<AnswerRule>>,
    /// A header field of answers that brings a new token.
    pub adopt: Option<String>,
    /// What a refresh needs. `None`: what `refresh_token` says. If it is set, `refresh` is not
    /// looked at.
    pub renewal: Option<Renewal>,
    /// Where an answer may have the access token: member names, with dots between them. Of several
    /// places, with ` | ` between them, the first counts that holds something, here and in what
    /// follows.
    pub access_token_at: String,
    /// Where it may have the refresh token, if no cookie has it.
    pub refresh_token_at: String,
    /// Where it may have the length of the access token's life, in seconds (RFC 6749, 5.1).
    pub expires_in_at: String,
    /// Where it may have the end of that life: seconds or milliseconds since the epoch, or a date
    /// and time with a zone (RFC 3339, 5.6), by the server's clock. Empty for nowhere.
    pub expires_at_at: String,
    /// Where it may have the time for which the session can be renewed, in seconds.
    pub session_expires_in_at: String,
    /// A cookie to read, and the header field to send its value in, afresh at each refresh and
    /// logout (double submit).
    pub csrf: Option<(String, String)>,
    /// Where the refresh token travels.
    pub refresh_token: Carrier,
    /// How long before its end a token is renewed, in milliseconds. `None`: 30 seconds or a tenth of
    /// its life, whichever is less.
    pub refresh_before: Option<f64>,
    /// What the tabs of one origin do for each other.
    pub tabs: Tabs,
    /// When a page that has no token yet asks for one.
    pub restore: Restore,
    /// Whether the app may have the token itself.
    pub expose_token: bool,
    /// Tells managers apart that are alike otherwise. Managers whose options contain functions share
    /// with other tabs only under a name.
    pub name: Option<String>,
    /// The claim that names the user: a string or a number. `sub` unless set (RFC 7519, 4.1.2).
    pub subject: String,
    /// A cookie that scripts may read and that is there as long as there is a session. Without it
    /// nobody is asked for one. `None`: the cookie of `csrf`, if there is one.
    pub session_hint: Option<String>,
    /// How long the answer to a login may take, in milliseconds. 30 seconds unless set.
    pub login_timeout: f64,
    /// Which answers to a login begin no session yet, as where a second factor is asked for.
    pub incomplete: Vec<AnswerRule>,
    /// What becomes of a call that needs a token while the refresh does not reach the server.
    pub offline: Offline,
    /// Whether tokens are bound to a key (RFC 9449), and where that lives. Whether one is, its `token_type`
    /// says.
    pub dpop: Option<DpopKeys>,
}

impl Endpoint {
    /// Checks the endpoint, and resolves its URL.
    fn settle(&mut self, name: &str, parse: Parse<'_>, check: &mut Check) {
        // An empty one would be the page itself.
        let url = resolve(&self.url, parse).filter(|_| !self.url.is_empty());
        let takes = "takes an http or https URL, relative only in a page";
        check.that(url.is_some(), &[name, ".url"], takes);
        self.url = url.unwrap_or_default();
        self.method = self.method.to_ascii_uppercase();
        let is_known = matches!(self.method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE");
        check.that(is_known, &[name, ".method"], "takes GET, POST, PUT, PATCH or DELETE");
        let has_no_body = self.method != "GET" || self.content == Content::Empty;
        check.that(has_no_body, &[name, ".body"], "takes nothing with the method GET");
        let are_fields =
            self.headers.iter().all(|(header, value)| is_token(header) && is_field_value(value));
        let takes = "takes names and values of HTTP header fields";
        check.that(are_fields, &[name, ".headers"], takes);
        check.proof(&[name, ".csrf"], self.csrf.as_ref());
        check.statuses(&[name, ".success"], &self.success);
        check.time(&[name, ".timeout"], self.timeout);
    }
}

/// Notes the first thing that is wrong. One way out instead of many keeps the code small.
#[derive(Default)]
struct Check {
    wrong: Option<Failure>,
}

impl Check {
    /// Holds an option to what it takes. Its name may come in pieces.
    fn that(&mut self, is_right: bool, name: &[&str], takes: &str) {
        if !is_right && self.wrong.is_none() {
            let detail = concat(&["option `", &concat(name), "` ", takes]);
            self.wrong = Some(Failure::new(Code::InvalidOption, Step::Setup).with_detail(detail));
        }
    }

    /// Holds a dotted path to its form.
    fn path(&mut self, name: &[&str], dotted: &str, borders: &[u8]) {
        let is_path = pieces(dotted, borders)
            .all(|member| !trim_start(member, b" ").is_empty() && find_any(member, b"|").is_none());
        self.that(is_path, name, "takes member names with dots between them");
    }

    fn statuses(&mut self, name: &[&str], statuses: &[u16]) {
        let are_statuses = statuses.iter().all(|status| (200..600).contains(status));
        self.that(are_statuses, name, "takes HTTP statuses, from 200 to 599");
    }

    /// Holds a time-out to what timers of the platform can wait.
    fn time(&mut self, name: &[&str], ms: f64) {
        let is_time = (1.0..=MOST_MS).contains(&ms);
        self.that(is_time, name, "takes milliseconds, from 1 to 2147483647");
    }

    /// Holds double submit to its form.
    fn proof(&mut self, name: &[&str], csrf: Option<&(String, String)>) {
        let is_proof = csrf.is_none_or(|(cookie, header)| is_token(cookie) && is_token(header));
        self.that(is_proof, name, "takes the name of a cookie and the name of a header field");
    }

    /// Holds rules to what they can say.
    fn rules(&mut self, name: &str, rules: &[AnswerRule]) {
        for rule in rules {
            let AnswerRule { status, body, header, challenge, redirected, network_error } = rule;
            self.statuses(&[name, ".status"], status);
            if let Some(body) = body {
                self.path(&[name, ".body.path"], &body.path, b".");
                let is_one = !body.absent || body.equals.is_empty();
                let takes = "takes values, or nothing where `absent` is set";
                self.that(is_one, &[name, ".body.equals"], takes);
            }
            let is_name = header.as_ref().is_none_or(|header| is_token(&header.name));
            self.that(is_name, &[name, ".header.name"], "takes the name of a header field");
            let is_of_answers = !status.is_empty()
                || body.is_some()
                || header.is_some()
                || !challenge.is_empty()
                || *redirected;
            let is_right = if *network_error {
                !is_of_answers && name == "unauthorized"
            } else {
                is_of_answers
            };
            let takes =
                "takes rules with a member at least; `networkError` alone, in `unauthorized`";
            self.that(is_right, &[name], takes);
        }
    }

    /// What has been noted.
    fn result<T>(self, outcome: T) -> Result<T, Failure> {
        self.wrong.map_or(Ok(outcome), Err)
    }
}

/// What turns a URL into its serialisation, resolved against the page. `None` if it is none.
type Parse<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The longest time that timers of the platform can wait, in milliseconds (HTML, 8.6).
const MOST_MS: f64 = 2_147_483_647.0;

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

    /// Checks everything, and resolves the URLs where they stand. `page` is the page's own origin.
    /// What decisions hang on is handed out, and is here no longer.
    pub(crate) fn settle(
        &mut self,
        page: Option<&str>,
        parse: Parse<'_>,
    ) -> Result<Policy, Failure> {
        let check = &mut Check::default();
        let mut own = Vec::new();
        let refresh = self.renewal.is_none().then_some(&mut self.refresh);
        for (name, call) in [("refresh", refresh), ("logout", self.logout.as_mut())] {
            if let Some(call) = call {
                call.settle(name, parse, check);
                own.extend(Api::parse(split_at_any(&call.url, b"?").0));
            }
        }
        let mut apis = Vec::new();
        let mut add = |entry: &str| {
            let is_entry = !entry.is_empty() && !is_like_host(entry);
            let api = parse(entry).as_deref().and_then(Api::parse).filter(|_| is_entry);
            let takes = "takes http or https URLs without query, fragment and `*`; a host stands behind its scheme, a path begins with `/` or `./`";
            check.that(api.is_some(), &["apis"], takes);
            apis.extend(api);
        };
        match &self.apis {
            Some(entries) => entries.iter().for_each(|entry| add(entry)),
            None => page.into_iter().for_each(add),
        }
        let takes = "takes the name of a header field";
        let mut apis = Apis::new(apis).without(own);
        match &self.attach {
            Attach::Header(header, scheme) => {
                check.that(is_token(header), &["attach.header"], takes);
                let is_scheme = scheme.is_empty() || is_token(scheme);
                let takes = "takes an authentication scheme, or an empty string";
                check.that(is_scheme, &["attach.scheme"], takes);
            }
            Attach::Query(name) => {
                // What is unreserved (RFC 3986, 2.3) has one spelling, so it is found where it stands.
                let is_name = is_token(name) && name.bytes().all(is_unreserved);
                let takes = "takes a name of letters, digits, `-`, `.`, `_` and `~`";
                check.that(is_name, &["attach.query"], takes);
                apis = apis.unless_query(name);
            }
            Attach::Cookie(csrf) => {
                check.proof(&["attach.csrf"], csrf.as_ref());
                let takes = "takes `false` where the page has no token";
                check.that(!self.expose_token, &["exposeToken"], takes);
            }
        }
        if self.dpop.is_some() {
            let is_header = matches!(self.attach, Attach::Header(..));
            check.that(is_header, &["attach"], "takes { header, scheme } with `dpop`");
            let takes = "takes `false` with `dpop`: the token is worth nothing without a proof";
            check.that(!self.expose_token, &["exposeToken"], takes);
        }
        let sends = self.logout.as_ref().and_then(|logout| logout.sends);
        let is_sent = sends != Some(Sends::Access) || matches!(self.attach, Attach::Header(..));
        let is_sent = is_sent && (self.dpop.is_none() || sends != Some(Sends::Access));
        let takes_no_access = "takes the access token only where that is attached in a header field, and without `dpop`";
        check.that(is_sent, &["logout.send"], takes_no_access);
        let is_header = self.adopt.as_deref().is_none_or(is_token);
        check.that(is_header, &["adopt.header"], takes);
        let rejected = self.rejected.as_deref().unwrap_or_default();
        check.rules("ended", &self.ended);
        check.rules("stepUp", &self.step_up);
        check.rules("unauthorized", &self.unauthorized);
        check.rules("rejected", rejected);
        check.rules("login.incomplete", &self.incomplete);
        let rules_refusals = self.rejected.is_some();
        let rules = Rules::new(vec![
            (RuleKind::Ended, std::mem::take(&mut self.ended)),
            (RuleKind::StepUp, std::mem::take(&mut self.step_up)),
            (RuleKind::Unauthorized, std::mem::take(&mut self.unauthorized)),
            (RuleKind::Rejected, self.rejected.take().unwrap_or_default()),
            (RuleKind::Incomplete, std::mem::take(&mut self.incomplete)),
        ]);
        check.proof(&["csrf"], self.csrf.as_ref());
        let is_carrier = match &self.refresh_token {
            Carrier::Cookie => true,
            Carrier::Json(field) | Carrier::Form(field) => !field.is_empty(),
            Carrier::Header(name, scheme) => {
                is_token(name) && scheme.as_deref().is_none_or(is_token)
            }
        };
        let takes = "takes the name of a field, or of a header field";
        check.that(is_carrier, &["refreshToken"], takes);
        let has_fields = matches!(self.refresh_token, Carrier::Json(_) | Carrier::Form(_));
        let takes_none =
            self.refresh.method == "GET" || matches!(self.refresh.content, Content::Text(_));
        let takes = "takes a field only where the body is one of fields";
        check.that(!(has_fields && takes_none), &["refreshToken"], takes);
        check.time(&["login.timeout"], self.login_timeout);
        let takes = "takes a text that is not empty";
        check.that(self.name.as_deref() != Some(""), &["name"], takes);
        check.that(!self.subject.is_empty(), &["subject"], "takes the name of a claim");
        let is_hint = self.session_hint.as_deref().is_none_or(is_token);
        check.that(is_hint, &["sessionHint"], "takes the name of a cookie");
        let is_margin = self.refresh_before.is_none_or(|ms| (0.0..=MOST_MS).contains(&ms));
        let takes = "takes milliseconds, from 0 to 2147483647";
        check.that(is_margin, &["refreshBefore"], takes);
        for (name, path) in [
            ("accessToken", &self.access_token_at),
            ("refreshToken", &self.refresh_token_at),
            ("expiresIn", &self.expires_in_at),
            ("expiresAt", &self.expires_at_at),
            ("sessionExpiresIn", &self.session_expires_in_at),
        ] {
            if !path.is_empty() || name == "accessToken" {
                check.path(&["response.", name], path, b".|");
            }
        }
        std::mem::take(check).result(Policy {
            apis,
            rules,
            rules_refusals,
            logged_out: self
                .logout
                .as_mut()
                .map(|call| std::mem::take(&mut call.success))
                .unwrap_or_default(),
            refresh_before: self.refresh_before.map(|ms| ms as u64),
            renewal: match (self.renewal, &self.refresh_token) {
                (Some(renewal), _) => renewal,
                (None, Carrier::Cookie) => Renewal::Always,
                _ => Renewal::WithToken,
            },
            restore: self.restore,
            tabs: match (self.tabs, self.dpop) {
                // Another tab could do nothing with a token that is bound to this one's key.
                (Tabs::Share, Some(DpopKeys::Memory)) => Tabs::Lock,
                (tabs, _) => tabs,
            },
            offline: self.offline,
            hint: self.hint(),
        })
    }

    /// Whether a refresh token is kept in memory. One that a server sends beside the cookie is not; a
    /// function that refreshes gets what it gave.
    pub(crate) fn keeps_refresh_token(&self) -> bool {
        self.refresh_token != Carrier::Cookie || self.renewal == Some(Renewal::Always)
    }

    /// What a first try gets wrong, if these are the options of one that has been settled: the APIs are
    /// where the refresh is, on another origin, and nobody has named them.
    pub(crate) fn hint_at_apis(&self, page: Option<&str>) -> Option<&'static str> {
        let is_elsewhere = page.is_some_and(|page| !is_of(&self.refresh.url, page));
        (is_elsewhere && self.apis.is_none() && self.renewal.is_none()).then_some(
            "the refresh is on another origin than the page, and the option `apis` is not set: calls to the page's own origin alone get the token. Name the origins of your APIs in `apis`.",
        )
    }

    /// The cookie without which there is no session, where a cookie has the refresh token: the one
    /// that the user names, else that of the refresh's double submit, which fails without it.
    fn hint(&self) -> Option<String> {
        let csrf = self.refresh.csrf.as_ref().or(self.csrf.as_ref()).map(|(cookie, _)| cookie);
        let has_cookie = self.refresh_token == Carrier::Cookie;
        self.session_hint.as_ref().or(csrf).filter(|_| has_cookie).cloned()
    }
}

/// A URL that a call of the manager's own can go to, as the platform serialises it.
fn resolve(url: &str, parse: Parse<'_>) -> Option<String> {
    let href = parse(url)?;
    let (href, _) = split_at_any(&href, b"#");
    let (before_query, _) = split_at_any(href, b"?");
    Api::parse(before_query).map(|_| href.to_owned())
}

/// Whether an entry of a list of URLs is a host that lacks its scheme, or a pattern. A relative path would
/// be resolved against the page, and cover nothing that was meant.
fn is_like_host(entry: &str) -> bool {
    let (first, _) = split_at_any(entry, b"/");
    let (name, port) = split_at_any(first, b":");
    let (mut labels, mut last) = (0, "");
    for label in pieces(name, b".") {
        (labels, last) = (labels + 1, label);
    }
    let is_domain = labels > 1 && last.len() > 1 && last.bytes().all(|b| b.is_ascii_alphabetic());
    let is_ip = labels == 4 && name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let has_port = port.len() > 1 && port.bytes().skip(1).all(|b| b.is_ascii_digit());
    has_port || name == "localhost" || is_domain || is_ip || find_any(entry, b"*").is_some()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// `token` (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Field, HeaderField};
    use super::*;

    fn in_a_page(text: &str) -> Option<String> {
        let page = url::Url::parse("https://app.test/shop/").unwrap();
        page.join(text).ok().map(String::from)
    }

    fn settle(change: impl FnOnce(&mut Options)) -> Result<(Options, Policy), String> {
        let mut options = Options::new("/auth/refresh");
        change(&mut options);
        let settled = options.settle(Some("https://app.test"), &in_a_page);
        settled.map(|policy| (options, policy)).map_err(|failure| {
            assert_eq!(failure.code, Code::InvalidOption);
            failure.to_string()
        })
    }

    #[test]
    fn the_defaults_are_whole() {
        let (options, policy) = settle(|_| {}).unwrap();
        assert_eq!(options.refresh.url, "https://app.test/auth/refresh");
        assert_eq!(options.access_token_at, "access_token");
        assert!(policy.apis.cover("https://app.test/api/me"));
        assert!(!policy.apis.cover("https://api.app.test/"));
        assert!(!policy.apis.cover("https://app.test/auth/refresh"));
    }

    #[test]
    fn naming_another_api_leaves_ones_own_out() {
        let (_, policy) =
            settle(|o| o.apis = Some(vec!["https://api.test/v1".into(), "/api".into()])).unwrap();
        let apis = policy.apis;
        assert!(apis.cover("https://api.test/v1/me"));
        assert!(apis.cover("https://app.test/api/me"));
        assert!(!apis.cover("https://app.test/"));
    }

    #[test]
    fn a_relative_url_needs_a_page() {
        let nowhere = |text: &str| url::Url::parse(text).ok().map(String::from);
        let failure = Options::new("/auth/refresh").settle(None, &nowhere).unwrap_err();
        assert!(failure.to_string().contains("option `refresh.url` takes"), "{failure}");
        assert!(Options::new("https://auth.test/refresh").settle(None, &nowhere).is_ok());
    }

    #[test]
    fn a_wrong_option_is_named_with_what_it_takes() {
        type Change = fn(&mut Options);
        let wrongs: [(&str, Change); 62] = [
            ("refresh.url", |o| o.refresh.url = "data:,x".into()),
            ("refresh.url", |o| o.refresh.url = "https://user:secret@x.test/".into()),
            ("refresh.method", |o| o.refresh.method = "TRACE".into()),
            ("refresh.headers", |o| o.refresh.headers = vec![("a b".into(), "x".into())]),
            ("refresh.headers", |o| o.refresh.headers = vec![("a".into(), "x\r\ny".into())]),
            ("refresh.timeout", |o| o.refresh.timeout = 0.0),
            ("refresh.timeout", |o| o.refresh.timeout = f64::NAN),
            ("logout.timeout", |o| {
                o.logout = Some(Endpoint { timeout: 1e300, ..Endpoint::new("/out") });
            }),
            ("apis", |o| o.apis = Some(vec!["/api?x".into()])),
            ("apis", |o| o.apis = Some(vec!["ftp://x/".into()])),
            ("attach.header", |o| o.attach = Attach::Header("X Token".into(), String::new())),
            ("attach.scheme", |o| o.attach = Attach::Header("X".into(), "Be arer".into())),
            ("attach.query", |o| o.attach = Attach::Query("a&b".into())),
            ("logout.send", |o| {
                o.attach = Attach::Query("token".into());
                let sends = Some(Sends::Access);
                o.logout = Some(Endpoint { sends, ..Endpoint::new("/out") });
            }),
            ("logout.send", |o| {
                o.attach = Attach::Cookie(None);
                let sends = Some(Sends::Access);
                o.logout = Some(Endpoint { sends, ..Endpoint::new("/out") });
            }),
            ("logout.send", |o| {
                o.dpop = Some(DpopKeys::Stored);
                let sends = Some(Sends::Access);
                o.logout = Some(Endpoint { sends, ..Endpoint::new("/out") });
            }),
            ("attach.csrf", |o| o.attach = Attach::Cookie(Some(("a".into(), String::new())))),
            ("exposeToken", |o| (o.attach, o.expose_token) = (Attach::Cookie(None), true)),
            ("adopt.header", |o| o.adopt = Some("X Token".into())),
            ("refresh.csrf", |o| o.refresh.csrf = Some((String::new(), "X".into()))),
            ("logout.success", |o| {
                o.logout = Some(Endpoint { success: vec![42], ..Endpoint::new("/out") });
            }),
            ("ended", |o| o.ended = vec![AnswerRule::default()]),
            ("ended", |o| {
                let rule = AnswerRule { network_error: true, ..AnswerRule::default() };
                o.ended = vec![rule];
            }),
            ("unauthorized", |o| {
                let rule = AnswerRule { network_error: true, ..AnswerRule::status(401) };
                o.unauthorized = vec![rule];
            }),
            ("rejected.body.path", |o| {
                let body = Some(Field { path: "a | b".into(), equals: vec![], absent: false });
                o.rejected = Some(vec![AnswerRule { body, ..AnswerRule::default() }]);
            }),
            ("rejected.status", |o| o.rejected = Some(vec![AnswerRule::status(99)])),
            ("unauthorized.status", |o| o.unauthorized[0].status = vec![1000]),
            ("unauthorized.body.path", |o| {
                o.unauthorized[0].body =
                    Some(Field { path: "a..b".into(), equals: vec![], absent: false });
            }),
            ("response.accessToken", |o| o.access_token_at = "data.token | data..token".into()),
            ("csrf", |o| o.csrf = Some((String::new(), "X-CSRF".into()))),
            ("response.accessToken", |o| o.access_token_at = String::new()),
            ("response.refreshToken", |o| o.refresh_token_at = "a..b".into()),
            ("refreshToken", |o| o.refresh_token = Carrier::Form(String::new())),
            ("refreshToken", |o| o.refresh_token = Carrier::Header("X Token".into(), None)),
            ("refreshToken", |o| {
                o.refresh_token = Carrier::Header("X".into(), Some("Be arer".into()));
            }),
            ("refreshToken", |o| {
                o.refresh_token = Carrier::Json("refresh".into());
                o.refresh.method = "GET".into();
            }),
            ("refreshToken", |o| {
                o.refresh_token = Carrier::Form("refresh".into());
                o.refresh.content = Content::Text("x".into());
            }),
            ("refresh.headers", |o| o.refresh.headers = vec![("a".into(), "\u{7f}".into())]),
            ("refresh.headers", |o| o.refresh.headers = vec![("a".into(), "gr\u{fc}n".into())]),
            ("refreshBefore", |o| o.refresh_before = Some(-1.0)),
            ("refresh.url", |o| o.refresh.url = String::new()),
            ("logout.url", |o| o.logout = Some(Endpoint::new(""))),
            ("apis", |o| o.apis = Some(vec![String::new()])),
            ("apis", |o| o.apis = Some(vec!["*".into()])),
            ("apis", |o| o.apis = Some(vec!["https://*.example.com".into()])),
            ("apis", |o| o.apis = Some(vec!["/api/*".into()])),
            ("apis", |o| o.apis = Some(vec!["api.example.com".into()])),
            ("apis", |o| o.apis = Some(vec!["/api".into(), "api.example.com/v1".into()])),
            ("apis", |o| o.apis = Some(vec!["localhost:3000".into()])),
            ("apis", |o| o.apis = Some(vec!["localhost".into()])),
            ("apis", |o| o.apis = Some(vec!["127.0.0.1".into()])),
            ("rejected.header.name", |o| {
                let header = Some(HeaderField { name: "a b".into(), equals: vec![] });
                o.rejected = Some(vec![AnswerRule { header, ..AnswerRule::default() }]);
            }),
            ("ended.body.equals", |o| {
                let body = Some(Field { path: "a".into(), equals: vec!["1".into()], absent: true });
                o.ended = vec![AnswerRule { body, ..AnswerRule::default() }];
            }),
            ("exposeToken", |o| (o.dpop, o.expose_token) = (Some(DpopKeys::Memory), true)),
            ("attach", |o| {
                (o.dpop, o.attach) = (Some(DpopKeys::Stored), Attach::Cookie(None));
            }),
            ("attach", |o| {
                (o.dpop, o.attach) = (Some(DpopKeys::Stored), Attach::Query("token".into()));
            }),
            ("name", |o| o.name = Some(String::new())),
            ("subject", |o| o.subject = String::new()),
            ("sessionHint", |o| o.session_hint = Some("a b".into())),
            ("login.timeout", |o| o.login_timeout = 0.0),
            ("login.incomplete", |o| o.incomplete = vec![AnswerRule::default()]),
            ("login.incomplete.status", |o| o.incomplete = vec![AnswerRule::status(99)]),
        ];
        for (name, change) in wrongs {
            let message = settle(change).unwrap_err();
            assert!(message.starts_with(&format!("set-up: option `{name}` takes ")), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn what_can_be_set_is_taken() {
        type Change = fn(&mut Options);
        let rights: [Change; 14] = [
            |o| o.refresh.headers = vec![("a".into(), " words\tand ~ ".into())],
            |o| o.refresh.content = Content::Text("x".into()),
            |o| o.refresh.method = "get".into(),
            |o| o.attach = Attach::Header("X-Token".into(), String::new()),
            |o| o.attach = Attach::Query("a-b._~9".into()),
            |o| o.ended = vec![AnswerRule::status(419)],
            |o| {
                let body = Some(Field { path: "code".into(), equals: vec![], absent: false });
                o.ended = vec![AnswerRule { body, ..AnswerRule::default() }];
            },
            |o| {
                let challenge = vec!["revoked".into()];
                o.ended = vec![AnswerRule { challenge, ..AnswerRule::default() }];
            },
            |o| o.ended = vec![AnswerRule { redirected: true, ..AnswerRule::default() }],
            |o| {
                let rule = AnswerRule { network_error: true, ..AnswerRule::default() };
                o.unauthorized = vec![rule];
            },
            |o| (o.refresh_token_at, o.expires_in_at) = (String::new(), String::new()),
            |o| o.refresh_token = Carrier::Header("X".into(), Some("Bearer".into())),
            |o| {
                o.refresh_token = Carrier::Json("refresh".into());
                o.refresh.content = Content::Fields(Vec::new());
            },
            |o| o.refresh_before = Some(2_147_483_647.0),
        ];
        for (at, change) in rights.into_iter().enumerate() {
            settle(change).unwrap_or_else(|message| panic!("{at}: {message}"));
        }
    }

    #[test]
    fn what_a_refresh_needs_follows_from_where_its_token_travels() {
        let renewal = |change: fn(&mut Options)| settle(change).unwrap().1.renewal;
        assert_eq!(renewal(|_| {}), Renewal::Always);
        let in_memory = |o: &mut Options| o.refresh_token = Carrier::Json("refresh".into());
        assert_eq!(renewal(in_memory), Renewal::WithToken);
        assert_eq!(renewal(|o| o.renewal = Some(Renewal::Never)), Renewal::Never);
    }

    #[test]
    fn tokens_of_keys_in_memory_are_not_shared() {
        let tabs = |keys, tabs| settle(|o| (o.dpop, o.tabs) = (keys, tabs)).unwrap().1.tabs;
        assert_eq!(tabs(None, Tabs::Share), Tabs::Share);
        assert_eq!(tabs(Some(DpopKeys::Stored), Tabs::Share), Tabs::Share);
        assert_eq!(tabs(Some(DpopKeys::Memory), Tabs::Share), Tabs::Lock);
        assert_eq!(tabs(Some(DpopKeys::Memory), Tabs::Off), Tabs::Off);
    }

    #[test]
    fn a_cookie_tells_that_there_is_no_session_only_where_cookies_hold_it() {
        let hint = |change: fn(&mut Options)| settle(change).unwrap().1.hint;
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
    fn relative_entries_of_a_list_are_paths() {
        for (entry, covers) in [
            ("/api", "https://app.test/api/me"),
            ("./api/", "https://app.test/shop/api/me"),
            ("../api", "https://app.test/api/me"),
            ("api/v1", "https://app.test/shop/api/v1/me"),
            ("v1.0/users", "https://app.test/shop/v1.0/users"),
            ("//api.test", "https://api.test/"),
            ("http://localhost:3000", "http://localhost:3000/me"),
            ("http://127.0.0.1", "http://127.0.0.1/me"),
        ] {
            let (_, policy) = settle(|o| o.apis = Some(vec![entry.into()])).unwrap();
            assert!(policy.apis.cover(covers), "{entry}");
        }
    }

    #[test]
    fn who_refreshes_elsewhere_and_names_no_api_is_told() {
        let hint = |change: fn(&mut Options)| {
            let (options, _) = settle(change).unwrap();
            options.hint_at_apis(Some("https://app.test")).is_some()
        };
        let elsewhere = |o: &mut Options| o.refresh.url = "https://app.test.evil/refresh".into();
        assert!(hint(elsewhere));
        assert!(!hint(|_| {}));
        assert!(!hint(|o| {
            o.refresh.url = "https://auth.test/refresh".into();
            o.apis = Some(vec!["/".into()]);
        }));
        assert!(!hint(|o| o.renewal = Some(Renewal::Always)), "a function knows where");
        let (options, _) = settle(elsewhere).unwrap();
        assert_eq!(options.hint_at_apis(None), None, "there is no page");
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

    #[test]
    fn a_get_has_no_body() {
        let message = settle(|o| {
            o.refresh.method = "get".into();
            o.refresh.content = Content::Text("x".into());
        });
        assert!(message.unwrap_err().contains("refresh.body"));
    }
}
