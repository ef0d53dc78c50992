//! What the answer to a refresh, a login or a logout means for the session (rule 8).

use std::fmt;
use std::rc::Rc;

use super::backoff::RetryAfter;
use super::digest::digest;
use super::failure::{Code, Failure, Step};
use super::secret::Secret;

/// The tokens that a server answered with (RFC 6749, 5.1), or that an app handed over. Its `Debug` keeps
/// the claims to itself, for they are about a person.
#[derive(Clone)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, where it is held in memory. `None` keeps the one there is (RFC 6749, 6).
    pub refresh_token: Option<Secret>,
    /// The length of the access token's life in milliseconds, if known: see [`super::life`].
    pub life: Option<u64>,
    /// For how many milliseconds more the session can be renewed, if the server says so. `None` keeps what is known.
    pub session_life: Option<u64>,
    /// The JWT payload, as JSON text, of a token that is a JWT.
    pub claims: Option<Rc<str>>,
    /// The claim that names the user, `sub` (RFC 7519, 4.1.2) unless the options say otherwise: tells the next user's token from one's own.
    pub subject: Option<String>,
    /// When the access token was issued, in milliseconds since the epoch by the server's clock: the
    /// claim `iat` (RFC 7519, 4.1.6), if the token is a JWT that says so.
    pub issued: Option<u64>,
    /// The key that the access token is bound to (RFC 9449), by its number. `None`: whoever has the
    /// token can use it (RFC 6750).
    pub bound: Option<u64>,
}

