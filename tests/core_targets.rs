//! A target outside the list never gets a token, and one on it always does: the list is compared with another
//! parser's reading of the URLs.

// The crate that generates the cases is not built for the browser.
#![cfg(not(target_arch = "wasm32"))]

use proptest::prelude::*;
use proptest::sample::select;
use tokenkeep::core::{Api, Apis};
use url::Url;

fn config() -> ProptestConfig {
    let named = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if named { config } else { ProptestConfig { cases: 4_096, ..config } }
}

/// Strings that somebody may type, or an attacker send: most parse, and some mean a different host than they
/// seem to.
fn typed() -> impl Strategy<Value = String> {
    let plain = |text: &'static str| Just(text);
    let scheme = prop_oneof![3 => plain("https://"), 1 => select(vec![
        "https://",
        "http://",
        "HTTPS://",
        "https:\\\\",
        "https:/",
        "https:",
        "ws://",
        "wss://",
        "ftp://",
        "blob:https://",
        "data:text/plain,https://",
        "javascript://",
        "file://",
        "view-source:https://",
    ])];
    let user = prop_oneof![
        3 => plain(""),
        1 => select(vec!["u@", "u:p@", "api.example.com@", "api.example.com:443@"]),
    ];
    let host = prop_oneof![3 => plain("api.example.com"), 1 => select(vec![
        "api.example.com",
        "API.Example.COM",
        "api.example.com.",
        "api.example.com.evil.test",
        "evil.test",
        "example.com",
        "xapi.example.com",
        "api.example.com%2eevil.test",
        "api\u{3002}example\u{3002}com",
        "127.0.0.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        "[0:0::1]",
        "",
    ])];
    let port = select(vec!["", "", "", ":", ":443", ":80", ":8443", ":0443"]);
    let path = prop::collection::vec(
        select(vec![
            "/", "/", "/api", "/api/", "/apix", "/API", "/api%2f", "/..", "/.", "/%2e%2e", "\\..",
            "\\api", "//", "/v1", "/api;x", "\t", "/api.", "/ap\ni",
        ]),
        0..5,
    );
    let rest = select(vec!["", "", "?", "?/api", "?x=/api/#y", "#", "#/api", "#@evil.test/api"]);
    (scheme, user, host, port, path, rest).prop_map(|(scheme, user, host, port, path, rest)| {
        format!("{scheme}{user}{host}{port}{}{rest}", path.concat())
    })
}

fn entry() -> impl Strategy<Value = Url> {
    let origin = select(vec![
        "https://api.example.com",
        "http://api.example.com",
        "https://api.example.com:8443",
        "https://127.0.0.1",
        "http://[::1]:80",
    ]);
    let path = select(vec!["", "/", "/api", "/api/", "/api/v1", "/api//", "/api%2f"]);
    (origin, path).prop_map(|(origin, path)| Url::parse(&format!("{origin}{path}")).unwrap())
}

/// The meaning of the list, expressed with the parts of a parsed URL.
fn is_below(entry: &Url, target: &Url) -> bool {
    let parts = |url: &Url| {
        (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
    };
    let segments = |url: &Url| url.path().split('/').skip(1).map(str::to_owned).collect::<Vec<_>>();
    let (mut named, asked) = (segments(entry), segments(target));
    let below_only = named.last().is_some_and(String::is_empty);
    if below_only {
        named.pop();
    }
    let has_more = asked.len() > named.len() || !below_only;
    parts(entry) == parts(target)
        && target.username().is_empty()
        && target.password().is_none()
        && has_more
        && asked.starts_with(&named)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_target_outside_the_list_never_gets_a_token(
        list in prop::collection::vec(entry(), 0..4),
        typed in typed(),
    ) {
        let apis = Apis::new(list.iter().map(|url| Api::parse(url.as_str()).unwrap()).collect());
        if let Ok(target) = Url::parse(&typed) {
            let expected = list.iter().any(|entry| is_below(entry, &target));
            prop_assert_eq!(apis.cover(target.as_str()), expected, "{} as {}", typed, target);
        }
    }

    #[test]
    fn an_entry_covers_itself_and_nothing_on_another_origin(entry in entry(), other in entry()) {
        let apis = Apis::new(vec![Api::parse(entry.as_str()).unwrap()]);
        prop_assert!(apis.cover(entry.as_str()));
        if entry.origin() != other.origin() {
            prop_assert!(!apis.cover(other.as_str()));
        }
    }

    #[test]
    fn what_is_no_url_gets_no_token(text in any::<String>()) {
        let apis = Apis::new(vec![Api::parse("https://api.example.com/").unwrap()]);
        prop_assert!(!apis.cover(&text) || text.starts_with("https://api.example.com"));
    }
}
