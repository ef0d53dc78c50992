//! The manager's own calls, refresh and logout: how they are composed, and which header fields prove that a
//! page of the app made them.

use std::fmt;

use zeroize::Zeroizing;

use super::options::Options;
use super::secret::Secret;
use super::text::{concat, split_at_any};

/// A call of the manager itself: the refresh or the logout. `Debug` omits header fields and body, because
/// they may hold API keys.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Endpoint {
    /// The URL. A relative URL is resolved against the page.
    pub url: String,
    /// Its method. `POST` unless set.
    pub method: String,
    /// Header fields to send, name and value.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub content: Content,
    /// How long to wait for an answer, in milliseconds. 10 seconds unless set.
    pub timeout: f64,
    /// Whether cookies are sent. They are, unless this says otherwise (Fetch, 2.2.5).
    pub credentials: Credentials,
    /// Double submit for this call, as in [`Options::csrf`], which `None` falls back to.
    pub csrf: Option<(String, String)>,
    /// Which token of the ended session a logout sends.
    pub sends: Option<Sends>,
    /// Statuses that mean a successful logout, besides 2xx and 401.
    pub success: Vec<u16>,
}

/// A token that a logout sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// The access token, as requests to the APIs do.
    Access,
    /// The refresh token, as the refresh does.
    Refresh,
    /// The refresh token, as the field `token` of a form (RFC 7009, 2.1).
    Token,
}

/// The body of a call of the manager itself.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Content {
    /// No body.
    #[default]
    Empty,
    /// A text, sent as it is.
    Text(String),
    /// Fields: of a form if the refresh token is sent in one, otherwise of a JSON object.
    Fields(Vec<(String, String)>),
}

/// The credentials mode of a request (Fetch, 2.2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Cookies are sent to any origin.
    #[default]
    Include,
    /// Cookies are sent to the page's own origin only.
    SameOrigin,
    /// Cookies are never sent.
    Omit,
}

/// Where the refresh token is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Carrier {
    /// In an HttpOnly cookie that no script sees: the recommended way.
    #[default]
    Cookie,
    /// In a field of a JSON body. The token is held in memory only, as with the variants below.
    Json(String),
    /// In a field of a form body, as OAuth does (RFC 6749, 6).
    Form(String),
    /// In a header field, after a scheme if one is set.
    Header(String, Option<String>),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({} {})", self.method, self.address())
    }
}

impl Endpoint {
    /// A `POST` to a URL, with cookies, without a body, with a time limit of 10 seconds.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: "POST".into(),
            headers: Vec::new(),
            content: Content::Empty,
            timeout: 10_000.0,
            credentials: Credentials::Include,
            csrf: None,
            sends: None,
            success: Vec::new(),
        }
    }

    /// The URL for messages: without its query, which may contain a secret.
    pub(crate) fn address(&self) -> &str {
        split_at_any(&self.url, "?#").0
    }

    /// Composes the call. `token`: the token to send, if there is one; `page`: the page's own origin. Cookies
    /// are read now. `set` gets the header fields; of two with the same name, the later counts.
    pub(crate) fn compose<'a>(
        &'a self,
        options: &'a Options,
        token: Option<&'a Secret>,
        page: Option<&str>,
        cookies: Cookies<'_>,
        set: Set<'_>,
    ) -> Composed<'a> {
        let csrf = self.csrf.as_ref().or(options.csrf.as_ref());
        proofs(&self.url, csrf, page, cookies, set);
        let is_revocation = self.sends == Some(Sends::Token);
        let is_form = is_revocation || matches!(options.refresh_token, Carrier::Form(_));
        let mut fields: Option<Vec<(&str, &str)>> = None;
        if let Content::Fields(own) = &self.content {
            let fields = fields.insert(Vec::new());
            for (name, value) in own {
                fields.push((name, value));
            }
        }
        let mut name = is_revocation.then_some("token");
        if let Some(token) = token {
            match &options.refresh_token {
                _ if self.sends == Some(Sends::Access) => {
                    if let Some(value) = options.attach.value(token) {
                        set(&options.attach.name(), &value);
                    }
                }
                Carrier::Header(name, scheme) if !is_revocation => {
                    set(name, &behind(scheme.as_deref().unwrap_or_default(), token));
                }
                Carrier::Json(field) | Carrier::Form(field) => name = name.or(Some(field)),
                _ => {}
            }
            // A text body is sent unchanged.
            if let Some(name) = name
                && !matches!(self.content, Content::Text(_))
            {
                fields.get_or_insert_default().push((name, token.reveal()));
            }
        }
        let body = match (fields, &self.content) {
            (Some(fields), _) => {
                let media_type =
                    if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
                set("Content-Type", media_type);
                Payload::Fields(is_form, fields)
            }
            (None, Content::Text(text)) => Payload::Text(text),
            (None, _) => Payload::Empty,
        };
        for (name, value) in &self.headers {
            set(name, value);
        }
        let is_own = page.is_some_and(|page| is_of(&self.url, page));
        let stays = match token {
            None => Stays::Free,
            Some(_) if is_own => Stays::InOrigin,
            Some(_) => Stays::Put,
        };
        Composed { body, stays }
    }
}

