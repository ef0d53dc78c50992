//! Composes the manager's own calls: header fields, body, and how far the call follows redirects.

use super::endpoint::{Carrier, Content, Endpoint, Sends};
use super::header_fields::{Cookies, Set, behind, is_of, proofs};
use super::options::Options;
use super::secret::Secret;

impl Options {
    /// Composes the call. `token`: the token to send, if there is one; `page`: the page's own origin. Cookies
    /// are read now. `set` gets the header fields; of two with the same name, the later counts.
    pub(crate) fn compose<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        token: Option<&'a Secret>,
        page: Option<&str>,
        cookies: Cookies<'_>,
        set: Set<'_>,
    ) -> Composed<'a> {
        let csrf = endpoint.csrf.as_ref().or(self.csrf.as_ref());
        proofs(&endpoint.url, csrf, page, cookies, set);
        let is_revocation = endpoint.sends == Some(Sends::Token);
        let is_form = is_revocation || matches!(self.refresh_token, Carrier::Form(_));
        let mut fields: Option<Vec<(&str, &str)>> = None;
        if let Content::Fields(own) = &endpoint.content {
            let fields = fields.insert(Vec::new());
            for (name, value) in own {
                fields.push((name, value));
            }
        }
        let mut name = is_revocation.then_some("token");
        if let Some(token) = token {
            match &self.refresh_token {
                _ if endpoint.sends == Some(Sends::Access) => {
                    if let Some(value) = self.attach.value(token) {
                        set(&self.attach.name(), &value);
                    }
                }
                Carrier::Header(name, scheme) if !is_revocation => {
                    set(name, &behind(scheme.as_deref().unwrap_or_default(), token));
                }
                Carrier::Json(field) | Carrier::Form(field) => name = name.or(Some(field)),
                _ => {}
            }
            // A text body is sent unchanged.
            if let Some(name) = name
                && !matches!(endpoint.content, Content::Text(_))
            {
                fields.get_or_insert_default().push((name, token.reveal()));
            }
        }
        let body = match (fields, &endpoint.content) {
            (Some(fields), _) => {
                let media_type =
                    if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
                set("Content-Type", media_type);
                Payload::Fields(is_form, fields)
            }
            (None, Content::Text(text)) => Payload::Text(text),
            (None, _) => Payload::Empty,
        };
        for (name, value) in &endpoint.headers {
            set(name, value);
        }
        let is_own = page.is_some_and(|page| is_of(&endpoint.url, page));
        let stays = match token {
            None => Stays::Free,
            Some(_) if is_own => Stays::InOrigin,
            Some(_) => Stays::Put,
        };
        Composed { body, stays }
    }
}

/// The parts of a call, besides its URL, method and header fields.
pub(crate) struct Composed<'a> {
    pub(crate) body: Payload<'a>,
    pub(crate) stays: Stays,
}

/// How far a call follows redirects: a token in a header field or a body must not reach another origin
/// (Fetch, 4.4 drops neither).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stays {
    /// Anywhere: it carries no token and no proof.
    Free,
    /// Within the page's own origin, which is its target.
    InOrigin,
    /// Nowhere.
    Put,
}

