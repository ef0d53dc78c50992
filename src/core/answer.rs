//! Judges the answer to a refresh, a login or a logout (rule 8).

use std::fmt;
use std::rc::Rc;

use super::backoff::RetryAfter;
use super::digest::digest;
use super::failure::{Code, Failure, Flaw, Step};
use super::secret::Secret;

/// The tokens that a server answered with (RFC 6749, 5.1), or that an app handed over. `Debug` omits the
/// claims, because they are personal data.
#[derive(Clone)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if it is held in memory. `None` keeps the current one (RFC 6749, 6).
    pub refresh_token: Option<Secret>,
    /// The access token's lifetime in milliseconds, if known: see [`super::life`].
    pub life: Option<u64>,
    /// For how many more milliseconds the session can be renewed, if the server says so. `None` keeps the
    /// known value.
    pub session_life: Option<u64>,
    /// The payload of the JWT, as JSON text. `None` for an opaque token.
    pub claims: Option<Rc<str>>,
    /// The claim that names the user: `sub` (RFC 7519, 4.1.2) unless the options name another. It
    /// distinguishes the next user's token from this user's.
    pub subject: Option<String>,
    /// When the access token was issued, in milliseconds since the epoch by the server's clock: the claim
    /// `iat` (RFC 7519, 4.1.6), if the token is a JWT that has it.
    pub issued: Option<u64>,
    /// The number of the key that the access token is bound to (RFC 9449). `None`: a bearer token, which
    /// anyone who has it can use (RFC 6750).
    pub bound: Option<u64>,
}

