//! A client's key, and the proofs made with it (RFC 9449 section 4.2).

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use base64ct::{Base64UrlUnpadded, Encoding};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Server, Session, Setup};

/// The address of these tests' server, as browsers know it.
pub const ISSUER: &str = "https://auth.example";

static COUNT: AtomicUsize = AtomicUsize::new(0);

pub struct ClientKey(EcdsaKeyPair);

/// A proof before it is signed. A test changes only what it wants to be wrong.
pub struct Proof<'a> {
    key: &'a ClientKey,
    pub header: Value,
    pub claims: Value,
}

impl ClientKey {
    pub fn new() -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        Self(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("a key"))
    }

    pub fn jwk(&self) -> Value {
        let (x, y) = self.0.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y) })
    }

    /// RFC 7638.
    pub fn thumbprint(&self) -> String {
        // serde_json sorts the members of a JSON object, which is the order that the RFC requires.
        base64(&Sha256::digest(self.jwk().to_string().as_bytes()))
    }

    pub fn proof(&self, setup: &Setup, method: &str, path: &str) -> Proof<'_> {
        let jti = format!("proof-{}", COUNT.fetch_add(1, SeqCst));
        Proof {
            key: self,
            header: json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() }),
            claims: json!({
                "jti": jti, "htm": method, "htu": format!("{ISSUER}{path}"), "iat": setup.now() / 1000,
            }),
        }
    }

    /// Logs alice in, with a session bound to this key.
    pub async fn login(&self, setup: &Setup, server: &Server) -> Session {
        let proof = self.proof(setup, "POST", "/auth/login").sign();
        server.try_login(super::ALICE.0, super::ALICE.1).dpop(&proof).send().await.session()
    }

    pub async fn refresh(&self, setup: &Setup, server: &Server, cookie: &str) -> Answer {
        let proof = self.proof(setup, "POST", "/auth/refresh").sign();
        server.refresh(cookie).dpop(&proof).send().await
    }

    pub async fn me(&self, setup: &Setup, server: &Server, token: &str) -> Answer {
        let proof = self.proof(setup, "GET", "/api/me").of(token).sign();
        server.get("/api/me").bound(token, &proof).send().await
    }
}

impl Proof<'_> {
    pub fn with(mut self, claim: &str, value: impl Into<Value>) -> Self {
        self.claims[claim] = value.into();
        self
    }

    pub fn header(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.header[member] = value.into();
        self
    }

    /// For a call with that access token.
    pub fn of(self, token: &str) -> Self {
        self.with("ath", base64(&Sha256::digest(token.as_bytes())))
    }

    pub fn sign(&self) -> String {
        let part = |part: &Value| base64(part.to_string().as_bytes());
        let signed = format!("{}.{}", part(&self.header), part(&self.claims));
        let signature = self.key.0.sign(&SystemRandom::new(), signed.as_bytes());
        format!("{signed}.{}", base64(signature.expect("signed").as_ref()))
    }
}

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
