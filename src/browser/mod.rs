//! The doing: fetch, timers, locks, channels. It asks [`crate::core`], and does what that says.
//!
//! It works in a page, a dedicated, a shared and a service worker alike, for it knows only the
//! global scope. It compiles on every target, so that a crate that renders on a server can name its
//! types; calling it needs a platform.
//!
//! - `manager.rs`: the [`TokenManager`] for Rust, and what all parts of the shell share;
//! - `travel.rs`: an app's request on its way (rules 2 to 8);
//! - `exchange.rs`: refresh, login and logout on the wire (rules 8 and 9);
//! - `direct.rs`: the same, in synchronous steps, for the bindings;
//! - `answer.rs`, `json.rs`: reading what servers say;
//! - `lock.rs`, `channel.rs`, `debt.rs`: turns among tabs, news among tabs, and the one mark that outlives a page;
//! - `wake.rs`: when to look at the clock again;
//! - `platform.rs`: the few functions of the platform that web-sys has not, or not for workers.

mod answer;
mod call;
mod channel;
mod debt;
#[cfg(feature = "bindings")]
mod direct;
mod error;
mod exchange;
mod json;
mod lock;
mod manager;
mod platform;
mod travel;
mod wake;

pub use call::Outgoing;
pub use error::{FetchError, TokenError};
#[cfg(feature = "bindings")]
pub(crate) use json::text as json_text;
#[cfg(feature = "bindings")]
pub(crate) use manager::Shell;
pub use manager::{Notice, Subscription, TokenManager, Tokens};