impl TokenResponse {
    /// Whose it is, as a number to compare.
    pub(crate) fn subject_digest(&self) -> Option<u64> {
        self.subject.as_deref().map(|subject| digest(&[subject]))
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("access_token", &self.access_token)
            .field("refresh_token", &self.refresh_token)
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

/// The body of an answer, as far as it matters here.
#[derive(Clone, Debug)]
pub enum Body {
    /// There was none.
    Empty,
    /// A JSON text.
    Json {
        /// The member `error` (RFC 6749, 5.2), if it is a string.
        error: Option<String>,
        /// The tokens, or in what way there are none that can be used.
        tokens: Result<TokenResponse, String>,
    },
    /// A JSON text by which a session endpoint says outright that there is no session: `null`, `{}`, or
    /// `null` where the token stands.
    NoSession,
    /// The user's rules say of the answer to a login that no session has begun yet.
    Incomplete,
    /// HTML, broken JSON, or anything else.
    Other,
    /// A redirect, which a refresh token must not follow to another origin.
    Redirect,
    /// This is no answer that `fetch` could have given for the call.
    Foreign,
}

impl Body {
    /// What a body comes down to. Where the browser has the access token (`is_unseen`), an answer
    /// without a body may have brought one, too; a function of the app's, which has no status, says
    /// with nothing that it refuses.
    pub(crate) fn of(
        form: Form,
        status: u16,
        is_unseen: bool,
        error: Option<String>,
        tokens: impl FnOnce() -> Result<TokenResponse, String>,
    ) -> Self {
        match form {
            Form::Empty if !is_unseen || status == 0 => Self::Empty,
            Form::Other => Self::Other,
            Form::Empty | Form::Json => Self::Json { error, tokens: tokens() },
        }
    }
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// There is none, or nothing but white space.
    Empty,
    /// A JSON text.
    Json,
    /// Anything else.
    Other,
}

/// An answer to an auth call.
#[derive(Clone, Debug)]
pub struct AuthResponse {
    /// The HTTP status; zero where a function of the app's has answered.
    pub status: u16,
    /// What came with it.
    pub body: Body,
    /// Whether it is a refusal, where the user set rules for that.
    pub rejected: Option<bool>,
    /// When the server wants to be asked again.
    pub retry_after: Option<RetryAfter>,
}

/// What an answer means.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// There is a token.
    Granted(TokenResponse),
    /// The server refused, and meant it.
    Rejected(Failure),
    /// The server, or what answered in its place, said nothing about the session.
    Unreached(Failure, Option<RetryAfter>),
}

/// Judges the answer to a refresh or a login.
///
/// A refresh is *rejected* by 400, 401 or 403 with JSON or without a body, and by `invalid_grant`
/// (RFC 6749, 5.2) on any 4xx; or by what the user's own rules say, and nothing else. A login is
/// rejected by those rules, and by every 4xx that does not mean "later" or "not here". Whatever else is not a token is an outage: proxies, captive portals and crashed
/// servers answer with HTML, and they don't get to log anybody out. Save for a refresh that is
/// answered with success and "there is no session" ([`Body::NoSession`]): so session endpoints refuse.
pub fn verdict(step: Step, response: AuthResponse) -> Verdict {
    let is_refused = is_refusal(step, &response);
    let AuthResponse { status, body, retry_after, .. } = response;
    let failure = |code| Failure::new(code, step).with_status(status);
    if is_refused {
        return Verdict::Rejected(failure(Code::Rejected));
    }
    let (code, detail) = match body {
        Body::Redirect => (Code::BadStatus, "a redirect, which the refresh token must not follow"),
        Body::Foreign => (Code::BadAnswer, "it is no answer of the kind that `fetch` gives"),
        _ if !matches!(status, 0 | 200..300) => (Code::BadStatus, ""),
        Body::Json { tokens: Ok(tokens), .. } => return Verdict::Granted(tokens),
        Body::Json { tokens: Err(ref fault), .. } => (without(step), fault.as_str()),
        Body::Empty => (without(step), "no body"),
        Body::NoSession | Body::Incomplete => (without(step), ""),
        Body::Other => (Code::BadAnswer, "not JSON"),
    };
    let failure = failure(code);
    let has_detail = !detail.is_empty();
    let failure = if has_detail { failure.with_detail(detail) } else { failure };
    Verdict::Unreached(failure, retry_after)
}

/// The code of a success without a token. To a login it may be right: a second factor is asked for.
fn without(step: Step) -> Code {
    if step == Step::Login { Code::NoToken } else { Code::BadAnswer }
}

/// Whether an answer is a refusal: see [`verdict`].
pub(crate) fn is_refusal(step: Step, response: &AuthResponse) -> bool {
    let status = response.status;
    let is_client_error = (400..500).contains(&status);
    match (step, &response.body) {
        (Step::Login, _) if response.rejected == Some(true) => true,
        (Step::Login, _) => is_client_error && !matches!(status, 404 | 408 | 425 | 429),
        _ if response.rejected.is_some() => response.rejected == Some(true),
        (_, Body::Json { error: Some(error), .. }) if error == "invalid_grant" => is_client_error,
        // It says that the call was made in the wrong way (RFC 9449, 8), or at the wrong time.
        (_, Body::Json { error: Some(error), .. })
            if matches!(
                error.as_str(),
                "use_dpop_nonce"
                    | "invalid_dpop_proof"
                    | "temporarily_unavailable"
                    | "server_error"
            ) =>
        {
            false
        }
        (_, Body::Empty) if status == 0 => true,
        (_, Body::NoSession) => matches!(status, 200..300 | 400 | 401 | 403),
        (_, Body::Json { .. } | Body::Empty) => matches!(status, 400 | 401 | 403),
        (_, Body::Incomplete | Body::Other | Body::Redirect | Body::Foreign) => false,
    }
}

/// Judges the answer to a logout: done, or still owed. A 401 is a success, for it says that there
/// is no such session (and some servers answer a logout with it by design). `fine`: what else is.
pub(crate) fn logout_verdict(status: u16, fine: &[u16]) -> Result<(), Failure> {
    let failure = |code| Err(Failure::new(code, Step::Logout).with_status(status));
    match status {
        200..300 | 401 => Ok(()),
        _ if fine.contains(&status) => Ok(()),
        400..500 if !matches!(status, 404 | 408 | 425 | 429) => failure(Code::Rejected),
        _ => failure(Code::BadStatus),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(error: Option<&str>) -> Body {
        Body::Json {
            error: error.map(str::to_owned),
            tokens: Err("no string at \"access_token\"".to_owned()),
        }
    }

    fn code(step: Step, status: u16, body: Body) -> Code {
        match verdict(step, AuthResponse { status, body, rejected: None, retry_after: None }) {
            Verdict::Granted(_) => panic!("granted"),
            Verdict::Rejected(failure) | Verdict::Unreached(failure, _) => {
                assert_eq!(failure.status, Some(status));
                failure.code
            }
        }
    }

    #[test]
    fn an_answer_without_a_body_grants_where_the_browser_has_the_token() {
        let body = |form, status, is_unseen| {
            let tokens = || Err("no string".to_owned());
            match Body::of(form, status, is_unseen, None, tokens) {
                Body::Empty => Form::Empty,
                Body::Json { .. } => Form::Json,
                _ => Form::Other,
            }
        };
        assert_eq!(body(Form::Empty, 204, true), Form::Json);
        assert_eq!(body(Form::Empty, 204, false), Form::Empty);
        assert_eq!(body(Form::Empty, 0, true), Form::Empty, "a function of the app's refuses so");
        for is_unseen in [false, true] {
            assert_eq!(body(Form::Other, 200, is_unseen), Form::Other, "a captive portal");
            assert_eq!(body(Form::Json, 0, is_unseen), Form::Json);
        }
    }

    #[test]
    fn a_refusal_in_the_protocols_own_words_ends_the_session() {
        for status in [400, 401, 403] {
            assert_eq!(code(Step::Refresh, status, json(None)), Code::Rejected, "{status}");
            assert_eq!(code(Step::Refresh, status, Body::Empty), Code::Rejected, "{status}");
        }
        for status in [400, 401, 403, 404, 409, 422, 429] {
            assert_eq!(code(Step::Refresh, status, json(Some("invalid_grant"))), Code::Rejected);
        }
    }

    #[test]
    fn an_outage_ends_no_session() {
        for status in [400, 401, 403] {
            assert_eq!(code(Step::Refresh, status, Body::Other), Code::BadStatus, "{status}");
        }
        for status in [301, 304, 404, 405, 408, 409, 418, 425, 429, 500, 502, 503, 504] {
            for body in
                [Body::Empty, Body::Other, json(None), json(Some("temporarily_unavailable"))]
            {
                assert_eq!(code(Step::Refresh, status, body), Code::BadStatus, "{status}");
            }
        }
        assert_eq!(code(Step::Refresh, 500, json(Some("invalid_grant"))), Code::BadStatus);
    }

    #[test]
    fn a_success_without_a_token_is_an_outage() {
        for body in [Body::Empty, Body::Other, json(None), json(Some("invalid_grant"))] {
            assert_eq!(code(Step::Refresh, 200, body), Code::BadAnswer);
        }
        assert_eq!(code(Step::Refresh, 204, Body::Empty), Code::BadAnswer);
    }

    #[test]
    fn a_login_that_succeeds_without_a_token_is_no_outage() {
        for body in [Body::Empty, Body::NoSession, json(None), json(Some("mfa_required"))] {
            assert_eq!(code(Step::Login, 200, body), Code::NoToken);
        }
        assert_eq!(code(Step::Login, 200, Body::Other), Code::BadAnswer, "a captive portal");
    }

    #[test]
    fn a_session_endpoint_may_refuse_with_success() {
        for status in [200, 204, 401] {
            assert_eq!(code(Step::Refresh, status, Body::NoSession), Code::Rejected, "{status}");
        }
        for status in [404, 429, 500] {
            assert_eq!(code(Step::Refresh, status, Body::NoSession), Code::BadStatus, "{status}");
        }
        let rejected = Some(false);
        let response =
            AuthResponse { status: 200, body: Body::NoSession, rejected, retry_after: None };
        let told = verdict(Step::Refresh, response);
        assert!(matches!(told, Verdict::Unreached(..)), "the user's rules say otherwise");
    }

    #[test]
    fn an_error_that_is_about_the_call_alone_ends_no_session() {
        for error in
            ["use_dpop_nonce", "invalid_dpop_proof", "temporarily_unavailable", "server_error"]
        {
            for status in [400, 401, 403] {
                assert_eq!(code(Step::Refresh, status, json(Some(error))), Code::BadStatus);
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_an_outage_and_never_a_refusal() {
        for step in [Step::Refresh, Step::Login] {
            for (body, code) in
                [(Body::Redirect, Code::BadStatus), (Body::Foreign, Code::BadAnswer)]
            {
                let response = AuthResponse { status: 0, body, rejected: None, retry_after: None };
                let Verdict::Unreached(failure, _) = verdict(step, response) else { panic!("no") };
                assert_eq!((failure.code, failure.status), (code, None));
            }
        }
    }

    #[test]
    fn wrong_credentials_are_a_refusal_and_a_limit_is_none() {
        for status in [400, 401, 403, 409, 422] {
            assert_eq!(code(Step::Login, status, Body::Other), Code::Rejected, "{status}");
        }
        for status in [404, 408, 425, 429, 500, 503] {
            assert_eq!(code(Step::Login, status, json(None)), Code::BadStatus, "{status}");
        }
    }

    #[test]
    fn a_logout_is_done_when_the_server_knows_of_no_session() {
        for status in [200, 204, 205, 401] {
            assert_eq!(logout_verdict(status, &[]), Ok(()));
        }
        assert_eq!(logout_verdict(403, &[]).unwrap_err().code, Code::Rejected);
        for status in [404, 429, 500, 503] {
            assert_eq!(logout_verdict(status, &[]).unwrap_err().code, Code::BadStatus, "{status}");
        }
    }
    #[test]
    fn rules_of_the_users_own_are_the_whole_truth_about_a_refusal() {
        let judge = |step, status, body, rejected| {
            verdict(
                step,
                AuthResponse { status, body, rejected: Some(rejected), retry_after: None },
            )
        };
        for body in [json(None), Body::Empty, Body::Other] {
            for status in [200, 401, 422, 503] {
                let told = judge(Step::Refresh, status, body.clone(), true);
                assert!(matches!(told, Verdict::Rejected(_)), "{status}");
                let told = judge(Step::Refresh, status, body.clone(), false);
                assert!(matches!(told, Verdict::Unreached(..)), "{status}");
            }
        }
        let told = judge(Step::Login, 401, json(None), false);
        assert!(matches!(told, Verdict::Rejected(_)), "a login they can only refuse more");
        let told = judge(Step::Login, 200, json(None), true);
        assert!(matches!(told, Verdict::Rejected(_)));
    }

    #[test]
    fn a_function_of_the_apps_refuses_with_nothing_and_tells_no_status() {
        let response =
            AuthResponse { status: 0, body: Body::Empty, rejected: None, retry_after: None };
        let Verdict::Rejected(failure) = verdict(Step::Refresh, response) else {
            panic!("a refusal")
        };
        assert_eq!(failure.status, None);
        let response =
            AuthResponse { status: 0, body: json(None), rejected: None, retry_after: None };
        assert!(matches!(verdict(Step::Refresh, response), Verdict::Unreached(..)));
    }

    #[test]
    fn a_logout_is_done_where_the_user_says_so() {
        assert_eq!(logout_verdict(500, &[410, 500]), Ok(()));
        assert_eq!(logout_verdict(502, &[410, 500]).unwrap_err().code, Code::BadStatus);
    }
}
