//! Options as an app may write them, some of them with untrusted values.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use tokenkeep::core::{Code, Endpoint, Options, fuzzing};
use url::Url;

#[derive(Arbitrary, Debug)]
struct Written {
    page: Option<String>,
    refresh: String,
    method: String,
    header: (String, String),
    timeout: f64,
    logout: Option<String>,
    apis: Option<Vec<String>>,
    csrf: Option<(String, String)>,
    refresh_before: Option<f64>,
    target: String,
}

fuzz_target!(|written: Written| {
    let page = written.page.filter(|page| !is_file(page)).and_then(|page| Url::parse(&page).ok());
    let origin = page.as_ref().map(|page| page.origin().ascii_serialization());
    let parse = |text: &str| {
        if is_file(text) {
            return None;
        }
        let base = Url::options().base_url(page.as_ref()).parse(text);
        base.ok().map(String::from)
    };
    let mut options = Options::new(written.refresh);
    options.refresh.method = written.method;
    let secret = format!("s3cr3t{}", written.header.1);
    options.refresh.headers = vec![(written.header.0, secret.clone())];
    options.refresh.timeout = written.timeout;
    options.logout = written.logout.map(Endpoint::new);
    options.apis = written.apis.clone();
    options.csrf = written.csrf;
    options.refresh_before = written.refresh_before;
    let origin = origin.filter(|origin| origin != "null");
    match fuzzing::settle(options, origin.as_deref(), &parse) {
        Err(failure) => {
            assert_eq!(failure.code, Code::InvalidOption);
            assert!(!failure.to_string().contains(&secret), "{failure}");
        }
        Ok(apis) => {
            let Some(target) = parse(&written.target).and_then(|url| Url::parse(&url).ok()) else {
                return;
            };
            if apis.cover(target.as_str()) {
                let named = written.apis.into_iter().flatten().filter_map(|entry| parse(&entry));
                let named: Vec<Url> =
                    named.chain(origin).filter_map(|entry| Url::parse(&entry).ok()).collect();
                assert!(named.iter().any(|entry| entry.origin() == target.origin()), "{target}");
            }
        }
    }
});

/// The parser that replaces the platform's fails an assertion of its own on some of these.
fn is_file(text: &str) -> bool {
    let mut text = text.to_ascii_lowercase();
    text.retain(|letter| !letter.is_ascii_control() && letter != ' ');
    text.contains("file:")
}
