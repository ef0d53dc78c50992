//! What the session tells users and the shell.

use std::fmt;
use std::rc::Rc;

use super::super::auth_call_queue::{AuthCall, Kind};
use super::super::challenge::Challenge;
use super::super::failure::Failure;
use super::super::tabs::Message;

/// What is known about the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Unknown: there may be a refresh cookie, or not.
    Unknown,
    /// There is a session.
    SignedIn,
    /// There is no session.
    SignedOut,
}

/// What users may see of the session at one moment. `Debug` omits the claims, because they are personal data.
#[derive(Clone, PartialEq)]
pub struct Snapshot {
    /// What is known about the session.
    pub status: Status,
    /// The payload of a JWT, as JSON text. `None` for an opaque token.
    pub claims: Option<Rc<str>>,
    /// When the token ends, in milliseconds since the epoch by the local clock.
    pub expires_at: Option<u64>,
    /// When the session ends unless it is renewed, by the same clock.
    pub session_expires_at: Option<u64>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("status", &self.status)
            .field("expires_at", &self.expires_at)
            .field("session_expires_at", &self.session_expires_at)
            .finish_non_exhaustive()
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user signed out here.
    Logout,
    /// The server refused the refresh.
    Rejected,
    /// An answer to a request said so.
    Ended,
    /// The user signed out in another tab.
    OtherTab,
}

/// An event for the app, reported once.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The session has a new token.
    Refresh,
    /// The session ended.
    SignOut(Reason),
    /// A refresh did not reach the server. The session stays.
    RefreshError(Failure),
    /// An answer asks for more than the session has: a newer or stronger login (RFC 9470, 3), or other
    /// claims. It carries all challenges of the answer.
    StepUp(Vec<Challenge>),
}

/// The outcome of a refresh for the calls that waited for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RefreshOutcome {
    /// There is a new token.
    Renewed,
    /// The server refused; the session is over.
    Rejected(Failure),
    /// The server was not reached; the session stays.
    Failed(Failure),
    /// The session that it was for is over.
    Void,
}

/// A task for the shell.
#[derive(Clone, Debug)]
pub enum Effect {
    /// It is this auth call's turn: get the lock, then call [`arrive`](super::Session::arrive).
    Start(AuthCall, Kind),
    /// Release the calls that wait for this refresh.
    SettleRefresh(AuthCall, RefreshOutcome),
    /// The snapshot has changed.
    Changed,
    /// Report the event to the app.
    Tell(Event),
    /// Send the message to the other tabs.
    Post(Box<Message>),
    /// Set (`true`) or remove the mark of a pending logout.
    Owe(bool),
}
