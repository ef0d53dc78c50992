//! Failures, with codes that can be compared.

use std::fmt;

use super::secret::Unusable;
use super::text::{concat, decimal};

/// What went wrong. The codes are the same in Rust and in JavaScript (`TokenError.code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// An option is unknown, or has an invalid value.
    InvalidOption,
    /// An argument is unusable, such as a token with a line break in it.
    InvalidArgument,
    /// The server could not be reached: the platform's `fetch` rejected. Retryable.
    Network,
    /// No answer came, or no turn, in time. Retryable.
    Timeout,
    /// The answer's status says nothing about the session: 404, 429, 5xx, an HTML page. Retryable.
    BadStatus,
    /// The answer was a success without a usable token. Retryable.
    BadAnswer,
    /// A login succeeded without a token, for example because a second factor is asked for.
    NoToken,
    /// The server refused: the refresh token is dead, or the credentials are wrong.
    Rejected,
    /// The call needs a session, and there is none.
    SignedOut,
    /// The session in which this began has ended. A request was not sent because of it.
    SessionChanged,
    /// `getAccessToken` was called without `exposeToken: true`.
    NotExposed,
    /// An API refused the newest token, although it is good: it answers 401 where it means "forbidden".
    Forbidden,
    /// The manager was disposed of.
    Disposed,
    /// The page's `fetch` is patched and did not return a `Response`.
    BadFetch,
    /// A redirect would have taken the token to a target that must not get it.
    Redirected,
    /// The key for proofs of possession (RFC 9449) is not available: there is no `crypto.subtle`, as in an
    /// insecure context, or the platform refuses IndexedDB.
    NoKey,
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
            Self::NoKey => "no-key",
        }
    }

    /// What happened and what to do, for codes that concern no endpoint.
    fn sentence(self) -> &'static str {
        match self {
            Self::SignedOut => "Nobody is signed in; sign in first.",
            Self::SessionChanged => "The session has changed meanwhile; start again.",
            Self::NotExposed => "To get the token, set the option exposeToken: true.",
            Self::Forbidden => "The API refuses a new token, too: its 401 means 403.",
            Self::Disposed => "The token manager was disposed.",
            Self::BadFetch => "The page's patched fetch did not return a Response.",
            Self::Redirected => {
                "A redirect would send the token to another URL; send the request to that URL."
            }
            Self::NoKey => "No key for DPoP: the page needs https and IndexedDB.",
            _ => "",
        }
    }

    /// Whether the same call may succeed later, unchanged.
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Network | Self::Timeout | Self::BadStatus | Self::BadAnswer)
    }
}

/// What the manager was doing when it failed.
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
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "set-up",
            Self::Request => "request",
            Self::Refresh => "refresh",
            Self::Login => "login",
            Self::Logout => "logout",
        }
    }
}

/// What is wrong, if the code alone does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// In words.
    Text(&'static str),
    /// The response has no string where the options say that the access token is.
    NoString,
    /// The access token cannot be sent.
    Unusable(Unusable),
}

/// One failure. It can be compared, and never contains a secret: all its texts are written in this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub code: Code,
    /// What the manager was doing.
    pub step: Step,
    /// The HTTP status, if an answer caused the failure.
    pub status: Option<u16>,
    /// What is wrong, if the code alone does not say it.
    pub flaw: Option<Flaw>,
}

impl Failure {
    /// A failure of which only the code is known.
    #[inline(never)]
    pub fn new(code: Code, step: Step) -> Self {
        Self { code, step, status: None, flaw: None }
    }

