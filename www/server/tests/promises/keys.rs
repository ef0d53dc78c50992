//! Signing keys: several in the JWKS, one that takes over from another, and how they are stored.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::Value;
use tokenkeep_server::{app::App, config::Config, secret::Secret, serve};

use crate::{
    access::decode,
    harness::{CAROL, Server, Setup},
    login::contains,
    on_all_stores,
    second_factor::carol,
};

on_all_stores!(
    a_new_key_is_published_before_it_signs_and_no_token_is_refused,
    an_old_key_is_followed_by_another,
    with_a_secret_the_keys_are_sealed_and_unsealed_ones_are_not_trusted,
    after_a_change_of_secrets_the_old_one_still_opens,
    a_store_that_is_sealed_later_keeps_nothing_unsealed,
    a_token_for_another_audience_is_refused_here_and_accepted_there,
);

const MINUTE: Duration = Duration::from_secs(60);

async fn published(server: &Server) -> Vec<String> {
    let set = server.get("/auth/jwks.json").send().await.json();
    let keys = set["keys"].as_array().expect("keys");
    keys.iter().map(|key| key["kid"].as_str().expect("kid").to_owned()).collect()
}

fn key_of(token: &str) -> String {
    let header: Value = decode(token.split('.').next().expect("a JWT"));
    header["kid"].as_str().expect("kid").to_owned()
}

async fn rotate(setup: &Setup) -> String {
    serve::rotate_key(setup.config()).await.expect("a new key")
}

async fn a_new_key_is_published_before_it_signs_and_no_token_is_refused(setup: Setup) {
    let (one, app) = setup.server_and_app().await;
    let old = one.login().await;
    let first = key_of(&old.access);
    let second = rotate(&setup).await;
    // An instance that started since knows the new key at once, and the others within a minute.
    let two = setup.server().await;
    app.housekeeping().await.expect("done");
    for server in [&one, &two] {
        assert_eq!(published(server).await, [second.clone(), first.clone()]);
        assert_eq!(key_of(&server.login().await.access), first);
    }

    setup.pass(10 * MINUTE);
    let new = two.login().await;
    assert_eq!(key_of(&new.access), second);
    assert_eq!(one.me_status(&new.access).await, StatusCode::OK);
    setup.pass(5 * MINUTE);
    app.housekeeping().await.expect("done");
    assert_eq!(published(&one).await.len(), 2, "its last tokens have just ended");
    setup.pass(6 * MINUTE);
    app.housekeeping().await.expect("done");
    assert_eq!(published(&one).await, [second]);
}

async fn an_old_key_is_followed_by_another(setup: Setup) {
    let (server, app) = setup.server_and_app().await;
    let first = published(&server).await;
    setup.pass(90 * 24 * 60 * MINUTE);
    let session = server.login().await;
    app.housekeeping().await.expect("done");
    let both = published(&server).await;
    assert_eq!((both.len(), &both[1]), (2, &first[0]));
    app.housekeeping().await.expect("done");
    assert_eq!(published(&server).await, both);
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
}

fn sealed(letters: &'static [char]) -> impl Fn(&mut Config) {
    move |config| {
        config.key_secrets =
            letters.iter().map(|letter| Secret::new(letter.to_string().repeat(32))).collect();
    }
}

async fn with_a_secret_the_keys_are_sealed_and_unsealed_ones_are_not_trusted(setup: Setup) {
    let plain = setup.server().await;
    let session = plain.login().await;
    let ring = async || setup.store().await.keyring().await.expect("asked").expect("keys");
    assert!(ring().await.starts_with("plain."));
    let server = setup.server_with(sealed(&['a'])).await;
    assert!(ring().await.starts_with("sealed."));
    assert_eq!(server.me_status(&session.access).await, StatusCode::UNAUTHORIZED);
    server.login().await;

    let mut config = setup.config();
    sealed(&['b'])(&mut config);
    let error = App::open(config).await.err().expect("another secret").to_string();
    assert!(error.contains("--key-secret-file"), "{error}");
}

async fn after_a_change_of_secrets_the_old_one_still_opens(setup: Setup) {
    let before = setup.server_with(sealed(&['a'])).await;
    let session = before.login().await;
    let after = setup.server_with(sealed(&['b', 'a'])).await;
    assert_eq!(after.me_status(&session.access).await, StatusCode::OK);

    let mut config = setup.config();
    sealed(&['b', 'a'])(&mut config);
    serve::rotate_key(config).await.expect("a new key");
    let alone = setup.server_with(sealed(&['b'])).await;
    assert_eq!(alone.me_status(&session.access).await, StatusCode::OK);
}

async fn a_store_that_is_sealed_later_keeps_nothing_unsealed(setup: Setup) {
    let before = setup.server().await;
    assert!(setup.user(CAROL.0).await.second_factor.starts_with("plain."));
    // SQLite empties its journal when the last process closes the file.
    drop(before);
    let server = setup.server_with(sealed(&['a'])).await;
    carol(&server, &setup).await;
    let kept = setup.user(CAROL.0).await.second_factor;
    assert!(kept.starts_with("sealed."));
    // Accounts are added once, and stay as they are.
    let again = setup.server_with(sealed(&['a'])).await;
    assert_eq!(setup.user(CAROL.0).await.second_factor, kept);
    drop((server, again));
    // All tests share the cluster.
    if setup.scheme() != "redis+cluster" {
        let bytes = setup.store_bytes();
        assert!(contains(&bytes, "sealed.") && !contains(&bytes, "plain."));
    }
}

async fn a_token_for_another_audience_is_refused_here_and_accepted_there(setup: Setup) {
    let server = setup
        .server_with(|config| config.audiences = vec![("billing".into(), "billing-api".into())])
        .await;
    let fields = [("username", "alice"), ("password", "wonderland"), ("client_id", "billing")];
    let session = server.post("/auth/login").form(&fields).send().await.session();
    assert_eq!(server.me(&session.access).send().await.error(), "invalid_token");
    let said = server.introspect(&session.access).await;
    assert_eq!((&said["active"], &said["aud"]), (&true.into(), &"billing-api".into()));
}

#[tokio::test]
async fn the_metadata_is_true() {
    let setup = Setup::sqlite();
    let server =
        setup.server_with(|config| config.issuer = Some("https://auth.example".into())).await;
    let session = server.login().await;
    for path in ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"] {
        let told = server.get(path).send().await.json();
        assert_eq!(told["issuer"], "https://auth.example");
        assert_eq!(told["jwks_uri"], "https://auth.example/auth/jwks.json");
        let claims: Value = decode(session.access.split('.').nth(1).expect("a JWT"));
        assert_eq!(claims["iss"], told["issuer"]);
        // Every address that it names exists.
        for (name, address) in told.as_object().expect("an object") {
            let Some(path) =
                address.as_str().and_then(|it| it.strip_prefix("https://auth.example/"))
            else {
                continue;
            };
            let answer = server.get(&format!("/{path}")).send().await;
            assert_ne!(answer.status, StatusCode::NOT_FOUND, "{name}");
        }
    }
    let nameless = setup.server().await;
    let answer = nameless.get("/.well-known/oauth-authorization-server").send().await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
