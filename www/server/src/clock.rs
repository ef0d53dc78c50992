//! An injected clock: it decides every lifetime, so tests move it instead of waiting.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A source of milliseconds since the epoch.
#[derive(Clone)]
pub struct Clock {
    source: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// How far it was moved.
    ahead: Arc<AtomicU64>,
}

impl Clock {
    pub fn system() -> Self {
        Self::new(|| {
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
        })
    }

    pub fn new(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { source: Arc::new(now), ahead: Arc::default() }
    }

    pub fn now(&self) -> u64 {
        (self.source)().saturating_add(self.ahead.load(Relaxed))
    }

    /// Moves it forward, for whoever has it. It does not go back.
    pub fn forward(&self, by: Duration) {
        self.ahead.fetch_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX), Relaxed);
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
