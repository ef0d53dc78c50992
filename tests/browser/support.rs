//! The basis of the tests: a server that the test controls, and a platform whose clock, timers and console
//! can be watched.

mod call;
mod event_loop;
mod global;
mod server;
mod share;

pub use call::{Call, answer, json, refused, token};
pub use event_loop::{Started, lull, microtasks, pause, start, within_bound};
pub use global::{Clock, Console, Timers, without};
pub use server::{Heard, Server, jwt, own, request, token_error, tokens};
pub use share::share_of;

use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

/// The body of an answer, read to its end.
pub async fn text(response: &Response) -> String {
    let text = JsFuture::from(response.text().expect("a body")).await;
    text.expect("a whole body").as_string().expect("a text")
}
