//! The reference auth server: what a server must do so that a single-page app can keep a short-lived access
//! token in memory and its refresh token in a cookie that no script sees. Written to be copied: one subject
//! per file, with the reasons beside the code.

// A call that cannot fail uses `expect` and says why.
#![warn(clippy::unwrap_used)]

pub mod address;
pub mod app;
pub mod clock;
pub mod config;
pub mod connections;
pub mod flags;
pub mod log;
pub mod observe;
pub mod secret;
pub mod serve;
pub mod store;

mod answer;
mod api;
mod auth;
mod body;
mod challenge;
mod cookie;
mod counters;
mod cross_origin;
mod csrf;
mod demo;
mod dpop;
mod health;
mod limit;
mod oauth;
mod password;
mod random;
mod sealing;
mod static_files;
mod tokens;
mod totp;
