//! Access tokens: which of them the API accepts, and how it refuses others.

use std::time::Duration;

use axum::http::StatusCode;
use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use tokenkeep_server::config::TokenKind;

use crate::{
    harness::{ADMIN, Setup},
    on_all_stores,
};

pub const KINDS: [TokenKind; 2] = [TokenKind::Jwt, TokenKind::Opaque];

on_all_stores!(
    an_access_token_expires,
    the_api_answers_with_the_tokens_user,
    a_request_without_a_token_gets_the_plain_challenge,
    a_bad_token_gets_invalid_token,
    a_user_without_the_role_gets_403_and_nothing_about_the_token,
    a_jwt_can_be_verified_with_the_published_key,
    a_jwt_that_was_changed_or_signed_by_another_key_is_refused,
    an_opaque_token_reveals_nothing_and_needs_no_key,
    the_echo_contains_the_digest_of_what_was_sent,
);

async fn an_access_token_expires(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        let session = server.login().await;
        setup.pass(Duration::from_millis(299_999));
        assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
        setup.pass(Duration::from_millis(1));
        let answer = server.me(&session.access).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.error(), "invalid_token");
        assert!(answer.header("www-authenticate").starts_with(
            r#"Bearer realm="tokenkeep", error="invalid_token", error_description=""#
        ));
    }
}

async fn the_api_answers_with_the_tokens_user(setup: Setup) {
    let server = setup.server().await;
    let session = server.login_as(ADMIN).await;
    let me = server.me(&session.access).send().await.json();
    assert_eq!(me["name"], "admin");
    assert_eq!(me["roles"], json!(["user", "admin"]));
    let item = server.get("/api/items/7").bearer(&session.access);
    assert_eq!(item.send().await.json(), json!({ "n": 7 }));
    // RFC 9110 section 11.1: the scheme is case-insensitive.
    let lower =
        server.get("/api/me").header("authorization", &format!("bearer {}", session.access));
    assert_eq!(lower.send().await.status, StatusCode::OK);
}

async fn a_request_without_a_token_gets_the_plain_challenge(setup: Setup) {
    let server = setup.server().await;
    for call in [
        server.get("/api/me"),
        server.get("/api/me").basic("alice", "wonderland"),
        server.get("/api/me").header("authorization", "Bearer"),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, r#"Bearer realm="tokenkeep""#);
    }
}

async fn a_bad_token_gets_invalid_token(setup: Setup) {
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        for token in ["x", "a.b.c", "..", "é", &"x".repeat(8_000)] {
            let answer = server.me(token).send().await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
            if token != "é" {
                assert_eq!(answer.error(), "invalid_token");
            }
        }
    }
}

async fn a_user_without_the_role_gets_403_and_nothing_about_the_token(setup: Setup) {
    let server = setup.server().await;
    let (alice, admin) = (server.login().await, server.login_as(ADMIN).await);
    let answer = server.get("/api/admin").bearer(&alice.access).send().await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.error(), "insufficient_scope");
    assert_eq!(
        answer.header("www-authenticate"),
        r#"Bearer realm="tokenkeep", error="insufficient_scope", scope="admin""#
    );
    let answer = server.get("/api/admin").bearer(&admin.access).send().await;
    assert_eq!(answer.status, StatusCode::OK);
}

async fn a_jwt_can_be_verified_with_the_published_key(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let set = server.get("/auth/jwks.json").send().await.json();
    let key = &set["keys"][0];
    let (signed, signature) = session.access.rsplit_once('.').expect("a JWT");
    let (header, claims) = signed.split_once('.').expect("a JWT");

    let header = decode(header);
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["kid"], key["kid"]);
    assert_eq!((&key["kty"], &key["crv"]), (&json!("OKP"), &json!("Ed25519")));
    public(key)
        .verify_strict(
            signed.as_bytes(),
            &Signature::from_slice(&bytes(signature)).expect("64 bytes"),
        )
        .expect("the signature is the key's");
    let claims = decode(claims);
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["roles"], json!(["user"]));
    assert_eq!(claims["iat"], setup.now() / 1000);
    assert_eq!(claims["exp"], setup.now() / 1000 + 300);
    assert!(claims["jti"].is_string());
}

async fn a_jwt_that_was_changed_or_signed_by_another_key_is_refused(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let parts: Vec<&str> = session.access.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("no JWT");
    };
    let mut richer = decode(claims);
    richer["roles"] = json!(["user", "admin"]);
    let richer = encode(&richer);
    let mut none = decode(header);
    none["alg"] = json!("none");
    let none = encode(&none);
    let thief = SigningKey::from_bytes(&[7; 32]);
    let signed = format!("{header}.{richer}");
    let forged = Base64UrlUnpadded::encode_string(&thief.sign(signed.as_bytes()).to_bytes());

    for token in [
        format!("{header}.{richer}.{signature}"),
        format!("{none}.{richer}."),
        format!("{none}.{claims}.{signature}"),
        format!("{header}.{richer}.{forged}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
    ] {
        let answer = server.me(&token).send().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.error(), "invalid_token");
    }
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
}

async fn an_opaque_token_reveals_nothing_and_needs_no_key(setup: Setup) {
    let server = setup.server_with(|config| config.tokens = TokenKind::Opaque).await;
    let session = server.login().await;
    assert_eq!(session.access.len(), 43);
    assert!(!session.access.contains('.'));
    let keys = server.get("/auth/jwks.json").send().await.json();
    assert_eq!(keys, json!({ "keys": [] }));
}

async fn the_echo_contains_the_digest_of_what_was_sent(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let answer =
        server.post("/api/echo").bearer(&session.access).body("text/plain", "abc").send().await;
    assert_eq!(
        answer.json(),
        json!({
            "method": "POST",
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "bytes": 3,
            "contentType": "text/plain",
        })
    );
}

fn bytes(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).expect("base64url")
}

pub fn decode(part: &str) -> Value {
    serde_json::from_slice(&bytes(part)).expect("JSON")
}

fn encode(part: &Value) -> String {
    Base64UrlUnpadded::encode_string(part.to_string().as_bytes())
}

fn public(key: &Value) -> VerifyingKey {
    let x = bytes(key["x"].as_str().expect("x"));
    VerifyingKey::try_from(&x[..]).expect("a key")
}
