//! The options: what may be set, what it defaults to, and what is wrong with a wrong one.

use std::fmt;

use super::apis::{Api, Apis};
use super::failure::{Code, Failure, Step};
use super::policy::{Policy, Restore, Tabs};
use super::text::{is_tchar, pieces, split_at_any};
use super::unauthorized::Unauthorized;

/// A call of the manager's own: the refresh, or the logout. Its `Debug` keeps header fields and body
/// to itself, for API keys stand there.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Where it goes; a relative URL is resolved against the page.
    pub url: String,
    /// Its method. `POST` unless set.
    pub method: String,
    /// Header fields to send along, name and value.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub content: Content,
    /// How long an answer may take, in milliseconds. 10 seconds unless set.
    pub timeout: f64,
    /// Whether cookies go along. They do unless this says otherwise (Fetch, 2.2.5).
    pub credentials: Credentials,
}

/// The body of a call of the manager's own.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Content {
    /// None.
    #[default]
    Empty,
    /// A text, sent as it is.
    Text(String),
    /// Fields: of a form where the refresh token travels in one, of a JSON object otherwise.
    Fields(Vec<(String, String)>),
}

/// The credentials mode of a request (Fetch, 2.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Cookies go to whatever origin the endpoint has.
    #[default]
    Include,
    /// Cookies go to the page's own origin.
    SameOrigin,
    /// Cookies never go.
    Omit,
}

/// Where the refresh token travels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Carrier {
    /// In an HttpOnly cookie that no script sees: the way to have it.
    #[default]
    Cookie,
    /// In a field of a JSON body. The token is held in memory only, as in what follows.
    Json(String),
    /// In a field of a form body, as OAuth has it (RFC 6749, 6).
    Form(String),
    /// In a header field, behind a scheme if one is set.
    Header(String, Option<String>),
}

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
    /// The header field that carries the token, and its scheme (RFC 9110, 11.6.2). A scheme that is
    /// empty is left out.
    pub attach: (String, String),
    /// What counts as a 401.
    pub unauthorized: Unauthorized,
    /// Where the answer has the access token: member names, with dots between them.
    pub access_token_at: String,
    /// Where the answer has the length of its life, in seconds.
    pub expires_in_at: String,
    /// Where the answer has the refresh token, if no cookie has it.
    pub refresh_token_at: String,
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
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (url, _) = split_at_any(&self.url, b"?#");
        write!(f, "Endpoint({} {url})", self.method)
    }
}

