//! The shell's promises to Rust, in a page of a real browser.
//!
//! There is no server: the test replaces `fetch`, and answers when it chooses.

#![cfg(target_arch = "wasm32")]

mod support;

mod aborts;
mod answers;
mod clock;
mod denied;
mod dpop;
mod holders;
mod listeners;
mod memory;
mod other_tabs;
mod outages;
mod pending_logout;
mod proofs;
mod refusals;
mod requests;
mod resending;
mod sealed;
mod secrecy;
mod sessions;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
