//! Protection from cross-site request forgery: proof that a permitted page made the request.
//!
//! `SameSite=Strict` alone is not enough: a sibling subdomain counts as the same site. So refresh and logout
//! also require two things. A custom header, which a form cannot set, and another origin's script can set
//! only after a CORS preflight that `cross_origin.rs` refuses. And the browser's statement of the request's
//! origin: `Origin` (RFC 6454), or `Sec-Fetch-Site` (Fetch Metadata), which no script can set.

use axum::http::{
    HeaderMap, StatusCode,
    header::{HOST, ORIGIN},
};

use crate::answer::{self, Failure};

const PROOF: &str = "x-requested-with";
const SITE: &str = "sec-fetch-site";

/// For requests that carry the cookie.
pub fn proof(headers: &HeaderMap, allowed: &[String]) -> Result<(), Failure> {
    let has_header = headers.get(PROOF).is_some_and(|value| !value.is_empty());
    match origin(headers, allowed) {
        Origin::Ours if has_header => Ok(()),
        _ => Err(refused()),
    }
}

/// For login, which has no cookie to steal, but must not be started by another site's form: that would log
/// its victim in as the attacker. A client that is not a browser names no origin, and is allowed.
pub fn not_foreign(headers: &HeaderMap, allowed: &[String]) -> Result<(), Failure> {
    match origin(headers, allowed) {
        Origin::Foreign => Err(refused()),
        Origin::Ours | Origin::Unsaid => Ok(()),
    }
}

enum Origin {
    Ours,
    Foreign,
    Unsaid,
}

/// `Origin` decides if present: it names the exact origin, `Sec-Fetch-Site` only the site.
fn origin(headers: &HeaderMap, allowed: &[String]) -> Origin {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(origin) = text(ORIGIN.as_str()) {
        let host = text(HOST.as_str()).unwrap_or("");
        // Behind a proxy that terminates TLS the page's scheme is https and ours is http: the host decides.
        let own = origin.split_once("://").is_some_and(|(scheme, rest)| {
            matches!(scheme, "http" | "https") && !host.is_empty() && rest == host
        });
        return if own || allowed.iter().any(|one| one == origin) {
            Origin::Ours
        } else {
            Origin::Foreign
        };
    }
    match text(SITE) {
        Some("same-origin" | "same-site") => Origin::Ours,
        Some("none") | None => Origin::Unsaid,
        Some(_) => Origin::Foreign,
    }
}

fn refused() -> Failure {
    answer::error(
        StatusCode::FORBIDDEN,
        "csrf",
        "This request needs a non-empty X-Requested-With header, and an Origin or Sec-Fetch-Site of this site.",
    )
    .into()
}
