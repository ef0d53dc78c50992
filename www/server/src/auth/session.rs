//! The facts of a session since its login, and how long the session lasts.
//!
//! A session ends when it has not been used for a while (idle), and some time after its login however much it
//! is used (absolute): that limits how long a thief can have it.

use std::time::Duration;

use axum::http::{HeaderMap, header::USER_AGENT};
use serde::{Deserialize, Serialize};

use crate::{challenge::Scheme, config::Config};

/// Authentication context class references (RFC 9470 section 2): how strongly the user was authenticated.
pub const PASSWORD: &str = "pwd";
pub const TWO_FACTORS: &str = "mfa";

/// The store keeps this as text, in `Family::details`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Milliseconds since the epoch. A step-up does not restart a session's time.
    pub begun_at: u64,
    /// When the user last authenticated, in seconds since the epoch.
    pub auth_time: u64,
    pub acr: String,
    pub remember: Option<bool>,
    /// The browser's user agent, for "signed in on these devices".
    pub agent: String,
    /// The thumbprint of the key that all tokens of the session are bound to (`dpop/`). It never changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
}

/// How long a session's tokens and cookie may live from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lives {
    pub refresh: Duration,
    pub access: Duration,
    /// `None`: the browser forgets the cookie when it is closed.
    pub cookie: Option<Duration>,
}

impl Session {
    /// Not bound to a key yet.
    pub fn new(now: u64, acr: &str, remember: Option<bool>, headers: &HeaderMap) -> Self {
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("");
        Self {
            begun_at: now,
            auth_time: now / 1000,
            acr: acr.to_owned(),
            remember,
            agent: agent.chars().take(200).collect(),
            jkt: None,
        }
    }

    /// How the session's access tokens must be sent.
    pub fn scheme(&self) -> Scheme {
        if self.jkt.is_some() { Scheme::Dpop } else { Scheme::Bearer }
    }

    pub fn read(details: &str) -> Self {
        serde_json::from_str(details).unwrap_or_default()
    }

    pub fn written(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// Bound to the key, if there is one.
    pub fn bound_to(self, jkt: Option<String>) -> Self {
        Self { jkt, ..self }
    }

    /// `None`: the session's time is over.
    pub fn lives(&self, config: &Config, now: u64) -> Option<Lives> {
        let begun = Duration::from_millis(now.saturating_sub(self.begun_at));
        let left = config.session_ttl.checked_sub(begun).filter(|left| !left.is_zero())?;
        let idle = match self.remember {
            Some(true) => left,
            Some(false) | None => config.refresh_ttl.min(left),
        };
        Some(Lives {
            refresh: idle,
            access: config.access_ttl.min(left),
            cookie: (self.remember != Some(false)).then_some(idle),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn lives(remember: Option<bool>, days: u64) -> Option<(u64, Option<u64>)> {
        let config = Config { refresh_ttl: 7 * DAY, session_ttl: 30 * DAY, ..Config::default() };
        let session = Session { begun_at: 1_000, remember, ..Session::default() };
        let now = 1_000 + days * DAY.as_millis() as u64;
        let lives = session.lives(&config, now)?;
        let days = |time: Duration| time.as_secs() / DAY.as_secs();
        Some((days(lives.refresh), lives.cookie.map(days)))
    }

    #[test]
    fn a_session_ends_when_idle_or_at_its_absolute_end() {
        assert_eq!(lives(None, 0), Some((7, Some(7))));
        assert_eq!(lives(None, 28), Some((2, Some(2))));
        assert_eq!(lives(None, 30), None);
    }

    #[test]
    fn a_remembered_session_lasts_while_idle_and_any_other_has_no_lasting_cookie() {
        assert_eq!(lives(Some(true), 0), Some((30, Some(30))));
        assert_eq!(lives(Some(false), 0), Some((7, None)));
    }

    #[test]
    fn an_access_token_does_not_outlive_its_session() {
        let config = Config { session_ttl: DAY, ..Config::default() };
        let session = Session::default();
        let lives = session.lives(&config, DAY.as_millis() as u64 - 1_000).expect("some time");
        assert_eq!(lives.access, Duration::from_secs(1));
    }
}
