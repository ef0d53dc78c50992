//! The errors of the Rust API.

use std::fmt;

use wasm_bindgen::JsValue;

use crate::core::{Code, Failure, Step, concat};

/// An error, with the platform's own error as its cause, if there is one.
///
/// It never contains a token, cookie or credential: the texts come from this crate, and the cause is the error that
/// `fetch` rejected with.
#[derive(Clone)]
pub struct TokenError {
    failure: Failure,
    message: String,
    cause: JsValue,
}

impl TokenError {
    /// `cause`: `undefined` if there is none.
    pub(crate) fn new(failure: Failure, message: String, cause: JsValue) -> Self {
        Self { failure, message, cause }
    }

    /// An option or an argument is refused, for a reason in words.
    pub(crate) fn invalid(code: Code, step: Step, reason: &str) -> Self {
        let message = concat(&[step.as_str(), ": ", reason]);
        Self::new(Failure::new(code, step), message, JsValue::UNDEFINED)
    }

    /// What went wrong.
    pub fn code(&self) -> Code {
        self.failure.code
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.failure.code.is_retryable()
    }

    /// The HTTP status of the response that caused the error, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.failure.status
    }

    /// The whole failure, for comparison.
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// The error in words.
    #[cfg(feature = "bindings")]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The error that the platform rejected with, or the `Response` of a refused login or logout.
    pub fn cause(&self) -> Option<&JsValue> {
        // The platform's `fetch` may reject with `undefined`, too.
        (self.code() == Code::Network || !self.cause.is_undefined()).then_some(&self.cause)
    }
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenError").field(&self.failure).field(&self.message).finish()
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TokenError {}

/// Why a request has no response.
#[derive(Clone)]
pub enum FetchError {
    /// The unchanged value that the platform's `fetch` rejected with: a `TypeError`, or the reason of an abort.
    Platform(JsValue),
    /// The session's part failed. Nothing was sent because of it.
    Token(TokenError),
}

impl From<TokenError> for FetchError {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}

impl fmt::Debug for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform(_) => f.write_str("Platform(…)"),
            Self::Token(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform(_) => f.write_str("the platform's fetch rejected"),
            Self::Token(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FetchError {}

/// Why a call of the shell fails. `Shell::explain` turns it into the caller's error.
#[derive(Clone)]
pub(crate) enum Fault {
    /// The unchanged value that the platform rejected with.
    Platform(JsValue),
    /// The session's part failed. The value is the cause, or `undefined`.
    Failed(Failure, JsValue),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure, JsValue::UNDEFINED)
    }
}
