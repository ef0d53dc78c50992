//! What can go wrong, in words that can be compared.

use std::fmt;

use super::text::{concat, decimal};

/// What went wrong. The codes are the same in Rust and in JavaScript (`TokenError.code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// An option that is unknown, or has a value that it does not take.
    InvalidOption,
    /// An argument that cannot be used, such as a token with a line break in it.
    InvalidArgument,
    /// The server could not be reached: the platform's `fetch` rejected. Retryable.
    Network,
    /// There was no answer, or no turn, in time. Retryable.
    Timeout,
    /// The answer's status says nothing about the session: 404, 429, 5xx, a page of HTML. Retryable.
    BadStatus,
    /// The answer was a success without a token in it that could be used. Retryable.
    BadAnswer,
    /// A login was answered with success and without a token, as where a second factor is asked for.
    NoToken,
    /// The server refused: the refresh token is dead, or the credentials are wrong.
    Rejected,
    /// There is no session, and one is needed.
    SignedOut,
    /// The session in which this began has ended meanwhile. A request was not sent because of it.
    SessionChanged,
    /// `getAccessToken` without `exposeToken: true`.
    NotExposed,
    /// An API has refused the newest token, too, although it is good: it says 401 where it means "forbidden".
    Forbidden,
    /// The manager was disposed of.
    Disposed,
    /// The page's `fetch` is patched, and what it gave is no answer.
    BadFetch,
    /// A redirect would have taken the token to where it must not go.
    Redirected,
}

impl Code {
    /// The code as JavaScript sees it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOption => "invalid-option",
            Self::InvalidArgument => "invalid-argument",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::BadStatus => "bad-status",
            Self::BadAnswer => "bad-answer",
            Self::NoToken => "no-token",
            Self::Rejected => "rejected",
            Self::SignedOut => "signed-out",
            Self::SessionChanged => "session-changed",
            Self::NotExposed => "not-exposed",
            Self::Forbidden => "forbidden",
            Self::Disposed => "disposed",
            Self::BadFetch => "bad-fetch",
            Self::Redirected => "redirected",
        }
    }

    /// Whether the same call may succeed later, with nothing changed.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Network | Self::Timeout | Self::BadStatus | Self::BadAnswer)
    }
}

/// What was being done when it went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Making the manager.
    Setup,
    /// Sending the app's request.
    Request,
    /// Asking for a new token.
    Refresh,
    /// Signing in.
    Login,
    /// Signing out.
    Logout,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "set-up",
            Self::Request => "request",
            Self::Refresh => "refresh",
            Self::Login => "login",
            Self::Logout => "logout",
        }
    }
}

/// One failure: comparable, and free of anything secret by construction, for its only text is
/// written in this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// In doing what.
    pub step: Step,
    /// The HTTP status that told, if one did.
    pub status: Option<u16>,
    /// More words, where the code does not say all: an option's name, a token's fault.
    pub detail: Option<String>,
}

impl Failure {
    /// A failure that the code and the step say all about.
    pub fn new(code: Code, step: Step) -> Self {
        Self { code, step, status: None, detail: None }
    }

    /// The same, told by an HTTP status. Zero is none.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = (status != 0).then_some(status);
        self
    }

    /// The same, with more words.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Failure {
    /// The failure in words. Put together without the machinery of formatting, which is larger than
    /// all that it would do here.
    pub(crate) fn message(&self) -> String {
        let what = match self.code {
            Code::InvalidOption | Code::InvalidArgument => "",
            Code::Network => "the server could not be reached",
            Code::Timeout => "there was no answer in time",
            Code::BadStatus => {
                "the server answered with a status that says nothing about the session"
            }
            Code::BadAnswer | Code::NoToken => {
                "the server answered without a token that could be used"
            }
            Code::Rejected => "the server refused",
            Code::SignedOut => "there is no session",
            Code::SessionChanged => "the session in which this began has ended meanwhile",
            Code::NotExposed => "the token is handed out with the option exposeToken: true only",
            Code::Forbidden => {
                "the API refuses a new token, too, so it means that this is forbidden"
            }
            Code::Disposed => "this token manager was disposed of",
            Code::BadFetch => "the page's fetch is patched, and gave no Response",
            Code::Redirected => {
                "a redirect would take the token to where it must not go; send to the URL it leads to"
            }
        };
        let mut message = concat(&[self.step.as_str(), ": ", what]);
        if let Some(detail) = &self.detail {
            message.push_str(if what.is_empty() { "" } else { ": " });
            message.push_str(detail);
        }
        if let Some(status) = self.status {
            message.push_str(" (status ");
            message.push_str(&decimal(status.into()));
            message.push(')');
        }
        message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_where_what_and_which_status() {
        let failure = Failure::new(Code::BadStatus, Step::Refresh).with_status(503);
        assert_eq!(
            failure.to_string(),
            "refresh: the server answered with a status that says nothing about the session (status 503)"
        );
        let failure =
            Failure::new(Code::InvalidOption, Step::Setup).with_detail("option \"tabs\": …");
        assert_eq!(failure.to_string(), "set-up: option \"tabs\": …");
    }

    #[test]
    fn the_codes_are_the_documented_words() {
        use Code::*;
        for (code, word) in [
            (InvalidOption, "invalid-option"),
            (InvalidArgument, "invalid-argument"),
            (Network, "network"),
            (Timeout, "timeout"),
            (BadStatus, "bad-status"),
            (BadAnswer, "bad-answer"),
            (NoToken, "no-token"),
            (Rejected, "rejected"),
            (SignedOut, "signed-out"),
            (SessionChanged, "session-changed"),
            (NotExposed, "not-exposed"),
            (Forbidden, "forbidden"),
            (Disposed, "disposed"),
            (BadFetch, "bad-fetch"),
            (Redirected, "redirected"),
        ] {
            assert_eq!(code.as_str(), word);
        }
    }

    #[test]
    fn only_outages_are_retryable() {
        use Code::*;
        for code in [Network, Timeout, BadStatus, BadAnswer] {
            assert!(code.is_retryable(), "{code:?}");
        }
        for code in [
            InvalidOption,
            InvalidArgument,
            NoToken,
            Rejected,
            SignedOut,
            SessionChanged,
            NotExposed,
            Forbidden,
            Disposed,
            BadFetch,
            Redirected,
        ] {
            assert!(!code.is_retryable(), "{code:?}");
        }
    }
}
