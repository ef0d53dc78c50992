//! The time limit of each wait (rule 10), in milliseconds. Only time in which the page could run counts:
//! `timer.js` leaves out a busy main thread, a frozen tab and a sleeping laptop.

use super::auth_call_queue::Kind;
use super::options::Options;

/// How long a tab that had to wait for the lock listens for news from its previous holder.
pub(crate) const NEWS: u32 = 250;
/// How long a logout with the caller's own request may take.
const OWN_CALL: u32 = 30_000;
/// How much longer than the longest hold to wait for the lock: several tabs may be in line.
const LINE: u32 = 30_000;

/// The time limits of one auth call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For the answer, once the call is sent.
    pub(crate) answer: u32,
    /// For how long the lock is requested: a moment to listen, and the call. The holder extends it for the
    /// work that follows.
    pub(crate) hold: u32,
    /// For the lock: longer than the longest hold.
    pub(crate) lock: u32,
}

impl Patience {
    /// The time limits of an auth call of this kind. `is_brought`: the caller brings the request.
    pub(crate) fn new(options: &Options, kind: Kind, is_brought: bool) -> Self {
        let (refresh, login, logout) = limits(options);
        let answer = match kind {
            Kind::Refresh => refresh,
            Kind::Login => login,
            Kind::Logout if is_brought => OWN_CALL,
            Kind::Logout => logout,
        };
        let lock = longest_hold(options).saturating_add(LINE);
        Self { answer, hold: answer.saturating_add(NEWS), lock }
    }
}

/// How long any call with these options may hold the lock. No claim to hold it longer is believed.
pub(crate) fn longest_hold(options: &Options) -> u32 {
    let (refresh, login, logout) = limits(options);
    refresh.max(login).max(logout).max(OWN_CALL).saturating_add(NEWS)
}

/// The limits of refresh, login and logout.
fn limits(options: &Options) -> (u32, u32, u32) {
    let logout = options.logout.as_ref().map_or(OWN_CALL, |logout| logout.timeout as u32);
    (options.refresh.timeout as u32, options.login_timeout as u32, logout)
}

#[cfg(test)]
mod tests {
    use super::super::endpoint::Endpoint;
    use super::*;

    fn options(refresh: f64, login: f64, logout: f64) -> Options {
        let mut options = Options::new("/refresh");
        options.login_timeout = login;
        options.refresh.timeout = refresh;
        options.logout = Some(Endpoint { timeout: logout, ..Endpoint::new("/logout") });
        options
    }

    #[test]
    fn the_wait_for_the_lock_exceeds_any_hold_that_the_options_permit() {
        for (refresh, login, logout) in
            [(1.0, 1.0, 1.0), (120_000.0, 1.0, 1.0), (1.0, 120_000.0, 1.0), (1.0, 1.0, 120_000.0)]
        {
            let options = options(refresh, login, logout);
            for (kind, is_brought, answer) in [
                (Kind::Refresh, false, refresh as u32),
                (Kind::Login, true, login as u32),
                (Kind::Logout, false, logout as u32),
                (Kind::Logout, true, OWN_CALL),
            ] {
                let patience = Patience::new(&options, kind, is_brought);
                assert_eq!(patience.answer, answer);
                assert!(patience.hold <= longest_hold(&options), "{patience:?}");
                assert!(patience.lock >= longest_hold(&options) + 30_000, "{patience:?}");
            }
        }
    }

    #[test]
    fn the_longest_permitted_timeouts_do_not_overflow() {
        let options = options(2_147_483_647.0, 1.0, 1.0);
        let patience = Patience::new(&options, Kind::Refresh, false);
        assert_eq!(longest_hold(&options), 2_147_483_647 + NEWS);
        assert_eq!(patience.lock, 2_147_483_647 + NEWS + LINE);
    }
}