/// A body. Only the platform can encode the fields.
pub(crate) enum Payload<'a> {
    Empty,
    Text(&'a str),
    /// Whether the fields are a form's (otherwise a JSON object's); names and values.
    Fields(bool, Vec<(&'a str, &'a str)>),
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Option<&str> = Some("https://app.test");

    /// The header fields, and the body in words.
    fn composed(endpoint: &Endpoint, options: &Options, token: Option<&str>) -> (String, String) {
        let token = token.map(|text| Secret::new(text.into()).unwrap());
        let jar = |name: &str| (name == "csrf").then(|| "17".to_owned());
        let mut headers = Vec::new();
        let set = &mut |name: &str, value: &str| headers.push(format!("{name}: {value}"));
        let Composed { body, .. } = options.compose(endpoint, token.as_ref(), PAGE, &jar, set);
        let body = match body {
            Payload::Empty => "nothing".to_owned(),
            Payload::Text(text) => format!("text {text}"),
            Payload::Fields(is_form, fields) => {
                format!("{} {fields:?}", if is_form { "form" } else { "json" })
            }
        };
        (headers.join("; "), body)
    }

    fn options(carrier: Carrier) -> Options {
        Options { refresh_token: carrier, ..Options::new("https://auth.test/refresh") }
    }

    #[test]
    fn a_call_to_the_pages_own_origin_has_a_field_that_no_form_can_send() {
        let options = options(Carrier::Cookie);
        for (url, headers) in [
            ("https://app.test/auth/refresh", "X-Requested-With: tokenkeep"),
            ("https://app.test.evil.test/", ""),
            ("https://auth.test/refresh", ""),
        ] {
            assert_eq!(composed(&Endpoint::new(url), &options, None).0, headers, "{url}");
        }
        let set = &mut |_: &str, _: &str| panic!("no page, no origin");
        proofs("https://app.test/", None, None, &|_| None, set);
    }

    #[test]
    fn double_submit_is_set_by_the_call_or_else_by_the_options() {
        let csrf = |header: &str| Some(("csrf".to_owned(), header.to_owned()));
        let options = Options { csrf: csrf("X-CSRF"), ..options(Carrier::Cookie) };
        let endpoint = Endpoint::new("https://auth.test/refresh");
        assert_eq!(composed(&endpoint, &options, None).0, "X-CSRF: 17");
        let own = Endpoint { csrf: csrf("X-Own"), ..endpoint };
        assert_eq!(composed(&own, &options, None).0, "X-Own: 17");
    }

    #[test]
    fn the_refresh_token_is_sent_where_its_carrier_says() {
        let endpoint = Endpoint::new("https://auth.test/refresh");
        let header = Carrier::Header("X-Refresh".into(), Some("Bearer".into()));
        for (carrier, headers, body) in [
            (Carrier::Cookie, "", "nothing"),
            (
                Carrier::Json("refresh".into()),
                "Content-Type: application/json",
                r#"json [("refresh", "abc")]"#,
            ),
            (
                Carrier::Form("refresh_token".into()),
                "Content-Type: application/x-www-form-urlencoded",
                r#"form [("refresh_token", "abc")]"#,
            ),
            (header, "X-Refresh: Bearer abc", "nothing"),
            (Carrier::Header("X-Refresh".into(), None), "X-Refresh: abc", "nothing"),
        ] {
            let made = composed(&endpoint, &options(carrier), Some("abc"));
            assert_eq!(made, (headers.to_owned(), body.to_owned()));
        }
    }

    #[test]
    fn the_token_comes_after_the_fields_of_the_body() {
        let mut endpoint = Endpoint::new("https://auth.test/refresh");
        endpoint.content = Content::Fields(vec![("grant_type".into(), "refresh_token".into())]);
        let form = options(Carrier::Form("refresh_token".into()));
        let (_, body) = composed(&endpoint, &form, Some("abc"));
        assert_eq!(body, r#"form [("grant_type", "refresh_token"), ("refresh_token", "abc")]"#);
        let (_, body) = composed(&endpoint, &options(Carrier::Cookie), None);
        assert_eq!(body, r#"json [("grant_type", "refresh_token")]"#);
    }

    #[test]
    fn a_text_body_is_sent_unchanged() {
        let mut endpoint = Endpoint::new("https://auth.test/refresh");
        endpoint.content = Content::Text("<x/>".into());
        let made = composed(&endpoint, &options(Carrier::Json("refresh".into())), Some("abc"));
        assert_eq!(made, (String::new(), "text <x/>".to_owned()));
    }

    #[test]
    fn a_logout_sends_the_configured_token() {
        let logout =
            |sends| Endpoint { sends: Some(sends), ..Endpoint::new("https://auth.test/out") };
        let header = options(Carrier::Header("X-Refresh".into(), None));
        let sent = |sends| composed(&logout(sends), &header, Some("abc"));
        assert_eq!(sent(Sends::Access).0, "Authorization: Bearer abc");
        assert_eq!(sent(Sends::Refresh).0, "X-Refresh: abc");
        let (headers, body) = sent(Sends::Token);
        assert_eq!(headers, "Content-Type: application/x-www-form-urlencoded");
        assert_eq!(body, r#"form [("token", "abc")]"#);
        let (_, body) =
            composed(&logout(Sends::Token), &options(Carrier::Json("r".into())), Some("abc"));
        assert_eq!(body, r#"form [("token", "abc")]"#, "whatever the refresh does (RFC 7009, 2.1)");
    }

    #[test]
    fn a_token_follows_no_redirect_to_another_origin() {
        let json = options(Carrier::Json("refresh".into()));
        let stays = |url: &str, token: Option<&str>, page: Option<&str>| {
            let token = token.map(|text| Secret::new(text.into()).unwrap());
            json.compose(&Endpoint::new(url), token.as_ref(), page, &|_| None, &mut |_, _| {}).stays
        };
        assert_eq!(stays("https://app.test/refresh", Some("abc"), PAGE), Stays::InOrigin);
        assert_eq!(stays("https://auth.test/refresh", Some("abc"), PAGE), Stays::Put);
        assert_eq!(stays("https://app.test/refresh", Some("abc"), None), Stays::Put);
        assert_eq!(stays("https://app.test/refresh", None, PAGE), Stays::Free);
    }

    #[test]
    fn the_users_own_header_fields_come_last() {
        let mut endpoint = Endpoint::new("https://app.test/auth/refresh");
        endpoint.headers = vec![("X-Requested-With".into(), "XMLHttpRequest".into())];
        let (headers, _) = composed(&endpoint, &options(Carrier::Cookie), None);
        assert_eq!(headers, "X-Requested-With: tokenkeep; X-Requested-With: XMLHttpRequest");
    }
}