/// A header field to send, name and value. The value may be a token, so it is wiped afterwards.
pub(crate) type Sent = (String, Zeroizing<String>);

/// Sets a header field.
pub(crate) type Set<'a> = &'a mut dyn FnMut(&str, &str);

/// The parts of a call, besides its URL, method and header fields.
pub(crate) struct Composed<'a> {
    pub(crate) body: Payload<'a>,
    pub(crate) stays: Stays,
}

/// How far a call follows redirects: a token in a header field or a body must not reach another origin
/// (Fetch, 4.4 drops neither).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stays {
    /// Anywhere: it carries no token and no proof.
    Free,
    /// Within the page's own origin, which is its target.
    InOrigin,
    /// Nowhere.
    Put,
}

/// A body. Only the platform can encode the fields.
pub(crate) enum Payload<'a> {
    Empty,
    Text(&'a str),
    /// Whether the fields are a form's (otherwise a JSON object's); names and values.
    Fields(bool, Vec<(&'a str, &'a str)>),
}

/// Reads a cookie that scripts may read.
pub(crate) type Cookies<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Sets the header fields that prove to the server that no foreign page made a call: to the page's own origin, a
/// field that forms cannot send; and double submit.
pub(crate) fn proofs(
    url: &str,
    csrf: Option<&(String, String)>,
    page: Option<&str>,
    cookies: Cookies<'_>,
    set: Set<'_>,
) {
    if page.is_some_and(|page| is_of(url, page)) {
        set("X-Requested-With", "tokenkeep");
    }
    if let Some((name, value)) = csrf.and_then(|csrf| proof(csrf, cookies)) {
        set(&name, &value);
    }
}

/// Whether a URL, as the platform serialised it, has this origin.
pub(super) fn is_of(url: &str, origin: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
}

/// The header field for double submit, with the current value of its cookie.
pub(super) fn proof((cookie, header): &(String, String), cookies: Cookies<'_>) -> Option<Sent> {
    let value = cookies(cookie).filter(|value| is_field_value(value))?;
    Some((header.clone(), Zeroizing::new(value)))
}

/// A token after its scheme, if there is a scheme.
pub(super) fn behind(scheme: &str, token: &Secret) -> Zeroizing<String> {
    Zeroizing::new(concat(&[scheme, if scheme.is_empty() { "" } else { " " }, token.reveal()]))
}

