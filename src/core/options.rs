//! The options: what may be set, what it defaults to, and what is wrong with a wrong one.

use std::fmt;

use super::apis::{Api, Apis};
use super::failure::{Code, Failure, Step};
use super::policy::{Policy, Restore, Tabs};
use super::unauthorized::{Field, Unauthorized};

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

/// Options that were checked, their URLs resolved.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) policy: Policy,
    pub(crate) refresh: Endpoint,
    pub(crate) logout: Option<Endpoint>,
    pub(crate) header: String,
    pub(crate) scheme: String,
    pub(crate) access_token: Vec<String>,
    pub(crate) expires_in: Vec<String>,
    pub(crate) refresh_token: Vec<String>,
    pub(crate) csrf: Option<(String, String)>,
    pub(crate) carrier: Carrier,
    pub(crate) expose_token: bool,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
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

    fn settle(mut self, name: &str, parse: Parse<'_>) -> Result<Self, Failure> {
        self.url = resolve(&self.url, parse).ok_or_else(|| {
            wrong(&format!("{name}.url"), "takes an http or https URL, relative only in a page")
        })?;
        let standard = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        self.method = self.method.to_ascii_uppercase();
        if !standard.contains(&self.method.as_str()) {
            return Err(wrong(&format!("{name}.method"), "takes GET, POST, PUT, PATCH or DELETE"));
        }
        if self.method == "GET" && self.content != Content::Empty {
            return Err(wrong(&format!("{name}.body"), "takes nothing with the method GET"));
        }
        for (header, value) in &self.headers {
            if !is_token(header) || !is_field_value(value) {
                return Err(wrong(
                    &format!("{name}.headers"),
                    "takes names and values of HTTP header fields",
                ));
            }
        }
        if !(self.timeout >= 1.0 && self.timeout <= MOST_MS) {
            return Err(wrong(
                &format!("{name}.timeout"),
                "takes milliseconds, from 1 to 2147483647",
            ));
        }
        Ok(self)
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

    /// Checks everything, and resolves the URLs. `page` is the page's own origin.
    pub(crate) fn settle(self, page: Option<&str>, parse: Parse<'_>) -> Result<Settings, Failure> {
        let apis = match (self.apis, page) {
            (Some(list), _) => list,
            (None, Some(page)) => vec![page.to_owned()],
            (None, None) => Vec::new(),
        };
        let apis = apis
            .iter()
            .map(|entry| parse(entry).as_deref().and_then(Api::parse))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| wrong("apis", "takes http or https URLs without query and fragment"))?;
        let (header, scheme) = self.attach;
        if !is_token(&header) {
            return Err(wrong("attach.header", "takes the name of a header field"));
        }
        if !scheme.is_empty() && !is_token(&scheme) {
            return Err(wrong(
                "attach.scheme",
                "takes an authentication scheme, or an empty string",
            ));
        }
        if self.unauthorized.status.iter().any(|status| !(200..600).contains(status)) {
            return Err(wrong("unauthorized.status", "takes HTTP statuses, from 200 to 599"));
        }
        if let Some(Field { path, equals }) = &self.unauthorized.field
            && (path.iter().any(String::is_empty) || equals.is_empty())
        {
            return Err(wrong("unauthorized.body", "takes a path, and at least one value"));
        }
        if let Some((cookie, header)) = &self.csrf
            && !(is_token(cookie) && is_token(header))
        {
            return Err(wrong("csrf", "takes the name of a cookie and the name of a header field"));
        }
        let fits = match &self.refresh_token {
            Carrier::Cookie => true,
            Carrier::Json(field) | Carrier::Form(field) => !field.is_empty(),
            Carrier::Header(name, scheme) => {
                is_token(name) && scheme.as_deref().is_none_or(is_token)
            }
        };
        if !fits {
            return Err(wrong("refreshToken", "takes the name of a field, or of a header field"));
        }
        let carries_fields = matches!(self.refresh_token, Carrier::Json(_) | Carrier::Form(_));
        if carries_fields
            && (self.refresh.method == "GET" || matches!(self.refresh.content, Content::Text(_)))
        {
            return Err(wrong(
                "refreshToken",
                "takes a field only where the body is one of fields",
            ));
        }
        let refresh_before = match self.refresh_before {
            None => None,
            Some(ms) if (0.0..=MOST_MS).contains(&ms) => Some(ms as u64),
            Some(_) => {
                return Err(wrong("refreshBefore", "takes milliseconds, from 0 to 2147483647"));
            }
        };
        Ok(Settings {
            policy: Policy {
                apis: Apis::new(apis),
                unauthorized: self.unauthorized,
                refresh_before,
                restore: self.restore,
                tabs: self.tabs,
            },
            refresh: self.refresh.settle("refresh", parse)?,
            logout: self.logout.map(|logout| logout.settle("logout", parse)).transpose()?,
            header,
            scheme,
            access_token: path("response.accessToken", &self.access_token_at)?,
            expires_in: path("response.expiresIn", &self.expires_in_at)?,
            refresh_token: path("response.refreshToken", &self.refresh_token_at)?,
            csrf: self.csrf,
            carrier: self.refresh_token,
            expose_token: self.expose_token,
        })
    }
}

/// A wrong option: its name, and what it takes. What it got is said where the type is known, and
/// never where it might be a secret.
pub(crate) fn wrong(option: &str, takes: &str) -> Failure {
    Failure::new(Code::InvalidOption, Step::Setup).with_detail(format!("option `{option}` {takes}"))
}

/// Splits a dotted path into its member names.
pub(crate) fn path(option: &str, dotted: &str) -> Result<Vec<String>, Failure> {
    let names: Vec<String> = dotted.split('.').map(str::to_owned).collect();
    if names.iter().any(String::is_empty) {
        return Err(wrong(option, "takes member names with dots between them"));
    }
    Ok(names)
}

/// A URL that a call of the manager's own can go to, as the platform serialises it.
fn resolve(url: &str, parse: Parse<'_>) -> Option<String> {
    let href = parse(url)?;
    let fragment = href.find('#').unwrap_or(href.len());
    let href = &href[..fragment];
    let before_query = href.split('?').next().unwrap_or(href);
    Api::parse(before_query).map(|_| href.to_owned())
}

/// `token` (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// `field-value` (RFC 9110, 5.5), without the obsolete bytes above ASCII.
pub(crate) fn is_field_value(text: &str) -> bool {
    text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_page(text: &str) -> Option<String> {
        let page = url::Url::parse("https://app.test/shop/").unwrap();
        page.join(text).ok().map(String::from)
    }

    fn settle(change: impl FnOnce(&mut Options)) -> Result<Settings, String> {
        let mut options = Options::new("/auth/refresh");
        change(&mut options);
        options.settle(Some("https://app.test"), &in_a_page).map_err(|failure| {
            assert_eq!(failure.code, Code::InvalidOption);
            failure.to_string()
        })
    }

    #[test]
    fn the_defaults_are_whole() {
        let settings = settle(|_| {}).unwrap();
        assert_eq!(settings.refresh.url, "https://app.test/auth/refresh");
        assert_eq!(settings.access_token, ["access_token"]);
        assert!(settings.policy.apis.cover("https://app.test/api/me"));
        assert!(!settings.policy.apis.cover("https://api.app.test/"));
    }

    #[test]
    fn naming_another_api_leaves_ones_own_out() {
        let settings =
            settle(|o| o.apis = Some(vec!["https://api.test/v1".into(), "/api".into()])).unwrap();
        let apis = settings.policy.apis;
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
