//! Signed access tokens: JWTs (RFC 7519) in the profile of RFC 9068, signed with Ed25519 (RFC 8037).
//!
//! Written out instead of taken from a library, because a server that reads only its own tokens needs so
//! little: one algorithm, its own keys, one type. All three are required; they are never taken from the token
//! (RFC 8725 sections 3.1 and 3.11).

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Access;
use crate::secret::Secret;

pub struct Signer {
    key: SigningKey,
    id: String,
    /// The encoded header: the same for every token.
    header: String,
}

impl Signer {
    pub fn new(seed: &[u8; 32]) -> Self {
        let key = SigningKey::from_bytes(seed);
        let id = thumbprint(&public(&key));
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": id });
        Self { header: base64(header.to_string().as_bytes()), key, id }
    }

    pub fn sign(&self, access: &Access) -> Secret {
        let claims = serde_json::to_vec(access).expect("claims are plain data");
        let signed = format!("{}.{}", self.header, base64(&claims));
        let signature = self.key.sign(signed.as_bytes());
        Secret::new(format!("{signed}.{}", base64(&signature.to_bytes())))
    }

    /// The contents of one of our tokens, expired or not.
    pub fn verify(&self, token: &str) -> Option<Access> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        // The header equals ours byte for byte, and so do the algorithm, the type and the key.
        if header != self.header {
            return None;
        }
        let signature: [u8; 64] = Base64UrlUnpadded::decode_vec(signature).ok()?.try_into().ok()?;
        self.key
            .verifying_key()
            .verify_strict(signed.as_bytes(), &Signature::from_bytes(&signature))
            .ok()?;
        let claims = Base64UrlUnpadded::decode_vec(claims).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    /// The public key.
    pub fn jwk(&self) -> Value {
        json!({
            "kty": "OKP", "crv": "Ed25519", "x": public(&self.key),
            "alg": "EdDSA", "use": "sig", "kid": self.id,
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }
}

/// The `kid` in a token's header.
pub fn key_id(token: &str) -> Option<String> {
    let (header, _) = token.split_once('.')?;
    let header: Value =
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(header).ok()?).ok()?;
    header["kid"].as_str().map(str::to_owned)
}

fn public(key: &SigningKey) -> String {
    base64(key.verifying_key().as_bytes())
}

/// RFC 7638: the digest of the key's required members, in this order and without spaces.
fn thumbprint(public: &str) -> String {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#);
    base64(&Sha256::digest(members.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_key_and_its_thumbprint_are_those_of_rfc_8037() {
        // RFC 8037 appendix A: the key, its public half and its thumbprint.
        let seed = Base64UrlUnpadded::decode_vec("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .expect("base64")
            .try_into()
            .expect("32 bytes");
        let signer = Signer::new(&seed);
        assert_eq!(public(&signer.key), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(signer.id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
    #[test]
    fn a_text_that_our_key_signed_for_another_purpose_is_not_an_access_token() {
        let signer = Signer::new(&[1; 32]);
        let access = Access {
            iss: "issuer".into(),
            aud: "api".into(),
            sub: "alice".into(),
            client_id: "web".into(),
            roles: Vec::new(),
            iat: 0,
            exp: 1,
            jti: "j".into(),
            sid: "s".into(),
            rev: 0,
            auth_time: 0,
            acr: "pwd".into(),
            cnf: None,
        };
        let other = Signer {
            key: signer.key.clone(),
            id: signer.id.clone(),
            header: base64(br#"{"alg":"EdDSA","typ":"JWT"}"#),
        };
        assert!(signer.verify(signer.sign(&access).expose()).is_some());
        assert!(signer.verify(other.sign(&access).expose()).is_none());
    }
}
