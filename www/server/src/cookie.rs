//! The refresh token's cookie, and the reason for each of its attributes:
//! `HttpOnly`: no script can read it. `Secure`: never sent over plain HTTP (browsers treat http://127.0.0.1
//! as secure). `SameSite=Strict`: no other site's page can make a browser send it. No `Domain`: this host
//! only. `__Host-` in the name: only this host can have set it. With `__Secure-` a sibling subdomain could
//! plant its own session here, and the user would work in the attacker's account. The prefix requires
//! `Path=/`, so the API receives the cookie, too, and ignores it. See RFC 6265bis sections 4 and 5.

use std::time::Duration;

use axum::http::{
    HeaderMap, HeaderValue,
    header::{COOKIE, SET_COOKIE},
};

use crate::secret::Secret;

pub const NAME: &str = "__Host-refresh";
const ATTRIBUTES: &str = "HttpOnly; Secure; SameSite=Strict; Path=/";

/// A browser has one cookie of this name. If two are sent, one was planted, and nobody can tell which.
pub fn read(headers: &HeaderMap) -> Option<Secret> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, value)| *name == NAME && !value.is_empty())
        .map(|(_, value)| value);
    let first = found.next()?;
    found.all(|other| other == first).then(|| Secret::new(first.to_owned()))
}

/// Without a lifetime the cookie ends with the browser's session.
pub fn set(headers: &mut HeaderMap, token: &Secret, life: Option<Duration>) {
    let max_age = life.map(|life| format!("; Max-Age={}", life.as_secs())).unwrap_or_default();
    append(headers, &format!("{NAME}={}; {ATTRIBUTES}{max_age}", token.expose()));
}

/// Same name and attributes; otherwise the browser would keep the old cookie.
pub fn clear(headers: &mut HeaderMap) {
    append(headers, &format!("{NAME}=; {ATTRIBUTES}; Max-Age=0"));
}

fn append(headers: &mut HeaderMap, cookie: &str) {
    let mut value = HeaderValue::from_str(cookie).expect("a cookie of visible characters");
    value.set_sensitive(true);
    headers.append(SET_COOKIE, value);
}
