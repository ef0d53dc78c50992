//! Audit events: who did what, one JSON object a line. For those who have to find out later what happened.

use std::{
    fmt,
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use serde::Serialize;

/// Where the lines go. Injected, as the log is.
#[derive(Clone)]
pub struct Audit(Arc<dyn Fn(&str) + Send + Sync>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Login,
    LoginRefused,
    Refresh,
    /// A used refresh token came again: a thief, or a client without a lock. Alarm on this.
    Reuse,
    /// A refresh token came without a proof by its session's key: a thief, or a client that lost the key.
    ProofRefused,
    Logout,
    Revoke,
    SessionEnded,
    PasswordChanged,
    SecondFactor,
    SecondFactorRefused,
}

/// What is not known is left out. `user` is an account's name, never what somebody typed.
#[derive(Clone, Copy, Default, Serialize)]
pub struct About<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<&'a str>,
    /// The family's id, which is no secret.
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

    /// Adds to a file. `-` is the standard output.
    pub fn file(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::new(|line| println!("{line}")));
        }
        let file = Mutex::new(File::options().create(true).append(true).open(path)?);
        Ok(Self::new(move |line| {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            // One write a line, so that instances on one file do not mix theirs.
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
