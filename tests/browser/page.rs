//! What the shell promises to Rust, in a page of a real browser.
//!
//! There is no server: the test stands in the place of `fetch`, and answers when the story wants it.

#![cfg(target_arch = "wasm32")]

mod stage;

mod aborts;
mod answers;
mod clock;
mod debt;
mod denied;
mod holders;
mod listeners;
mod memory;
mod neighbours;
mod outages;
mod proofs;
mod refusals;
mod requests;
mod resending;
mod secrecy;
mod sessions;

use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);