    /// The same, with an HTTP status. Zero means none.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = (status != 0).then_some(status);
        self
    }

    /// The same, with what is wrong.
    pub fn with_flaw(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// The failure in words: what happened, at which endpoint, and what follows. `refresh`: the URL of the refresh
    /// endpoint, fit to be shown; empty if it is a function of the app. `place`: where the options say that the access
    /// token is. It avoids the machinery of `format!`, which is larger than this whole function.
    pub(crate) fn message(self, refresh: &str, place: &str) -> String {
        let step = self.step.as_str();
        let flaw = match self.flaw {
            None => "",
            Some(Flaw::Text(text)) => text,
            Some(Flaw::NoString) => &concat(&["no string at `", place, "`"]),
            Some(Flaw::Unusable(why)) => &concat(&["an access token that ", why.reason()]),
        };
        let what = match self.code {
            Code::InvalidOption | Code::InvalidArgument => return concat(&[step, ": ", flaw]),
            Code::Network => "No answer",
            Code::Timeout => "No answer in time",
            Code::BadStatus => "Unexpected",
            Code::BadAnswer | Code::NoToken => "No usable token",
            Code::Rejected => "Refused:",
            code => return code.sentence().into(),
        };
        let status = match (self.code, self.status) {
            (Code::BadStatus | Code::Rejected, Some(status)) => {
                concat(&[" HTTP status ", &decimal(status.into())])
            }
            (Code::BadStatus | Code::Rejected, None) => " answer".into(),
            _ => String::new(),
        };
        let outcome = match self.step {
            Step::Refresh if self.code == Code::Rejected => "; sign in again.",
            Step::Refresh => "; the session was kept.",
            Step::Logout => "; signed out in the browser.",
            _ => ".",
        };
        let url = if self.step == Step::Refresh { refresh } else { "" };
        let colon = if url.is_empty() || flaw.is_empty() { "" } else { ": " };
        let (open, close) = if url.is_empty() && flaw.is_empty() { ("", "") } else { (" (", ")") };
        concat(&[
            what,
            &status,
            " from the ",
            step,
            " endpoint",
            open,
            url,
            colon,
            flaw,
            close,
            outcome,
        ])
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message("", "access_token"))
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_happened_where_and_what_follows() {
        let says = |code, step, status, url: &str, flaw: &'static str| {
            let failure = Failure::new(code, step).with_status(status);
            let failure =
                if flaw.is_empty() { failure } else { failure.with_flaw(Flaw::Text(flaw)) };
            failure.message(url, "access_token")
        };
        let url = "https://app.test/refresh";
        for (message, text) in [
            (
                says(Code::BadStatus, Step::Refresh, 404, url, ""),
                "Unexpected HTTP status 404 from the refresh endpoint (https://app.test/refresh); the session was kept.",
            ),
            (
                says(Code::BadStatus, Step::Refresh, 0, "", "a redirect"),
                "Unexpected answer from the refresh endpoint (a redirect); the session was kept.",
            ),
            (
                says(Code::BadAnswer, Step::Refresh, 200, url, "not JSON"),
                "No usable token from the refresh endpoint (https://app.test/refresh: not JSON); the session was kept.",
            ),
            (
                says(Code::Network, Step::Refresh, 0, "", ""),
                "No answer from the refresh endpoint; the session was kept.",
            ),
            (
                says(Code::Timeout, Step::Logout, 0, url, ""),
                "No answer in time from the logout endpoint; signed out in the browser.",
            ),
            (
                says(Code::Rejected, Step::Refresh, 401, url, ""),
                "Refused: HTTP status 401 from the refresh endpoint (https://app.test/refresh); sign in again.",
            ),
            (
                says(Code::NoToken, Step::Login, 200, url, "no body"),
                "No usable token from the login endpoint (no body).",
            ),
            (
                says(Code::SessionChanged, Step::Request, 0, url, ""),
                "The session has changed meanwhile; start again.",
            ),
            (says(Code::InvalidArgument, Step::Login, 0, url, "it is empty"), "login: it is empty"),
        ] {
            assert_eq!(message, text);
        }
    }

    #[test]
    fn a_failure_says_what_is_wrong_with_the_token() {
        let says = |flaw| {
            let failure = Failure::new(Code::BadAnswer, Step::Login).with_flaw(flaw);
            failure.message("", "data.token")
        };
        for (flaw, text) in [
            (
                Flaw::NoString,
                "No usable token from the login endpoint (no string at `data.token`).",
            ),
            (
                Flaw::Unusable(Unusable::Empty),
                "No usable token from the login endpoint (an access token that is empty).",
            ),
        ] {
            assert_eq!(says(flaw), text);
        }
    }

    #[test]
    fn every_failure_has_a_message() {
        use Code::*;
        for code in [
            SignedOut,
            SessionChanged,
            NotExposed,
            Forbidden,
            Disposed,
            BadFetch,
            Redirected,
            NoKey,
        ] {
            assert!(!code.sentence().is_empty(), "{code:?}");
        }
    }

    #[test]
    fn the_codes_are_the_documented_strings() {
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
            (NoKey, "no-key"),
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
            NoKey,
        ] {
            assert!(!code.is_retryable(), "{code:?}");
        }
    }
}
