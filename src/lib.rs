//! **tokenkeep** keeps the access token of a single-page app in memory and puts it on the app's requests.
//! After a 401 it refreshes the token once for all callers and sends the refused requests again. The refresh
//! token is an HttpOnly cookie that no script sees.
//!
//! This crate is behind the npm package of the same name, and is also a library for apps written in Rust.
//! Start with [`TokenManager`]:
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use tokenkeep::{Options, TokenManager};
//!
//! let auth = TokenManager::new(Options::new("/auth/refresh"))?;
//! let request = web_sys::Request::new_with_str("/api/me").map_err(|_| "no such URL")?;
//! let response = auth.fetch(&request).await?;
//! # Ok(()) }
//! ```
//!
//! # Map
//!
//! - `core` decides. It knows no browser, no clock and no I/O, and holds every rule that users rely on. Its
//!   module documentation, which is shown with the feature `unstable-core`, is the contract.
//! - `browser` acts: `fetch`, timers, locks, channels.
//! - `bindings` (feature `bindings`) is the interface for JavaScript.
//!
//! # Features
//!
//! - `bindings`: exports the class that the npm package uses. Leave it out in a Rust app.
//! - `unstable-core`: makes the module `core` public, for tests, fuzzing and benchmarks. It may change in any version.

#![warn(missing_docs, unreachable_pub)]
// A panic would take the app's page down, and only the app decides what is printed.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable)]
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(not(feature = "unstable-core"))]
#[expect(dead_code, unreachable_pub, unused_imports, reason = "public with `unstable-core`")]
mod core;
#[cfg(feature = "unstable-core")]
pub mod core;

#[cfg(feature = "bindings")]
mod bindings;
mod browser;

pub use self::core::{
    AnswerRule, Attach, Carrier, Challenge, Code, Content, Credentials, DpopKeys, Endpoint, Event,
    Failure, Field, Flaw, HeaderField, Offline, Options, Reason, Restore, Secret, Sends, Snapshot,
    Status, Step, Tabs, Unusable,
};
pub use browser::{Detail, FetchError, Notice, Subscription, TokenError, TokenManager, Tokens};

/// Compiles the Rust examples in the README against the crate.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
