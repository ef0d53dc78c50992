//! The effects: fetch, timers, locks, channels. [`crate::core`] decides, and this module carries out.
//!
//! It works in a page and in a dedicated, shared or service worker, because it uses only the global scope. It
//! compiles on every target, so that a crate that renders on a server can name its types. Calling it needs a
//! browser.
//!
//! - `manager.rs`, `listeners.rs`: the [`TokenManager`] for apps in Rust, and its listeners;
//! - `shell.rs`: what all parts of the shell share;
//! - `fetch.rs`: an app's request, from the call of `fetch` to its answer (rules 2 to 8);
//! - `auth_call.rs`: refresh, login and logout on the wire (rules 8 and 9);
//! - `fast_path.rs`: the common case of a fetch, in synchronous steps, for the bindings;
//! - `dpop.rs`: proofs of possession, for tokens that are bound to a key;
//! - `options.rs`, `written.rs`: the options as `options.js` gives them, and as an app in Rust writes them;
//! - `answer.rs`: reads the responses of servers;
//! - `shared_outcome.rs`: the outcome of an auth call, for all callers that wait for it;
//! - `task.rs`: runs the shell's futures;
//! - `lock.rs`, `channel.rs`, `pending_logout.rs`: turns between tabs, news between tabs, and the one mark that
//!   outlives a page;
//! - `renewal_timer.rs`: when to renew the token before it expires;
//! - `platform.rs`: the other functions of the platform.
//!
//! The JavaScript modules beside them access the page and the platform: `fetch` and its responses (`fetch.js`,
//! `http.js`, `json.js`), locks (`web-lock.js`), the channel (`tab-channel.js`, `sealed.js`), the keys of tokens
//! (`dpop.js`), timers, the page, the storage and the console. `task.js` runs Rust's tasks. What these modules
//! throw, Rust catches. They make no decisions on sessions, requests and tabs; what they do decide concerns the
//! platform alone: how long to wait for it, how much of a body to read, and whether it has refused a call without
//! sending it. And `options.js` checks and completes the options of apps in JavaScript and in Rust. What has several
//! parts is handed over as an object, and Rust reads its members by name (`Record` in `platform.rs`).

mod answer;
mod auth_call;
mod call;
mod channel;
mod dpop;
mod error;
#[cfg(feature = "bindings")]
mod fast_path;
mod fetch;
mod listeners;
mod lock;
mod manager;
mod options;
mod pending_logout;
mod platform;
mod renewal_timer;
mod shared_outcome;
mod shell;
mod task;
mod written;

pub use error::{FetchError, TokenError};
pub use listeners::{Notice, Subscription};
pub use manager::{TokenManager, Tokens};
pub use shell::Detail;
#[cfg(feature = "bindings")]
pub(crate) use {
    call::Outgoing,
    error::Fault,
    platform::{Record, Texts},
    shared_outcome::settling,
    shell::{Host, Shell},
    task::spawn,
};
