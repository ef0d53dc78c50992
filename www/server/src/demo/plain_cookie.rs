//! `--plain-cookie`: WebKit does not keep a `Secure` cookie of `http://127.0.0.1`, other browsers do. So that
//! the demo's session lasts there, too, its cookie is sent without `Secure`, and comes back under its own
//! name.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue,
        header::{COOKIE, SET_COOKIE},
    },
    middleware::Next,
    response::Response,
};

const STRICT: &str = "__Host-refresh=";
const PLAIN: &str = "refresh=";

pub async fn apply(mut request: Request, next: Next) -> Response {
    rewrite(request.headers_mut(), COOKIE, |cookies| cookies.replacen(PLAIN, STRICT, 1));
    let mut response = next.run(request).await;
    rewrite(response.headers_mut(), SET_COOKIE, |cookie| {
        cookie.replacen(STRICT, PLAIN, 1).replacen("; Secure", "", 1)
    });
    response
}

fn rewrite(headers: &mut HeaderMap, name: HeaderName, change: impl Fn(&str) -> String) {
    for (_, value) in headers.iter_mut().filter(|(other, _)| **other == name) {
        let changed = value.to_str().ok().and_then(|text| HeaderValue::try_from(change(text)).ok());
        if let Some(mut changed) = changed {
            changed.set_sensitive(true);
            *value = changed;
        }
    }
}
