//! `WWW-Authenticate`, as APIs send it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tokenkeep::core::{Challenge, challenges};

fuzz_target!(|value: &str| {
    let list = challenges(value);
    for challenge in &list {
        assert!(is_name(&challenge.scheme), "{challenge:?}");
        assert!(challenge.parameters.iter().all(|(name, _)| is_name(name)), "{challenge:?}");
    }
    assert_eq!(
        challenges(&written(&list)),
        list,
        "what was read is read again from its proper form"
    );
});

/// A `token` (RFC 9110, 5.6.2) in lower case.
fn is_name(text: &str) -> bool {
    let is_tchar = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// The list in the syntax of RFC 9110, 11.6.1, each value a quoted string.
fn written(list: &[Challenge]) -> String {
    let write = |challenge: &Challenge| {
        let parameters: Vec<String> = challenge
            .parameters
            .iter()
            .map(|(name, value)| {
                format!("{name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
            })
            .collect();
        format!("{} {}", challenge.scheme, parameters.join(", "))
    };
    list.iter().map(write).collect::<Vec<_>>().join(", ")
}
