//! The errors of the Rust API.

use std::fmt;

use wasm_bindgen::JsValue;

use crate::core::{Code, Failure, Step};

/// An error, with the platform's own error as its cause, if there is one.
///
/// It never contains a token, cookie or credential: the texts come from this crate, and the cause is the error that
/// `fetch` rejected with.
#[derive(Clone)]
pub struct TokenError {
    failure: Failure,
    cause: Option<JsValue>,
}

impl TokenError {
    pub(crate) fn new(code: Code, step: Step) -> Self {
        Failure::new(code, step).into()
    }

    pub(crate) fn with_cause(mut self, cause: Option<JsValue>) -> Self {
        self.cause = cause;
        self
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

    /// The error that the platform rejected with, or the `Response` of a refused login or logout.
    pub fn cause(&self) -> Option<&JsValue> {
        self.cause.as_ref()
    }
}

impl From<Failure> for TokenError {
    fn from(failure: Failure) -> Self {
        Self { failure, cause: None }
    }
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenError").field(&self.failure).finish()
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
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

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        Self::Token(failure.into())
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
