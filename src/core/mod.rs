//! The decisions of tokenkeep, and nothing else.
//!
//! > **The contract of this module.** The shell tells it what happened and when; it answers what to do.
//! > It knows no browser, no clock, no randomness, no I/O and no `async`: time ([`Now`]) and random numbers
//! > are arguments. Every rule that users rely on is decided here, and can therefore be tested here:
//! >
//! > - the token goes to no target that was not named (rule 1, [`Apis::cover`]);
//! > - a request is sent at most twice (rule 4, [`Ticket`], [`Session::answered`]);
//! > - a late 401 never causes a refresh: generations are compared, not times (rule 4);
//! > - a resource that answers 401 where it means "forbidden" affects only its own calls (rule 4,
//! >   [`Resource`]);
//! > - there is one refresh at a time, and every call that needs it joins it (rules 3 and 4,
//! >   [`Session::depart`]);
//! > - a refused refresh ends the session, once; an outage never does (rule 8, [`verdict`]);
//! > - after an outage, back-off keeps callers from storming the server (rule 8, [`Backoff`]);
//! > - calls that set the refresh cookie never overlap (rule 9, [`Effect::Start`], [`Session::finished`]);
//! > - a call from an older epoch commits nothing, is not sent again, and never meets the next user's token
//! >   (rule 9, [`Session::logout`], [`Session::login_answered`]);
//! > - every wait ends: a refresh either has an outcome or is void (rule 10, [`Effect::SettleRefresh`]);
//! >
//! > The options are checked before they come here, and so is who shares with whom: `browser/options.js`
//! > does both.
//! >
//! > The rules are numbered in `docs/architecture.md`.
//!
//! The shell calls a method, then drains [`Session::poll_effect`] and carries out each effect. No method
//! calls back, so code that runs during an effect, user code included, finds the session in a consistent
//! state.

mod answer;
mod apis;
mod attach;
mod auth_call_queue;
mod backoff;
mod challenge;
mod compose;
mod digest;
mod dpop;
mod endpoint;
mod failure;
mod forbidden;
mod header_fields;
mod identity;
mod jwt;
mod lease;
mod message_limit;
mod options;
mod patience;
mod pending_logout;
mod policy;
mod redirect;
mod rules;
mod secret;
mod session;
mod tabs;
mod text;
mod time;

pub(crate) use answer::Form;
pub use answer::{AuthResponse, Body, TokenResponse, Verdict, verdict};
pub(crate) use apis::is_same_origin;
pub use apis::{Api, Apis};
pub use attach::Attach;
pub use auth_call_queue::{AuthCall, Kind};
pub use backoff::{Backoff, RetryAfter, retry_after};
pub use challenge::{Challenge, challenges};
pub(crate) use compose::{Payload, Stays};
pub(crate) use dpop::set_proof;
pub use dpop::{Dpop, DpopKeys, Draft, Objection, ProofAnswer};
pub use endpoint::{Carrier, Content, Credentials, Endpoint, Sends};
pub use failure::{Code, Failure, Flaw, Step};
pub use forbidden::Resource;
pub(crate) use header_fields::{Set, proofs};
pub(crate) use identity::Identity;
pub use jwt::payload;
pub(crate) use lease::{GRACE, Leases};
pub(crate) use message_limit::MessageLimit;
pub use options::Options;
pub(crate) use patience::{NEWS, Patience, longest_hold};
pub use pending_logout::{Mark, Owed, owed};
pub use policy::{Offline, Policy, Reach, Renewal, Restore, Tabs};
pub use redirect::Redirects;
pub use rules::{AnswerRule, Classification, Field, HeaderField, ResponseFacts, RuleKind, Rules};
pub(crate) use rules::{Media, is_safe};
pub use secret::{Secret, Unusable};
pub use session::{
    Arrival, Departure, Effect, Event, Reason, RefreshOutcome, Session, Snapshot, Status, Ticket,
    Unanswered, Wait,
};
pub(crate) use tabs::life_left;
pub use tabs::{HybridTime, Message};
pub(crate) use text::{concat, decimal, number};
pub use time::{Life, Now, Validity, life};
