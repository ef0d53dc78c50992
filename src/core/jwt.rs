//! Reads the payload of a JWT, to show it to the app and for `exp`. Nothing is verified: that is the API's
//! job. A token that is not a JWT is a valid opaque token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::text::pieces;

/// The payload of a JWT in compact form (RFC 7519, 3; RFC 7515, 3.1) as UTF-8 text, or `None` if the token
/// does not have that form. Whether the text is a JSON object is left to the JSON parser.
pub fn payload(token: &str) -> Option<String> {
    let mut parts = pieces(token, ".");
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_of_the_example_in_the_specification_is_read() {
        // RFC 7519, 3.1
        let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let text = payload(token).unwrap();
        assert!(text.starts_with(r#"{"iss":"joe","#));
        assert!(text.contains(r#""exp":1300819380"#));
    }

    #[test]
    fn a_token_without_the_form_of_a_jwt_is_opaque() {
        for token in ["", "opaque", "a.b", "a.b.c.d.e", "a.!!.c", "a.gA.c", "..."] {
            assert_eq!(payload(token), None, "{token}");
        }
        assert_eq!(payload("..").as_deref(), Some(""));
    }
}
