//! Counts events since the start. Alert on `reuses`: somebody used a refresh token that had been used before.
//! Each instance counts for itself.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::Serialize;

#[derive(Default, Serialize)]
pub struct Counters {
    pub logins: Counter,
    pub refreshes: Counter,
    pub reuses: Counter,
    /// Second uses within the grace. A thief's use counts here, too, so many of them deserve a look. Shown
    /// once there is one, because without `--reuse-grace` there is none.
    #[serde(skip_serializing_if = "Counter::is_zero")]
    pub graced: Counter,
    pub logouts: Counter,
    pub api_ok: Counter,
    pub api_401: Counter,
    pub revoked_families: Counter,
}

impl Counters {
    /// Each counter's name and meaning, for the metrics.
    pub fn all(&self) -> [(&'static str, &'static str, u64); 8] {
        [
            ("logins", "Logins that succeeded.", &self.logins),
            ("refreshes", "Refresh tokens that were exchanged.", &self.refreshes),
            ("reuses", "Refresh tokens that came again after their use.", &self.reuses),
            ("graced", "Refresh tokens that came again within the grace.", &self.graced),
            ("logouts", "Logouts.", &self.logouts),
            ("api_ok", "API calls that succeeded.", &self.api_ok),
            ("api_401", "API calls whose access token was refused.", &self.api_401),
            ("revoked_families", "Sessions that were ended.", &self.revoked_families),
        ]
        .map(|(name, help, counter)| (name, help, counter.0.load(Relaxed)))
    }

    pub fn reset(&self) {
        for counter in [
            &self.logins,
            &self.refreshes,
            &self.reuses,
            &self.graced,
            &self.logouts,
            &self.api_ok,
            &self.api_401,
            &self.revoked_families,
        ] {
            counter.0.store(0, Relaxed);
        }
    }
}

#[derive(Default, Serialize)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn is_zero(&self) -> bool {
        self.0.load(Relaxed) == 0
    }
}
