//! The refresh token's cookie, and why it has each of its attributes:
//! `HttpOnly`: no script reads it. `Secure` and the name's `__Secure-`: never over plain HTTP (browsers
//! take http://127.0.0.1 for secure). `SameSite=Strict`: no other site's page makes a browser send it.
//! `Path=/auth`: the API never sees it. No `Domain`: this host only. See RFC 6265bis sections 4 and 5.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

use crate::secret::Secret;

const NAME: &str = "__Secure-refresh";
const ATTRIBUTES: &str = "HttpOnly; Secure; SameSite=Strict; Path=/auth";

pub fn read(headers: &HeaderMap) -> Option<Secret> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == NAME && !value.is_empty())
        .map(|(_, value)| Secret::new(value.to_owned()))
}

pub fn set(headers: &mut HeaderMap, token: &Secret, max_age_seconds: u64) {
    let cookie = format!("{NAME}={}; {ATTRIBUTES}; Max-Age={max_age_seconds}", token.expose());
    append(headers, &cookie);
}

/// The same name and attributes, or the browser would keep the old one.
pub fn clear(headers: &mut HeaderMap) {
    append(headers, &format!("{NAME}=; {ATTRIBUTES}; Max-Age=0"));
}

fn append(headers: &mut HeaderMap, cookie: &str) {
    let mut value = HeaderValue::from_str(cookie).expect("a cookie of visible characters");
    value.set_sensitive(true);
    headers.append(SET_COOKIE, value);
}
