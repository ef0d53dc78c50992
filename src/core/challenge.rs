//! Reads `WWW-Authenticate` (RFC 9110, 11.6.1), to tell an expired token from a refusal that no new token can
//! cure.

use super::text::{find_any, is_tchar, split_at_any, trim_start};

/// One challenge of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme in lower case, because schemes are case-insensitive (RFC 9110, 11.1).
    pub scheme: String,
    /// The parameters: names in lower case, values unquoted.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a new token of the same grant would not cure the refusal: it asks for more scope (RFC 6750,
    /// 3.1), a stronger or newer login (RFC 9470, 3), other claims (OpenID Connect CAEP), a proof with
    /// another nonce (RFC 9449, 9), or another proof.
    pub fn is_beyond_a_refresh(&self) -> bool {
        matches!(
            self.get("error"),
            Some(
                "insufficient_scope"
                    | "insufficient_user_authentication"
                    | "insufficient_claims"
                    | "use_dpop_nonce"
                    | "invalid_dpop_proof"
            )
        )
    }
}

/// The challenges in the value of one or several `WWW-Authenticate` fields. Servers send malformed values
/// here: unreadable parts are skipped, and nothing fails.
pub fn challenges(value: &str) -> Vec<Challenge> {
    let mut list: Vec<Challenge> = Vec::new();
    let mut rest = value;
    loop {
        rest = trim_start(rest, " \t,");
        if rest.is_empty() {
            return list;
        }
        let (word, after) = token(rest);
        if word.is_empty() {
            // Neither a scheme nor a parameter: continue after the next comma.
            rest = split_at_any(rest, ",").1;
            continue;
        }
        let spaced = trim_start(after, " \t");
        if let (Some(value), Some(last)) = (spaced.strip_prefix('='), list.last_mut())
            && !value.starts_with('=')
        {
            let (value, after) = parameter(trim_start(value, " \t"));
            last.parameters.push((word.to_ascii_lowercase(), value));
            rest = after;
        } else {
            list.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
            rest = behind_token68(spaced);
        }
    }
}

/// Splits a `token` (RFC 9110, 5.6.2) off the front.
fn token(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| !is_tchar(byte)).unwrap_or(text.len()))
}

/// Takes a parameter's value, a token or a quoted string (RFC 9110, 5.6.4), off the front.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, after) = split_at_any(text, ", \t");
        return (value.to_owned(), after);
    };
    let mut value = String::new();
    let mut rest = quoted;
    loop {
        let (plain, special) = split_at_any(rest, "\"\\");
        value.push_str(plain);
        let Some(escaped) = special.strip_prefix('\\') else {
            return (value, special.get(1..).unwrap_or_default());
        };
        let end = (1..escaped.len()).find(|at| escaped.is_char_boundary(*at));
        let (character, after) = escaped.split_at(end.unwrap_or(escaped.len()));
        value.push_str(character);
        rest = after;
    }
}

/// Skips a `token68` (RFC 9110, 11.2) after a scheme: a word that is not a parameter, up to the comma.
fn behind_token68(text: &str) -> &str {
    let (word, after) = token(text);
    let after = trim_start(after, " \t");
    let is_parameter = !word.is_empty()
        && after.strip_prefix('=').is_some_and(|value| {
            !trim_start(value, "= \t").is_empty() && find_any(value, ",=") != Some(0)
        });
    if is_parameter || text.starts_with(',') { text } else { split_at_any(text, ",").1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(value: &str) -> Vec<(String, Option<String>)> {
        challenges(value)
            .into_iter()
            .map(|c| (c.scheme.clone(), c.get("error").map(str::to_owned)))
            .collect()
    }

    #[test]
    fn a_bearer_challenge_is_read() {
        let list = challenges(
            r#"Bearer realm="api", error="invalid_token", error_description="The \"token\", expired""#,
        );
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].scheme, "bearer");
        assert_eq!(list[0].get("error"), Some("invalid_token"));
        assert_eq!(list[0].get("error_description"), Some(r#"The "token", expired"#));
    }

    #[test]
    fn an_escaped_character_is_kept_whole() {
        let list = challenges(r#"Bearer a="\é\\x\"y", b="z""#);
        assert_eq!(list[0].get("a"), Some("é\\x\"y"));
        assert_eq!(list[0].get("b"), Some("z"));
    }

    #[test]
    fn two_challenges_in_one_field_are_read_as_two() {
        let list = challenges(
            r#"Bearer realm="https://op.test", error="invalid_token", DPoP algs="ES256 EdDSA""#,
        );
        assert_eq!(list.iter().map(|c| c.scheme.as_str()).collect::<Vec<_>>(), ["bearer", "dpop"]);
        assert_eq!(list[1].get("algs"), Some("ES256 EdDSA"));
        assert_eq!(list[1].get("error"), None);
    }

    #[test]
    fn a_token68_is_not_read_as_a_parameter() {
        assert_eq!(
            errors("Negotiate YWJj==, Basic , Bearer error=insufficient_scope"),
            [
                ("negotiate".into(), None),
                ("basic".into(), None),
                ("bearer".into(), Some("insufficient_scope".into())),
            ]
        );
    }

    #[test]
    fn refusals_that_a_refresh_cannot_cure_are_told_from_expiry() {
        for (value, beyond) in [
            (r#"Bearer error="insufficient_scope", scope="admin""#, true),
            (
                r#"Bearer error="insufficient_user_authentication", acr_values="x", max_age="5""#,
                true,
            ),
            (r#"Bearer realm="", error="insufficient_claims", claims="e30=""#, true),
            (r#"DPoP error="use_dpop_nonce", error_description="RS requires nonce""#, true),
            (r#"DPoP error="invalid_dpop_proof""#, true),
            (r#"DPoP error="invalid_token""#, false),
            (r#"Bearer error="invalid_token""#, false),
            ("Bearer", false),
            ("", false),
        ] {
            assert_eq!(
                challenges(value).iter().any(Challenge::is_beyond_a_refresh),
                beyond,
                "{value}"
            );
        }
    }

    #[test]
    fn malformed_values_neither_fail_nor_hang() {
        for value in [
            ",,,",
            "\"",
            "Bearer error=\"open",
            "=x",
            "Bearer =",
            "é",
            "a=b,c=d",
            "Bearer error = \"x\"",
            "\\",
            "Bearer \"\\",
        ] {
            challenges(value);
        }
        assert_eq!(challenges(r#"Bearer error = "x""#)[0].get("error"), Some("x"));
    }
}
