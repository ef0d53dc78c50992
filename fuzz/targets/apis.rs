//! Which targets may receive the token, compared with another reading of the same URLs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tokenkeep::core::{Api, Apis};
use url::Url;

fuzz_target!(|texts: (&str, &str)| {
    let (entry, target) = texts;
    // Unparsed input: a string that is no URL covers nothing, and is covered only by an equal string.
    if let Some(api) = Api::parse(entry) {
        let covers = Apis::new(vec![api]).cover(target);
        assert!(!covers || target.starts_with(entry.trim_end_matches('/')), "{entry:?} {target:?}");
    }
    // The same as the platform's parser would serialise it.
    let (Ok(entry), Ok(target)) = (Url::parse(entry), Url::parse(target)) else { return };
    let Some(api) = Api::parse(entry.as_str()) else { return };
    let covers = Apis::new(vec![api.clone()]).cover(target.as_str());
    assert_eq!(covers, is_below(&entry, &target), "{entry} {target}");
    let own = Apis::new(vec![api.clone()]).without(vec![api]);
    assert!(!own.cover(entry.as_str()), "{entry}: the manager's own call gets no token");
});

/// The meaning of the list, expressed with the parts of a parsed URL.
fn is_below(entry: &Url, target: &Url) -> bool {
    let base = entry.path();
    let is_below = match target.path().strip_prefix(base) {
        Some(rest) => base.ends_with('/') || rest.is_empty() || rest.starts_with('/'),
        None => false,
    };
    matches!(target.scheme(), "http" | "https")
        && entry.origin() == target.origin()
        && target.username().is_empty()
        && target.password().is_none()
        && is_below
}
