//! No log line, no `Debug`, and no error's answer contains a secret.

use tokenkeep_server::config::Dpop;

use crate::{
    access::KINDS,
    harness::{
        ADMIN, ALICE, CLIENT, Setup,
        dpop::{ClientKey, ISSUER},
    },
    on_all_stores,
};

on_all_stores!(a_full_scenario_leaves_no_secret_in_the_log,);

async fn a_full_scenario_leaves_no_secret_in_the_log(setup: Setup) {
    let mut secrets = vec![
        ALICE.1.to_owned(),
        ADMIN.1.to_owned(),
        CLIENT.1.to_owned(),
        "a-password-typed-as-a-name".to_owned(),
    ];
    for kind in KINDS {
        let server = setup.server_with(|config| config.tokens = kind).await;
        server.try_login("a-password-typed-as-a-name", "x").send().await;
        let first = server.login().await;
        let second = server.refresh(&first.cookie).send().await.session();
        let admin = server.login_as(ADMIN).await;
        server.me(&second.access).send().await;
        server.introspect(&second.access).await;
        server.as_client("/oauth/revoke", &[("token", &second.access)]).await;
        server.refresh(&first.cookie).send().await;
        let logout = server.post("/auth/logout").proof();
        logout.cookie(&admin.cookie).bearer(&admin.access).send().await;
        for session in [first, second, admin] {
            secrets.extend([session.access, session.cookie]);
        }
    }
    secrets.extend(bound_to_a_key(&setup).await);
    let lines = setup.log_lines();
    for told in [
        "login: alice",
        "refresh: alice",
        "refresh: refused, without a proof by the session's key",
        "logout",
    ] {
        assert!(lines.iter().any(|line| line == told), "{told}");
    }
    for line in lines {
        for secret in &secrets {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

/// Sessions of a client and of a thief with another key. Returns the texts that must stay secret.
async fn bound_to_a_key(setup: &Setup) -> Vec<String> {
    let server = setup
        .server_with(|config| {
            config.dpop = Dpop::Required;
            config.issuer = Some(ISSUER.into());
        })
        .await;
    let (key, thief) = (ClientKey::new(), ClientKey::new());
    let session = key.login(setup, &server).await;
    thief.refresh(setup, &server, &session.cookie).await;
    let proof = key.proof(setup, "POST", "/auth/refresh").sign();
    let newer = server.refresh(&session.cookie).dpop(&proof).send().await.session();
    thief.me(setup, &server, &newer.access).await;
    vec![session.access, session.cookie, newer.access, newer.cookie, proof, key.thumbprint()]
}

#[test]
fn the_configuration_can_be_printed_without_its_secrets() {
    let config = Setup::sqlite().config();
    let printed = format!("{config:?}");
    assert!(printed.contains("alice"));
    for secret in [ALICE.1, ADMIN.1, CLIENT.1] {
        assert!(!printed.contains(secret));
    }
}