/// `field-value` (RFC 9110, 5.5), without the obsolete bytes above ASCII.
pub(super) fn is_field_value(text: &str) -> bool {
    text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Option<&str> = Some("https://app.test");

    /// The header fields, and the body in words.
    fn composed(endpoint: &Endpoint, options: &Options, token: Option<&str>) -> (String, String) {
        let token = token.map(|text| Secret::new(text.into()).unwrap());
        let jar = |name: &str| (name == "csrf").then(|| "17".to_owned());
        let mut headers = Vec::new();
        let set = &mut |name: &str, value: &str| headers.push(format!("{name}: {value}"));
        let Composed { body, .. } = endpoint.compose(options, token.as_ref(), PAGE, &jar, set);
        let body = match body {
            Payload::Empty => "nothing".to_owned(),
            Payload::Text(text) => format!("text {text}"),
            Payload::Fields(is_form, fields) => {
                format!("{} {fields:?}", if is_form { "form" } else { "json" })
            }
        };
        (headers.join("; "), body)
    }

    fn options(carrier: Carrier) -> Options {
        Options { refresh_token: carrier, ..Options::new("https://auth.test/refresh") }
    }

    #[test]
    fn an_endpoint_prints_its_method_and_its_url_without_the_query() {
        let mut endpoint = Endpoint::new("/auth/refresh?key=secret");
        endpoint.headers = vec![("X-Key".into(), "secret".into())];
        assert_eq!(format!("{endpoint:?}"), "Endpoint(POST /auth/refresh)");
    }

    #[test]
    fn a_call_to_the_pages_own_origin_has_a_field_that_no_form_can_send() {
        let options = options(Carrier::Cookie);
        for (url, headers) in [
            ("https://app.test/auth/refresh", "X-Requested-With: tokenkeep"),
            ("https://app.test.evil.test/", ""),
            ("https://auth.test/refresh", ""),
        ] {
            assert_eq!(composed(&Endpoint::new(url), &options, None).0, headers, "{url}");
        }
        let set = &mut |_: &str, _: &str| panic!("no page, no origin");
        proofs("https://app.test/", None, None, &|_| None, set);
    }

    #[test]
    fn double_submit_is_set_by_the_call_or_else_by_the_options() {
        let csrf = |header: &str| Some(("csrf".to_owned(), header.to_owned()));
        let options = Options { csrf: csrf("X-CSRF"), ..options(Carrier::Cookie) };
        let endpoint = Endpoint::new("https://auth.test/refresh");
        assert_eq!(composed(&endpoint, &options, None).0, "X-CSRF: 17");
        let own = Endpoint { csrf: csrf("X-Own"), ..endpoint };
        assert_eq!(composed(&own, &options, None).0, "X-Own: 17");
    }

    #[test]
    fn a_cookie_value_that_is_invalid_in_a_header_is_left_out() {
        let csrf = ("csrf".to_owned(), "X-CSRF".to_owned());
        assert_eq!(proof(&csrf, &|_| Some("a\r\nb".to_owned())), None);
        assert_eq!(proof(&csrf, &|_| Some("a b".to_owned())).unwrap().1.as_str(), "a b");
    }

    #[test]
    fn the_refresh_token_is_sent_where_its_carrier_says() {
        let endpoint = Endpoint::new("https://auth.test/refresh");
        let header = Carrier::Header("X-Refresh".into(), Some("Bearer".into()));
        for (carrier, headers, body) in [
            (Carrier::Cookie, "", "nothing"),
            (
                Carrier::Json("refresh".into()),
                "Content-Type: application/json",
                r#"json [("refresh", "abc")]"#,
            ),
            (
                Carrier::Form("refresh_token".into()),
                "Content-Type: application/x-www-form-urlencoded",
                r#"form [("refresh_token", "abc")]"#,
            ),
            (header, "X-Refresh: Bearer abc", "nothing"),
            (Carrier::Header("X-Refresh".into(), None), "X-Refresh: abc", "nothing"),
        ] {
            let made = composed(&endpoint, &options(carrier), Some("abc"));
            assert_eq!(made, (headers.to_owned(), body.to_owned()));
        }
    }

    #[test]
    fn the_token_comes_after_the_fields_of_the_body() {
        let mut endpoint = Endpoint::new("https://auth.test/refresh");
        endpoint.content = Content::Fields(vec![("grant_type".into(), "refresh_token".into())]);
        let form = options(Carrier::Form("refresh_token".into()));
        let (_, body) = composed(&endpoint, &form, Some("abc"));
        assert_eq!(body, r#"form [("grant_type", "refresh_token"), ("refresh_token", "abc")]"#);
        let (_, body) = composed(&endpoint, &options(Carrier::Cookie), None);
        assert_eq!(body, r#"json [("grant_type", "refresh_token")]"#);
    }

    #[test]
    fn a_text_body_is_sent_unchanged() {
        let mut endpoint = Endpoint::new("https://auth.test/refresh");
        endpoint.content = Content::Text("<x/>".into());
        let made = composed(&endpoint, &options(Carrier::Json("refresh".into())), Some("abc"));
        assert_eq!(made, (String::new(), "text <x/>".to_owned()));
    }

    #[test]
    fn a_logout_sends_the_configured_token() {
        let logout =
            |sends| Endpoint { sends: Some(sends), ..Endpoint::new("https://auth.test/out") };
        let header = options(Carrier::Header("X-Refresh".into(), None));
        let sent = |sends| composed(&logout(sends), &header, Some("abc"));
        assert_eq!(sent(Sends::Access).0, "Authorization: Bearer abc");
        assert_eq!(sent(Sends::Refresh).0, "X-Refresh: abc");
        let (headers, body) = sent(Sends::Token);
        assert_eq!(headers, "Content-Type: application/x-www-form-urlencoded");
        assert_eq!(body, r#"form [("token", "abc")]"#);
        let (_, body) =
            composed(&logout(Sends::Token), &options(Carrier::Json("r".into())), Some("abc"));
        assert_eq!(body, r#"form [("token", "abc")]"#, "whatever the refresh does (RFC 7009, 2.1)");
    }

    #[test]
    fn a_token_follows_no_redirect_to_another_origin() {
        let json = options(Carrier::Json("refresh".into()));
        let stays = |url: &str, token: Option<&str>, page: Option<&str>| {
            let token = token.map(|text| Secret::new(text.into()).unwrap());
            Endpoint::new(url).compose(&json, token.as_ref(), page, &|_| None, &mut |_, _| {}).stays
        };
        assert_eq!(stays("https://app.test/refresh", Some("abc"), PAGE), Stays::InOrigin);
        assert_eq!(stays("https://auth.test/refresh", Some("abc"), PAGE), Stays::Put);
        assert_eq!(stays("https://app.test/refresh", Some("abc"), None), Stays::Put);
        assert_eq!(stays("https://app.test/refresh", None, PAGE), Stays::Free);
    }

    #[test]
    fn the_users_own_header_fields_come_last() {
        let mut endpoint = Endpoint::new("https://app.test/auth/refresh");
        endpoint.headers = vec![("X-Requested-With".into(), "XMLHttpRequest".into())];
        let (headers, _) = composed(&endpoint, &options(Carrier::Cookie), None);
        assert_eq!(headers, "X-Requested-With: tokenkeep; X-Requested-With: XMLHttpRequest");
    }
}