impl Endpoint {
    /// A `POST` to a URL, with cookies, without a body, that may take 10 seconds.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: "POST".into(),
            headers: Vec::new(),
            content: Content::Empty,
            timeout: 10_000.0,
            credentials: Credentials::Include,
        }
    }

    /// Checks the endpoint, and resolves its URL.
    fn settle(&mut self, name: &str, parse: Parse<'_>, check: &mut Check) {
        let url = resolve(&self.url, parse);
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
        let is_time = (1.0..=MOST_MS).contains(&self.timeout);
        check.that(is_time, &[name, ".timeout"], "takes milliseconds, from 1 to 2147483647");
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
            let detail = ["option `", &name.concat(), "` ", takes].concat();
            self.wrong = Some(Failure::new(Code::InvalidOption, Step::Setup).with_detail(detail));
        }
    }

    /// Holds a dotted path to its form.
    fn path(&mut self, name: &str, dotted: &str) {
        let is_path = pieces(dotted, b".").all(|member| !member.is_empty());
        self.that(is_path, &[name], "takes member names with dots between them");
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
            attach: ("Authorization".into(), "Bearer".into()),
            unauthorized: Unauthorized::default(),
            access_token_at: "access_token".into(),
            expires_in_at: "expires_in".into(),
            refresh_token_at: "refresh_token".into(),
            csrf: None,
            refresh_token: Carrier::Cookie,
            refresh_before: None,
            tabs: Tabs::Share,
            restore: Restore::Lazy,
            expose_token: false,
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
        for (name, call) in [("refresh", Some(&mut self.refresh)), ("logout", self.logout.as_mut())]
        {
            if let Some(call) = call {
                call.settle(name, parse, check);
                own.extend(Api::parse(split_at_any(&call.url, b"?").0));
            }
        }
        let mut apis = Vec::new();
        let mut api = |entry: &str| {
            let api = parse(entry).as_deref().and_then(Api::parse);
            let takes = "takes http or https URLs without query and fragment";
            check.that(api.is_some(), &["apis"], takes);
            apis.extend(api);
        };
        match &self.apis {
            Some(entries) => entries.iter().for_each(|entry| api(entry)),
            None => page.into_iter().for_each(api),
        }
        let (header, scheme) = &self.attach;
        check.that(is_token(header), &["attach.header"], "takes the name of a header field");
        let is_scheme = scheme.is_empty() || is_token(scheme);
        let takes = "takes an authentication scheme, or an empty string";
        check.that(is_scheme, &["attach.scheme"], takes);
        let are_statuses =
            self.unauthorized.status.iter().all(|status| (200..600).contains(status));
        let takes = "takes HTTP statuses, from 200 to 599";
        check.that(are_statuses, &["unauthorized.status"], takes);
        let is_rule = self.unauthorized.field.as_ref().is_none_or(|field| {
            !field.equals.is_empty() && !field.path.iter().any(String::is_empty)
        });
        check.that(is_rule, &["unauthorized.body"], "takes a path, and at least one value");
        let is_proof =
            self.csrf.as_ref().is_none_or(|(cookie, header)| is_token(cookie) && is_token(header));
        let takes = "takes the name of a cookie and the name of a header field";
        check.that(is_proof, &["csrf"], takes);
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
        let is_margin = self.refresh_before.is_none_or(|ms| (0.0..=MOST_MS).contains(&ms));
        let takes = "takes milliseconds, from 0 to 2147483647";
        check.that(is_margin, &["refreshBefore"], takes);
        check.path("response.accessToken", &self.access_token_at);
        check.path("response.expiresIn", &self.expires_in_at);
        check.path("response.refreshToken", &self.refresh_token_at);
        std::mem::take(check).result(Policy {
            apis: Apis::new(apis).without(own),
            unauthorized: std::mem::take(&mut self.unauthorized),
            refresh_before: self.refresh_before.map(|ms| ms as u64),
            restore: self.restore,
            tabs: self.tabs,
        })
    }
}

/// A URL that a call of the manager's own can go to, as the platform serialises it.
fn resolve(url: &str, parse: Parse<'_>) -> Option<String> {
    let href = parse(url)?;
    let (href, _) = split_at_any(&href, b"#");
    let (before_query, _) = split_at_any(href, b"?");
    Api::parse(before_query).map(|_| href.to_owned())
}

/// `token` (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// `field-value` (RFC 9110, 5.5), without the obsolete bytes above ASCII.
pub(crate) fn is_field_value(text: &str) -> bool {
    text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::super::unauthorized::Field;
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
        let wrongs: [(&str, Change); 18] = [
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
            ("attach.header", |o| o.attach.0 = "X Token".into()),
            ("attach.scheme", |o| o.attach.1 = "Be arer".into()),
            ("unauthorized.status", |o| o.unauthorized.status = vec![1000]),
            ("unauthorized.body", |o| {
                o.unauthorized.field = Some(Field { path: vec!["code".into()], equals: vec![] });
            }),
            ("response.accessToken", |o| o.access_token_at = "data..token".into()),
            ("csrf", |o| o.csrf = Some((String::new(), "X-CSRF".into()))),
            ("refreshToken", |o| o.refresh_token = Carrier::Form(String::new())),
            ("refreshBefore", |o| o.refresh_before = Some(-1.0)),
        ];
        for (name, change) in wrongs {
            let message = settle(change).unwrap_err();
            assert!(message.starts_with(&format!("set-up: option `{name}` takes ")), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
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
