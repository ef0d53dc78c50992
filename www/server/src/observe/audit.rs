//! Audit events: who did what, one JSON object per line, for later investigation.

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;

/// The destination of the lines. Injected, like the log.
#[derive(Clone)]
pub struct Audit(Arc<dyn Fn(&str) + Send + Sync>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Login,
    LoginRefused,
    Refresh,
    /// A used refresh token came again: from a thief, or a client without a lock. Alert on this.
    Reuse,
    /// A refresh token came without a proof by its session's key: from a thief, or a client that lost the
    /// key.
    ProofRefused,
    Logout,
    Revoke,
    SessionEnded,
    PasswordChanged,
    SecondFactor,
    SecondFactorRefused,
}

/// Unknown fields are left out. `user` is an account's name, never what somebody typed.
#[derive(Clone, Copy, Default, Serialize)]
pub struct About<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'a str>,
    /// The family's id, which is not secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<&'a str>,
    /// The client's network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: Event,
    #[serde(flatten)]
    about: About<'a>,
}

impl Audit {
    pub fn nowhere() -> Self {
        Self::new(|_| ())
    }

    pub fn new(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(write))
    }

    /// Appends to a file. `-` is the standard output.
    pub fn file(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::new(|line| println!("{line}")));
        }
        let file = Mutex::new(File::options().create(true).append(true).open(path)?);
        Ok(Self::new(move |line| {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            // One write per line, so that instances that share a file do not mix their lines.
            if let Err(error) = file.write_all(format!("{line}\n").as_bytes()) {
                eprintln!("audit: {error}");
            }
        }))
    }

    pub fn tell(&self, now: u64, event: Event, about: About<'_>) {
        let time = UNIX_EPOCH + Duration::from_millis(now);
        let time = humantime::format_rfc3339_millis(time).to_string();
        let line = Line { time, event, about };
        (self.0)(&serde_json::to_string(&line).expect("plain data"));
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Audit")
    }
}
