//! A DPoP proof (RFC 9449 section 4): a JWT with which the sender of a request shows possession of a private
//! key.
//!
//! Only ES256, with which every browser's WebCrypto can sign. The algorithm and the type are required; they
//! are never taken from the proof, as in `tokens/jwt.rs`.

use axum::http::Uri;
use base64ct::{Base64UrlUnpadded, Encoding};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The accepted signature algorithms, as RFC 9449 section 5.1 and `WWW-Authenticate` list them.
pub const ALGORITHM: &str = "ES256";

/// The members of private and symmetric keys (RFC 7518 section 6): a sender who reveals one has not
/// understood what a proof is for.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const MALFORMED: &str = "The DPoP proof is malformed";

/// The contents of a proof whose signature was verified.
pub struct Proof {
    /// The thumbprint of the key that signed it (RFC 7638).
    pub jkt: String,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Map<String, Value>,
    /// Extensions that must be understood (RFC 7515 section 4.1.11); none is.
    crit: Option<Value>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    /// Seconds, with fractions (`NumericDate`, RFC 7519 section 2).
    iat: f64,
    ath: Option<String>,
    nonce: Option<String>,
}

impl Proof {
    /// Reads and verifies a proof. The error says what is wrong, and quotes nothing.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let (signed, signature) = text.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = signed.split_once('.').ok_or(MALFORMED)?;
        let header: Header = json(header).ok_or(MALFORMED)?;
        if header.typ != "dpop+jwt" || header.crit.is_some() {
            return Err(MALFORMED);
        }
        if header.alg != ALGORITHM {
            return Err("The DPoP proof is not signed with ES256");
        }
        let key = Key::of(&header.jwk).ok_or("The DPoP proof has no public key of P-256")?;
        let signature = Base64UrlUnpadded::decode_vec(signature).map_err(|_| MALFORMED)?;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| "The DPoP proof's signature is wrong")?;
        let claims: Claims = json(claims).ok_or(MALFORMED)?;
        if claims.jti.is_empty() {
            return Err(MALFORMED);
        }
        Ok(Self { jkt: key.thumbprint, claims })
    }

    /// A unique name for this proof, of fixed length.
    pub fn id(&self) -> String {
        crate::random::digest(&format!("{} {}", self.jkt, self.claims.jti))
    }

    /// Whether the proof was made for this method. Methods are case-sensitive (RFC 9110 section 9.1).
    pub fn is_for_method(&self, method: &str) -> bool {
        self.claims.htm == method
    }

    /// The origin and the path that the proof was made for. Query and fragment do not count (section 4.3).
    pub fn target(&self) -> Option<(String, String)> {
        let uri = self.claims.htu.split(['?', '#']).next()?.parse().ok()?;
        Some((origin(&uri)?, uri.path().to_owned()))
    }

    /// Whether it was made at about this time. Milliseconds.
    pub fn is_of_time(&self, now: u64, around: u64) -> bool {
        (self.claims.iat * 1000.0 - now as f64).abs() <= around as f64
    }

    /// Whether it belongs to this access token.
    pub fn is_for_token(&self, token: &str) -> bool {
        let hash = Base64UrlUnpadded::encode_string(&Sha256::digest(token.as_bytes()));
        self.claims.ath.as_deref() == Some(&hash)
    }

    pub fn nonce(&self) -> Option<&str> {
        self.claims.nonce.as_deref()
    }
}

/// The origin of a URI in canonical form: in lower case, without the default port (RFC 3986 section 6.2).
pub fn origin(uri: &Uri) -> Option<String> {
    let (scheme, authority) = (uri.scheme_str()?.to_ascii_lowercase(), uri.authority()?);
    if authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    Some(match (scheme.as_str(), authority.port_u16()) {
        ("http", Some(80)) | ("https", Some(443)) | (_, None) => format!("{scheme}://{host}"),
        (_, Some(port)) => format!("{scheme}://{host}:{port}"),
    })
}

struct Key {
    /// In ring's form: uncompressed (SEC 1 section 2.3.3).
    point: Vec<u8>,
    thumbprint: String,
}

impl Key {
    fn of(jwk: &Map<String, Value>) -> Option<Self> {
        let text = |name| jwk.get(name).and_then(Value::as_str);
        if text("kty") != Some("EC")
            || text("crv") != Some("P-256")
            || PRIVATE.iter().any(|name| jwk.contains_key(*name))
        {
            return None;
        }
        let (x, y) = (text("x")?, text("y")?);
        let mut point = vec![4];
        for coordinate in [x, y] {
            let bytes = Base64UrlUnpadded::decode_vec(coordinate).ok()?;
            point.extend(<[u8; 32]>::try_from(bytes).ok()?);
        }
        // RFC 7638: the required members, in this order and without spaces. The decoder accepts only one
        // spelling of each number, so a key has exactly one thumbprint.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let thumbprint = Base64UrlUnpadded::encode_string(&Sha256::digest(members.as_bytes()));
        Some(Self { point, thumbprint })
    }
}

fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9449 section 4.1, figure 2.
    const EXAMPLE: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

    #[test]
    fn the_example_of_rfc_9449_is_read_and_its_key_has_the_rfcs_thumbprint() {
        let Ok(proof) = Proof::read(EXAMPLE) else {
            panic!("it is not verified");
        };
        // Section 6.1, figure 9: the token that is bound to this key.
        assert_eq!(proof.jkt, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert!(proof.is_for_method("POST") && !proof.is_for_method("post"));
        let target = ("https://server.example.com".to_owned(), "/token".to_owned());
        assert_eq!(proof.target(), Some(target));
        let made = 1_562_262_616_000;
        assert!(proof.is_of_time(made + 60_000, 60_000) && proof.is_of_time(made - 60_000, 60_000));
        assert!(!proof.is_of_time(made + 60_001, 60_000));
        assert!(!proof.is_of_time(made - 60_001, 60_000));
        assert!(!proof.is_for_token("any"));
        assert_eq!(proof.nonce(), None);
    }

    #[test]
    fn an_origin_has_one_canonical_form() {
        for (address, spelled) in [
            ("HTTPS://Auth.Example:443/a", Some("https://auth.example")),
            ("http://auth.example:443/a", Some("http://auth.example:443")),
            ("http://[::1]:8080/", Some("http://[::1]:8080")),
            ("https://user@auth.example/", None),
            ("/a", None),
        ] {
            let found = address.parse().ok().and_then(|uri| origin(&uri));
            assert_eq!(found.as_deref(), spelled, "{address}");
        }
    }
}
