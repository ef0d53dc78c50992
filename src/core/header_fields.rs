//! Header fields of requests: those that carry a token, and those that prove that a page of the app made the call.

use zeroize::Zeroizing;

use super::secret::Secret;
use super::text::concat;

/// A header field to send, name and value. The value may be a token, so it is wiped afterwards.
pub(crate) type Sent = (String, Zeroizing<String>);

/// Sets a header field.
pub(crate) type Set<'a> = &'a mut dyn FnMut(&str, &str);

/// Reads a cookie that scripts may read.
pub(crate) type Cookies<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Sets the header fields that prove to the server that no foreign page made a call: to the page's own origin, a
/// field that forms cannot send; and double submit.
pub(crate) fn proofs(
    url: &str,
    csrf: Option<&(String, String)>,
    page: Option<&str>,
    cookies: Cookies<'_>,
    set: Set<'_>,
) {
    if page.is_some_and(|page| is_of(url, page)) {
        set("X-Requested-With", "tokenkeep");
    }
    if let Some((name, value)) = csrf.and_then(|csrf| proof(csrf, cookies)) {
        set(&name, &value);
    }
}

/// Whether a URL, as the platform serialised it, has this origin.
pub(super) fn is_of(url: &str, origin: &str) -> bool {
    url.strip_prefix(origin).is_some_and(|rest| rest.starts_with('/'))
}

/// The header field for double submit, with the current value of its cookie.
pub(super) fn proof((cookie, header): &(String, String), cookies: Cookies<'_>) -> Option<Sent> {
    let value = cookies(cookie).filter(|value| is_field_value(value))?;
    Some((header.clone(), Zeroizing::new(value)))
}

/// A token after its scheme, if there is a scheme.
pub(super) fn behind(scheme: &str, token: &Secret) -> Zeroizing<String> {
    Zeroizing::new(concat(&[scheme, if scheme.is_empty() { "" } else { " " }, token.reveal()]))
}

/// `field-value` (RFC 9110, 5.5), without the obsolete bytes above ASCII.
pub(super) fn is_field_value(text: &str) -> bool {
    text.bytes().all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_value_that_is_invalid_in_a_header_is_left_out() {
        let csrf = ("csrf".to_owned(), "X-CSRF".to_owned());
        assert_eq!(proof(&csrf, &|_| Some("a\r\nb".to_owned())), None);
        assert_eq!(proof(&csrf, &|_| Some("a b".to_owned())).unwrap().1.as_str(), "a b");
    }
}
