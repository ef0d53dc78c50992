//! Key-bound tokens: the platform signs with the key, stores it, and reveals it to nobody.

use tokenkeep::{Code, DpopKeys, TokenManager};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::Response;

use crate::support::{Call, Server, answer, json, own, without};

#[wasm_bindgen(inline_js = "
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
  export async function proven(proof, token) {
    const [header, payload, signature] = proof.split('.')
    const { typ, alg, jwk } = JSON.parse(new TextDecoder().decode(bytes(header)))
    const { htm, htu, jti, ath } = JSON.parse(new TextDecoder().decode(bytes(payload)))
    const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
    const text = new TextEncoder()
    const isSigned = await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes(signature), text.encode(`${header}.${payload}`))
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text.encode(token ?? '')))
    const isOfToken = token === undefined ? ath === undefined : bytes(ath).join() === digest.join()
    return `${isSigned} ${isOfToken} ${typ} ${alg} ${htm} ${htu} ${jti.length} ${Object.keys(jwk).sort()} ${jwk.x}`
  }
")]
extern "C" {
    /// The contents of a proof, and whether it is signed, and for this token; the key's name is at the end.
    #[wasm_bindgen(js_name = proven)]
    fn proven_promise(proof: &str, token: Option<&str>) -> js_sys::Promise;
}

/// The key that proves a call. The call must have a proof.
async fn key(call: &Call, method: &str, url: &str, token: Option<&str>) -> String {
    let proof = call.header("DPoP").expect("a proof");
    let said = JsFuture::from(proven_promise(&proof, token)).await.unwrap().as_string().unwrap();
    let (said, key) = said.rsplit_once(' ').unwrap();
    assert_eq!(said, format!("true true dpop+jwt ES256 {method} {url} 22 crv,kty,x,y"));
    key.to_owned()
}

fn bound(token: &str) -> Response {
    json(200, &format!(r#"{{"access_token":"{token}","token_type":"dpop","expires_in":300}}"#))
}

fn manager(server: &Server, keys: DpopKeys) -> TokenManager {
    server.manager(|options| options.dpop = Some(keys))
}

async fn signs_in(server: &Server, auth: &TokenManager, token: &str) -> String {
    let login = server.login(auth);
    let call = server.call("login").await;
    let key = key(&call, "POST", &server.url("login"), None).await;
    call.answer(&bound(token));
    login.outcome().await.unwrap();
    key
}

async fn calls(server: &Server, auth: &TokenManager, token: &str) -> String {
    let response = server.get(auth, "api/me");
    let call = server.call("api/me").await;
    assert_eq!(call.token(), Some(format!("DPoP {token}")));
    let key = key(&call, "GET", &server.url("api/me"), Some(token)).await;
    call.answer(&json(200, "{}"));
    assert_eq!(response.outcome().await.unwrap().status(), 200);
    key
}

#[wasm_bindgen_test]
async fn a_call_is_proved_by_the_key_of_the_login() {
    for keys in [DpopKeys::Stored, DpopKeys::Memory] {
        let server = Server::new();
        let auth = manager(&server, keys);
        let key = signs_in(&server, &auth, "one").await;
        assert_eq!(calls(&server, &auth, "one").await, key);
        let again = signs_in(&server, &auth, "two").await;
        assert_ne!(again, key, "a login renews it");
        assert_eq!(calls(&server, &auth, "two").await, again);
    }
}

#[wasm_bindgen_test]
async fn the_next_page_has_the_stored_key() {
    for (keys, is_kept) in [(DpopKeys::Stored, true), (DpopKeys::Memory, false)] {
        let server = Server::new();
        let auth = manager(&server, keys);
        let key_of_login = signs_in(&server, &auth, "one").await;
        drop(auth);
        let auth = manager(&server, keys);
        let refreshed = server.refresh(&auth);
        let call = server.call("refresh").await;
        let key = key(&call, "POST", &server.url("refresh"), None).await;
        assert_eq!(key == key_of_login, is_kept);
        call.answer(&bound("two"));
        refreshed.outcome().await.unwrap();
        assert_eq!(calls(&server, &auth, "two").await, key);
    }
}

#[wasm_bindgen_test]
async fn a_required_nonce_is_sent_without_a_refresh() {
    let server = Server::new();
    let auth = manager(&server, DpopKeys::Memory);
    signs_in(&server, &auth, "one").await;
    let response = server.get(&auth, "api/me");
    let call = server.call("api/me").await;
    let first = call.header("DPoP");
    let fields = [("WWW-Authenticate", r#"DPoP error="use_dpop_nonce""#), ("DPoP-Nonce", "n1")];
    call.answer(&answer(401, &fields, None));
    let call = server.call("api/me").await;
    assert_ne!(call.header("DPoP"), first);
    key(&call, "GET", &server.url("api/me"), Some("one")).await;
    call.answer(&json(200, "{}"));
    assert_eq!(response.outcome().await.unwrap().status(), 200);
    server.is_left_alone().await;
}

#[wasm_bindgen_test]
async fn without_cryptography_nothing_is_sent() {
    let server = Server::new();
    let auth = manager(&server, DpopKeys::Memory);
    let lacking = without(["crypto", "subtle"]);
    let login = server.login(&auth);
    assert_eq!(login.outcome().await.unwrap_err().code(), Code::NoKey);
    let response = server.get(&auth, "api/me");
    assert_eq!(own(response.outcome().await.unwrap_err()).code(), Code::NoKey);
    server.is_left_alone().await;
    drop(lacking);
}
