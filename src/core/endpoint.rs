//! The manager's own calls, refresh and logout, as the options describe them.

use std::fmt;

use super::text::split_at_any;

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
    /// Double submit for this call, as in [`Options::csrf`](super::Options::csrf), which `None` falls back to.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_prints_its_method_and_its_url_without_the_query() {
        let mut endpoint = Endpoint::new("/auth/refresh?key=secret");
        endpoint.headers = vec![("X-Key".into(), "secret".into())];
        assert_eq!(format!("{endpoint:?}"), "Endpoint(POST /auth/refresh)");
    }
}
