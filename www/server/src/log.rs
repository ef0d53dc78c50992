//! The destination of log lines. Injected, so that a test can read every line and check that it contains no
//! secret. A line names events and known accounts. It never contains a token, a password, a cookie, a
//! request's body or query, or a user name that is not an account's (people type passwords into that field).

use std::{fmt, sync::Arc};

#[derive(Clone)]
pub struct Log(Arc<dyn Fn(&str) + Send + Sync>);

impl Log {
    pub fn stderr() -> Self {
        Self::new(|line| eprintln!("{line}"))
    }

    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    pub fn line(&self, line: &str) {
        (self.0)(line);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}
