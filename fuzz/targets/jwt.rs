//! Tokens, as servers and other tabs send them.

#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use tokenkeep::core::{Secret, payload};

fuzz_target!(|text: &str| {
    if let Some(payload) = payload(text) {
        let parts: Vec<&str> = text.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(URL_SAFE_NO_PAD.encode(payload), parts[1], "one text has one form");
    }
    if let Ok(token) = Secret::new(text.to_owned()) {
        assert_eq!(token.reveal(), text);
        assert!(text.bytes().all(|byte| (b'!'..=b'~').contains(&byte)) && !text.is_empty());
        assert!(text.len() <= Secret::LONGEST);
    }
});