impl TokenResponse {
    /// The user, as a number for comparisons.
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

/// The body of an answer, reduced to what the core needs.
#[derive(Clone, Debug)]
pub enum Body {
    /// No body.
    Empty,
    /// JSON text.
    Json {
        /// The member `error` (RFC 6749, 5.2), if it is a string.
        error: Option<String>,
        /// The tokens, or why there is no usable token.
        tokens: Result<TokenResponse, Flaw>,
    },
    /// JSON text by which a session endpoint says outright that there is no session: `null`, `{}`, or `null`
    /// where the token should be.
    NoSession,
    /// The answer to a login matches a user's rule that says that no session has begun yet.
    Incomplete,
    /// HTML, broken JSON, or anything else.
    Other,
    /// A redirect to another origin, which a refresh token must not follow.
    Redirect,
    /// A value that `fetch` could not have returned for the call.
    Foreign,
}

impl Body {
    /// Classifies a body. Where the browser holds the access token (`is_unseen`), an answer without a body
    /// may have brought one, too. A refresh function of the app has no status; it refuses by returning
    /// nothing.
    pub(crate) fn of(
        form: Form,
        status: u16,
        is_unseen: bool,
        error: Option<String>,
        tokens: impl FnOnce() -> Result<TokenResponse, Flaw>,
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
    /// Empty, or only white space.
    Empty,
    /// JSON text.
    Json,
    /// Anything else.
    Other,
}

/// An answer to an auth call.
#[derive(Clone, Debug)]
pub struct AuthResponse {
    /// The HTTP status; zero if a function of the app answered.
    pub status: u16,
    /// The body.
    pub body: Body,
    /// Whether the user's rules classify the answer as a refusal. `None` without such rules.
    pub rejected: Option<bool>,
    /// When the server wants to be asked again.
    pub retry_after: Option<RetryAfter>,
}

/// The meaning of an answer.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The server issued a token.
    Granted(TokenResponse),
    /// The server refused deliberately.
    Rejected(Failure),
    /// The answer, from the server or from something in its place, says nothing about the session.
    Unreached(Failure, Option<RetryAfter>),
}

/// Judges the answer to a refresh or a login.
///
/// A refresh is *rejected* by 400, 401 or 403 with JSON or without a body, and by `invalid_grant` (RFC 6749,
/// 5.2) on any 4xx. If the user set rules for refusals, only these rules count. A login is rejected by the
/// user's rules, and by every 4xx that does not mean "later" or "not here". Every other answer without a
/// token is an outage: proxies, captive portals and crashed servers answer with HTML, and must not sign
/// anybody out. The exception is a refresh answered with success and "there is no session"
/// ([`Body::NoSession`]): session endpoints refuse this way.
pub fn verdict(step: Step, response: AuthResponse) -> Verdict {
    let is_refused = is_refusal(step, &response);
    let AuthResponse { status, body, retry_after, .. } = response;
    let failure = |code| Failure::new(code, step).with_status(status);
    if is_refused {
        return Verdict::Rejected(failure(Code::Rejected));
    }
    let text = |words| Some(Flaw::Text(words));
    let (code, flaw) = match body {
        Body::Redirect => (Code::BadStatus, text("a redirect, not followed with a refresh token")),
        Body::Foreign => (Code::BadAnswer, text("`fetch` did not return a Response")),
        _ if !matches!(status, 0 | 200..300) => (Code::BadStatus, None),
        Body::Json { tokens: Ok(tokens), .. } => return Verdict::Granted(tokens),
        Body::Json { tokens: Err(flaw), .. } => (without(step), Some(flaw)),
        Body::Empty => (without(step), text("no body")),
        Body::NoSession | Body::Incomplete => (without(step), None),
        Body::Other => (Code::BadAnswer, text("not JSON")),
    };
    Verdict::Unreached(Failure { flaw, ..failure(code) }, retry_after)
}

/// The code for a success without a token. After a login this may be normal: the server may ask for a second
/// factor.
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
        // These errors are about how or when the call was made (RFC 9449, 8), not about the session.
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

/// Judges the answer to a logout: done, or still pending. A 401 is a success, because it says that there is
/// no such session; some servers answer every logout with it. `fine`: further statuses that mean success.
pub(crate) fn logout_verdict(status: u16, fine: &[u16]) -> Result<(), Failure> {
    let failure = |code| Err(Failure::new(code, Step::Logout).with_status(status));
    match status {
        200..300 | 401 => Ok(()),
        // `contains` is fast, and large.
        _ if fine.iter().copied().any(|fine| fine == status) => Ok(()),
        400..500 if !matches!(status, 404 | 408 | 425 | 429) => failure(Code::Rejected),
        _ => failure(Code::BadStatus),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(error: Option<&str>) -> Body {
        Body::Json { error: error.map(str::to_owned), tokens: Err(Flaw::NoString) }
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
            let tokens = || Err(Flaw::NoString);
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
    fn an_error_about_the_call_itself_ends_no_session() {
        for error in
            ["use_dpop_nonce", "invalid_dpop_proof", "temporarily_unavailable", "server_error"]
        {
            for status in [400, 401, 403] {
                assert_eq!(code(Step::Refresh, status, json(Some(error))), Code::BadStatus);
            }
        }
    }

    #[test]
    fn a_value_that_is_no_answer_is_an_outage_and_never_a_refusal() {
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
    fn wrong_credentials_are_a_refusal_and_a_rate_limit_is_not() {
        for status in [400, 401, 403, 409, 422] {
            assert_eq!(code(Step::Login, status, Body::Other), Code::Rejected, "{status}");
        }
        for status in [404, 408, 425, 429, 500, 503] {
            assert_eq!(code(Step::Login, status, json(None)), Code::BadStatus, "{status}");
        }
    }

    #[test]
    fn a_logout_is_done_when_the_server_knows_no_session() {
        for status in [200, 204, 205, 401] {
            assert_eq!(logout_verdict(status, &[]), Ok(()));
        }
        assert_eq!(logout_verdict(403, &[]).unwrap_err().code, Code::Rejected);
        for status in [404, 429, 500, 503] {
            assert_eq!(logout_verdict(status, &[]).unwrap_err().code, Code::BadStatus, "{status}");
        }
    }
    #[test]
    fn user_rules_alone_decide_what_is_a_refusal() {
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
    fn an_app_function_refuses_by_returning_nothing_and_reports_no_status() {
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
    fn a_logout_is_done_on_statuses_that_the_user_lists() {
        assert_eq!(logout_verdict(500, &[410, 500]), Ok(()));
        assert_eq!(logout_verdict(502, &[410, 500]).unwrap_err().code, Code::BadStatus);
    }
}
