//! Tokens bound to a client's key, and the proofs that they require (RFC 9449).

use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tokenkeep_server::config::{Config, Dpop, Limit, TokenKind};

use crate::{
    access::{KINDS, decode},
    harness::{
        ADMIN, Answer, CAROL, CLIENT, Call, Server, Setup,
        dpop::{ClientKey, ISSUER},
    },
    on_all_stores,
    second_factor::{code, ticket_of},
};

on_all_stores!(
    a_login_with_a_proof_is_bound_to_its_key,
    a_bound_token_is_useless_without_its_key,
    a_refresh_without_the_key_leaves_the_session_unchanged,
    a_proof_is_valid_once,
    one_of_parallel_calls_with_one_proof_at_two_instances_succeeds,
    exactly_one_use_is_the_first_and_remains_the_first,
);

const MINUTE: Duration = Duration::from_secs(60);

fn allowed(config: &mut Config) {
    config.dpop = Dpop::Allowed;
    config.issuer = Some(ISSUER.into());
}

fn required(config: &mut Config) {
    allowed(config);
    config.dpop = Dpop::Required;
}

fn with_nonces(config: &mut Config) {
    allowed(config);
    config.dpop_nonce = true;
}

async fn server(setup: &Setup, kind: TokenKind) -> Server {
    setup
        .server_with(|config| {
            allowed(config);
            config.tokens = kind;
        })
        .await
}

/// Checks the API's refusal: its challenge and its body.
fn refused(answer: &Answer, code: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{code}");
    assert_eq!(answer.error(), code);
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with(&format!(r#"DPoP error="{code}", "#)), "{challenge}");
    assert!(challenge.ends_with(r#", algs="ES256""#), "{challenge}");
}

/// Checks the refusal by an address that gives tokens: the session is untouched, so the cookie stays.
fn no_tokens(answer: &Answer, code: &str) {
    assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, code));
    assert_eq!(answer.set_cookie(), "");
}

async fn a_login_with_a_proof_is_bound_to_its_key(setup: Setup) {
    for kind in KINDS {
        let (server, key) = (server(&setup, kind).await, ClientKey::new());
        let proof = key.proof(&setup, "POST", "/auth/login").sign();
        let answer = server.try_login(ADMIN.0, ADMIN.1).dpop(&proof).send().await;
        assert_eq!(answer.json()["token_type"], "DPoP");
        let session = answer.session();
        let newer = key.refresh(&setup, &server, &session.cookie).await;
        assert_eq!(newer.json()["token_type"], "DPoP");

        let bound_to = json!({ "jkt": key.thumbprint() });
        for token in [&session.access, &newer.session().access] {
            assert_eq!(key.me(&setup, &server, token).await.status, StatusCode::OK);
            let said = server.introspect(token).await;
            assert_eq!((&said["token_type"], &said["cnf"]), (&json!("DPoP"), &bound_to));
            if kind == TokenKind::Jwt {
                assert_eq!(decode(token.split('.').nth(1).expect("claims"))["cnf"], bound_to);
            }
        }

        // A login without a proof still works.
        let answer = server.try_login(ADMIN.0, ADMIN.1).send().await;
        assert_eq!(answer.json()["token_type"], "Bearer");
        let plain = answer.session();
        assert_eq!(server.me_status(&plain.access).await, StatusCode::OK);
        assert_eq!(server.introspect(&plain.access).await["cnf"], Value::Null);
        // A proof sent with an unbound token is ignored.
        let answer = server.refresh(&plain.cookie).dpop("x").send().await;
        assert_eq!(answer.json()["token_type"], "Bearer");
    }
}

async fn a_bound_token_is_useless_without_its_key(setup: Setup) {
    for kind in KINDS {
        let (server, key, thief) = (server(&setup, kind).await, ClientKey::new(), ClientKey::new());
        let token = key.login(&setup, &server).await.access;
        let other = key.login(&setup, &server).await.access;
        let plain = server.login().await.access;
        let me =
            |token: &str| server.get("/api/me").header("authorization", &format!("DPoP {token}"));
        let proof = || key.proof(&setup, "GET", "/api/me");

        refused(&server.me(&token).send().await, "invalid_token");
        refused(&server.me(&token).dpop(&proof().of(&token).sign()).send().await, "invalid_token");
        refused(&thief.me(&setup, &server, &token).await, "invalid_token");
        refused(&me(&token).send().await, "invalid_dpop_proof");
        refused(&me(&token).dpop(&proof().sign()).send().await, "invalid_dpop_proof");
        let swapped = proof().of(&other).sign();
        refused(&me(&token).dpop(&swapped).send().await, "invalid_dpop_proof");
        refused(&me(&plain).dpop(&proof().of(&plain).sign()).send().await, "invalid_token");
        assert_eq!(key.me(&setup, &server, &token).await.status, StatusCode::OK);

        setup.pass(5 * MINUTE);
        refused(&key.me(&setup, &server, &token).await, "invalid_token");
    }
}

async fn a_refresh_without_the_key_leaves_the_session_unchanged(setup: Setup) {
    let (server, key, thief) =
        (server(&setup, TokenKind::Jwt).await, ClientKey::new(), ClientKey::new());
    let session = key.login(&setup, &server).await;
    let proof = || key.proof(&setup, "POST", "/auth/refresh");

    no_tokens(&server.refresh(&session.cookie).send().await, "invalid_dpop_proof");
    no_tokens(&thief.refresh(&setup, &server, &session.cookie).await, "invalid_grant");
    let old = proof().with("iat", setup.now() / 1000 - 61).sign();
    no_tokens(&server.refresh(&session.cookie).dpop(&old).send().await, "invalid_dpop_proof");
    let used = proof().sign();
    let newer = server.refresh(&session.cookie).dpop(&used).send().await.session();
    no_tokens(&server.refresh(&newer.cookie).dpop(&used).send().await, "invalid_dpop_proof");

    // Without the key, not even a used token does harm.
    no_tokens(&thief.refresh(&setup, &server, &session.cookie).await, "invalid_grant");
    assert_eq!(key.me(&setup, &server, &newer.access).await.status, StatusCode::OK);
    let metrics = server.get("/metrics").basic(CLIENT.0, CLIENT.1).send().await.text();
    assert!(metrics.lines().any(|line| line == "tokenkeep_reuses_total 0"), "{metrics}");
    let told = setup.audit_lines();
    let told = told.iter().filter(|line| line.contains(r#""event":"proof_refused""#)).count();
    assert_eq!(told, 4);

    // With the key, a second use is a reuse as always.
    let answer = key.refresh(&setup, &server, &session.cookie).await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (StatusCode::UNAUTHORIZED, "invalid_grant")
    );
    refused(&key.me(&setup, &server, &newer.access).await, "invalid_token");
}

async fn a_proof_is_valid_once(setup: Setup) {
    let (one, two) = (server(&setup, TokenKind::Jwt).await, server(&setup, TokenKind::Jwt).await);
    let (key, other) = (ClientKey::new(), ClientKey::new());
    let token = key.login(&setup, &one).await.access;
    let others = other.login(&setup, &one).await.access;
    let now = setup.now() / 1000;
    // The longest life: with a clock as far ahead as allowed, to the end of the proof's time.
    let proof = key.proof(&setup, "GET", "/api/me").of(&token).with("iat", now + 60);
    let text = proof.sign();
    let call = |server: &Server| server.get("/api/me").bound(&token, &text).send();
    assert_eq!(call(&one).await.status, StatusCode::OK);
    for _ in 0..2 {
        refused(&call(&one).await, "invalid_dpop_proof");
        refused(&call(&two).await, "invalid_dpop_proof");
        setup.pass(2 * MINUTE);
    }
    // Each key has its own `jti` values: nobody uses up another's.
    let same = other.proof(&setup, "GET", "/api/me").of(&others);
    let same = same.with("jti", proof.claims["jti"].clone()).sign();
    assert_eq!(one.get("/api/me").bound(&others, &same).send().await.status, StatusCode::OK);
}

async fn one_of_parallel_calls_with_one_proof_at_two_instances_succeeds(setup: Setup) {
    let (one, two) = (server(&setup, TokenKind::Jwt).await, server(&setup, TokenKind::Jwt).await);
    let key = ClientKey::new();
    let token = key.login(&setup, &one).await.access;
    let proof = key.proof(&setup, "GET", "/api/me").of(&token).sign();
    let calls: Vec<_> = [&one, &two]
        .iter()
        .cycle()
        .take(20)
        .map(|server| tokio::spawn(server.get("/api/me").bound(&token, &proof).send()))
        .collect();
    let mut let_through = 0;
    for call in calls {
        let answer = call.await.expect("a call");
        assert_ne!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        let_through += usize::from(answer.status == StatusCode::OK);
    }
    assert_eq!(let_through, 1);
}

async fn exactly_one_use_is_the_first_and_remains_the_first(setup: Setup) {
    let (one, two) = (setup.store().await, setup.store().await);
    let first = async |what: &str, use_id: &str| {
        let answers = [
            one.first_use(what, use_id, 1_000).await.expect("asked"),
            two.first_use(what, use_id, 1_000).await.expect("asked"),
        ];
        assert_eq!(answers[0], answers[1], "made again it is the same");
        answers[0]
    };
    assert!(first("a", "one").await);
    assert!(!first("a", "two").await);
    assert!(first("b", "two").await);
    setup.pass(Duration::from_millis(999));
    assert!(!first("a", "two").await);
    one.purge().await.expect("cleared");
    assert!(!first("a", "two").await);
    setup.pass(Duration::from_millis(1));
    assert!(first("a", "two").await, "it was forgotten");
    assert!(!first("a", "one").await);
    setup.pass(MINUTE);
    one.purge().await.expect("cleared");
    assert!(first("a", "one").await);
}

#[tokio::test]
async fn every_kind_of_wrong_proof_is_refused() {
    let setup = Setup::sqlite();
    let (server, key) = (server(&setup, TokenKind::Jwt).await, ClientKey::new());
    let proof = || key.proof(&setup, "POST", "/auth/login");
    let login = |proof: &str| server.try_login("alice", "wonderland").dpop(proof).send();
    let now = setup.now() / 1000;
    let private = |member: &str| {
        let mut jwk = key.jwk();
        jwk[member] = json!("AAAA");
        jwk
    };
    let mut padded = key.jwk();
    padded["x"] = json!(format!("{}=", padded["x"].as_str().expect("x")));
    let (signed, signature) = {
        let text = proof().sign();
        let (signed, signature) = text.rsplit_once('.').expect("a JWT");
        (signed.to_owned(), signature.to_owned())
    };
    let other_signature = proof().sign().rsplit_once('.').expect("a JWT").1.to_owned();

    for (what, proof) in [
        ("another method", proof().with("htm", "GET").sign()),
        ("a method in small letters", proof().with("htm", "post").sign()),
        ("another path", proof().with("htu", format!("{ISSUER}/auth/refresh")).sign()),
        ("another host", proof().with("htu", "https://app.example/auth/login").sign()),
        ("another scheme", proof().with("htu", "http://auth.example/auth/login").sign()),
        ("another port", proof().with("htu", format!("{ISSUER}:8443/auth/login")).sign()),
        ("a path alone", proof().with("htu", "/auth/login").sign()),
        ("too old", proof().with("iat", now - 61).sign()),
        ("too far ahead", proof().with("iat", now + 61).sign()),
        ("a time that is none", proof().with("iat", "now").sign()),
        ("no name", proof().with("jti", "").sign()),
        ("no algorithm", proof().header("alg", "none").sign()),
        ("a MAC", proof().header("alg", "HS256").sign()),
        ("another algorithm", proof().header("alg", "ES384").sign()),
        ("another type", proof().header("typ", "JWT").sign()),
        ("what must be understood", proof().header("crit", json!(["b64"])).sign()),
        ("a private key", proof().header("jwk", private("d")).sign()),
        ("a part of an RSA key", proof().header("jwk", private("dq")).sign()),
        ("a symmetric key", proof().header("jwk", json!({ "kty": "oct", "k": "AAAA" })).sign()),
        ("another curve", proof().header("jwk", json!({ "kty": "EC", "crv": "P-384" })).sign()),
        ("no point of the curve", {
            let mut jwk = key.jwk();
            jwk["x"] = jwk["y"].clone();
            proof().header("jwk", jwk).sign()
        }),
        ("a key in another spelling", proof().header("jwk", padded).sign()),
        ("another's key", proof().header("jwk", ClientKey::new().jwk()).sign()),
        ("another's signature", format!("{signed}.{other_signature}")),
        ("half a signature", format!("{signed}.{}", &signature[..43])),
        ("no signature", format!("{signed}.")),
        ("no JWT", "x".into()),
        ("nothing", String::new()),
    ] {
        let answer = login(&proof).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (StatusCode::BAD_REQUEST, "invalid_dpop_proof"),
            "{what}"
        );
        assert!(proof.len() < 2 || !answer.text().contains(&proof), "{what}");
    }
    let two = server.try_login("alice", "wonderland").dpop(&proof().sign()).dpop(&proof().sign());
    no_tokens(&two.send().await, "invalid_dpop_proof");

    for (what, proof) in [
        ("as it is", format!("{signed}.{signature}")),
        ("half a second", proof().with("iat", now as f64 + 0.5).sign()),
        ("a query", proof().with("htu", format!("{ISSUER}/auth/login?a=b#c")).sign()),
        ("another spelling", proof().with("htu", "HTTPS://Auth.Example:443/auth/login").sign()),
        (
            "other members",
            proof()
                .header("jwk", {
                    let mut jwk = key.jwk();
                    jwk["use"] = json!("sig");
                    jwk["ext"] = json!(true);
                    jwk
                })
                .sign(),
        ),
    ] {
        let answer = login(&proof).await;
        assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_host_header_is_not_trusted_except_for_this_machines_names_in_the_demo() {
    let setup = Setup::sqlite();
    let (server, key) = (server(&setup, TokenKind::Jwt).await, ClientKey::new());
    let proof = |htu: &str| key.proof(&setup, "POST", "/auth/login").with("htu", htu).sign();
    let login = |server: &Server, proof: &str, host: &str| {
        server.try_login("alice", "wonderland").dpop(proof).host(host).send()
    };
    // A proof for somebody else's server, forwarded to this one.
    let elsewhere = proof("https://evil.example/auth/login");
    no_tokens(&login(&server, &elsewhere, "evil.example").await, "invalid_dpop_proof");
    // Behind a proxy that sets any host.
    let ours = proof(&format!("{ISSUER}/auth/login"));
    assert_eq!(login(&server, &ours, "10.0.0.7:8080").await.status, StatusCode::OK);

    let demo = setup
        .server_with(|config| {
            allowed(config);
            config.demo = true;
        })
        .await;
    let local = proof("http://localhost:5173/auth/login");
    assert_eq!(login(&demo, &local, "localhost:5173").await.status, StatusCode::OK);
    let local = proof("http://localhost:5173/auth/login");
    no_tokens(&login(&demo, &local, "localhost:8080").await, "invalid_dpop_proof");
    no_tokens(&login(&demo, &elsewhere, "evil.example").await, "invalid_dpop_proof");
}

#[tokio::test]
async fn a_proof_needs_the_nonce_of_the_last_answer_and_no_clock() {
    let setup = Setup::sqlite();
    let (one, two) = (setup.server_with(with_nonces).await, setup.server_with(with_nonces).await);
    let key = ClientKey::new();
    let login = |server: &Server, nonce: &str| {
        let proof = key.proof(&setup, "POST", "/auth/login").with("nonce", nonce).with("iat", 0);
        server.try_login("alice", "wonderland").dpop(&proof.sign()).send()
    };
    let without = key.proof(&setup, "POST", "/auth/login").sign();
    let answer = one.try_login("alice", "wonderland").dpop(&without).send().await;
    no_tokens(&answer, "use_dpop_nonce");
    let nonce = answer.header("dpop-nonce").to_owned();
    let answer = login(&two, &nonce).await;
    assert_eq!(answer.status, StatusCode::OK, "all instances have the same: {}", answer.text());
    assert_eq!(answer.header("dpop-nonce"), nonce);
    let session = answer.session();

    let me = |nonce: &str| {
        let proof = key.proof(&setup, "GET", "/api/me").of(&session.access).with("nonce", nonce);
        one.get("/api/me").bound(&session.access, &proof.sign()).send()
    };
    for made_up in ["", "x", &nonce[1..], &nonce.to_lowercase()] {
        let answer = me(made_up).await;
        refused(&answer, "use_dpop_nonce");
        assert_eq!(answer.header("dpop-nonce"), nonce);
    }
    refused(&key.me(&setup, &one, &session.access).await, "use_dpop_nonce");
    assert_eq!(me(&nonce).await.status, StatusCode::OK);

    setup.pass(MINUTE);
    let answer = me(&nonce).await;
    assert_eq!(answer.status, StatusCode::OK, "the one of before is good for a while");
    let next = answer.header("dpop-nonce").to_owned();
    assert_ne!(next, nonce);
    setup.pass(MINUTE);
    refused(&me(&nonce).await, "use_dpop_nonce");
    assert_eq!(me(&next).await.status, StatusCode::OK);

    // A missing nonce is not a theft.
    no_tokens(&key.refresh(&setup, &one, &session.cookie).await, "use_dpop_nonce");
    assert!(!setup.audit_lines().iter().any(|line| line.contains("proof_refused")));
    // A call without a proof learns nothing about nonces.
    assert_eq!(one.get("/api/me").send().await.header("dpop-nonce"), "");
}

#[tokio::test]
async fn the_demo_moves_the_clock_of_nonces_and_not_that_of_sessions() {
    let setup = Setup::sqlite();
    let server = setup
        .server_with(|config| {
            with_nonces(config);
            config.demo = true;
        })
        .await;
    let key = ClientKey::new();
    let learnt = |answer: &Answer| answer.header("dpop-nonce").to_owned();
    let proof = |nonce: &str| key.proof(&setup, "POST", "/auth/login").with("nonce", nonce).sign();
    let login = |proof: String| server.try_login("alice", "wonderland").dpop(&proof).send();
    let nonce = learnt(&login(proof("")).await);
    let session = login(proof(&nonce)).await.session();
    let me = |nonce: &str| {
        let proof = key.proof(&setup, "GET", "/api/me").of(&session.access).with("nonce", nonce);
        server.get("/api/me").bound(&session.access, &proof.sign()).send()
    };
    for query in ["", "?seconds=", "?seconds=-1", "?seconds=x"] {
        let answer = server.post(&format!("/demo/forward{query}")).send().await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
    }
    assert_eq!(me(&nonce).await.status, StatusCode::OK);

    // Beyond the end of the access token, too, if that went by this clock.
    let answer = server.post("/demo/forward?seconds=600").send().await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let answer = me(&nonce).await;
    refused(&answer, "use_dpop_nonce");
    assert_eq!(me(&learnt(&answer)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_nonce_from_before_a_new_signing_key_is_good() {
    let setup = Setup::sqlite();
    let server = setup.server_with(with_nonces).await;
    let key = ClientKey::new();
    let proof = key.proof(&setup, "POST", "/auth/login").sign();
    let answer = server.try_login("alice", "wonderland").dpop(&proof).send().await;
    let nonce = answer.header("dpop-nonce").to_owned();
    tokenkeep_server::serve::rotate_key(setup.config()).await.expect("a new key");
    let newer = setup.server_with(with_nonces).await;
    let proof = key.proof(&setup, "POST", "/auth/login").with("nonce", nonce.clone()).sign();
    let answer = newer.try_login("alice", "wonderland").dpop(&proof).send().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header("dpop-nonce"), nonce, "a new key makes none until all know it");
}

#[tokio::test]
async fn the_flag_concerns_logins_and_tokens_without_a_key() {
    let setup = Setup::sqlite();
    let key = ClientKey::new();
    let off = setup.server_with(|config| config.issuer = Some(ISSUER.into())).await;
    let proof = key.proof(&setup, "POST", "/auth/login").sign();
    let answer = off.try_login("alice", "wonderland").dpop(&proof).send().await;
    assert_eq!(answer.json()["token_type"], "Bearer");
    let plain = answer.session();
    let challenges = |answer: &Answer| -> Vec<String> {
        let all = answer.headers.get_all("www-authenticate").iter();
        all.map(|one| one.to_str().expect("text").to_owned()).collect()
    };
    let bearer = r#"Bearer realm="tokenkeep""#;
    assert_eq!(challenges(&off.get("/api/me").send().await), [bearer]);

    let allowed = setup.server_with(allowed).await;
    let dpop = r#"DPoP algs="ES256""#;
    assert_eq!(challenges(&allowed.get("/api/me").send().await), [bearer, dpop]);

    let required = setup.server_with(required).await;
    assert_eq!(challenges(&required.get("/api/me").send().await), [dpop]);
    let answer = required.try_login("alice", "wonderland").send().await;
    no_tokens(&answer, "invalid_dpop_proof");
    refused(&required.me(&plain.access).send().await, "invalid_token");
    no_tokens(&required.refresh(&plain.cookie).send().await, "invalid_grant");
    let session = key.login(&setup, &required).await;
    assert_eq!(key.me(&setup, &required, &session.access).await.status, StatusCode::OK);

    // A bound token stays bound after the flag is removed.
    refused(&off.me(&session.access).send().await, "invalid_token");
    no_tokens(&off.refresh(&session.cookie).send().await, "invalid_dpop_proof");
    assert_eq!(key.me(&setup, &off, &session.access).await.status, StatusCode::OK);

    for (server, said) in [(off, Value::Null), (allowed, json!(["ES256"]))] {
        let metadata = server.get("/.well-known/oauth-authorization-server").send().await.json();
        assert_eq!(metadata["dpop_signing_alg_values_supported"], said);
    }
}

#[tokio::test]
async fn every_way_into_a_session_keeps_its_key() {
    let setup = Setup::sqlite();
    let server = setup.server_with(required).await;
    let (key, thief) = (ClientKey::new(), ClientKey::new());
    let proof = |path: &str| key.proof(&setup, "POST", path).sign();
    let ends = |call: Call| call.form(&[("code", &code(&setup))]).send();

    // A login in two steps binds the tokens in the second.
    let first = server.try_login(CAROL.0, CAROL.1);
    no_tokens(&first.send().await, "invalid_dpop_proof");
    let ticket = ticket_of(server.try_login(CAROL.0, CAROL.1).dpop(&proof("/auth/login"))).await;
    let fields = [("ticket", ticket.as_str()), ("code", &code(&setup))];
    let second = || server.post("/auth/login/code").form(&fields);
    no_tokens(&second().send().await, "invalid_dpop_proof");
    let session = second().dpop(&proof("/auth/login/code")).send().await.session();
    assert_eq!(key.me(&setup, &server, &session.access).await.status, StatusCode::OK);

    setup.pass(MINUTE);
    let step_up = || server.post("/auth/stepup").proof().cookie(&session.cookie);
    no_tokens(&ends(step_up()).await, "invalid_dpop_proof");
    let stolen = thief.proof(&setup, "POST", "/auth/stepup").sign();
    for _ in 0..5 {
        no_tokens(&ends(step_up().dpop(&stolen)).await, "invalid_grant");
    }
    let session = ends(step_up().dpop(&proof("/auth/stepup"))).await.session();
    let vault = key.proof(&setup, "GET", "/api/vault").of(&session.access).sign();
    let vault = server.get("/api/vault").bound(&session.access, &vault).send().await;
    assert_eq!(vault.status, StatusCode::OK);
    let admin = key.proof(&setup, "GET", "/api/admin").of(&session.access).sign();
    let admin = server.get("/api/admin").bound(&session.access, &admin).send().await;
    let challenge = r#"DPoP error="insufficient_scope", scope="admin", algs="ES256""#;
    assert_eq!(admin.header("www-authenticate"), challenge);

    let change = key.proof(&setup, "POST", "/auth/password").of(&session.access).sign();
    let change = server.post("/auth/password").proof().bound(&session.access, &change);
    let change = change.json(json!({ "current": CAROL.1, "new": "through-the-glass" }));
    let answer = change.send().await;
    assert_eq!(answer.json()["token_type"], "DPoP");
    let session = answer.session();
    assert_eq!(key.me(&setup, &server, &session.access).await.status, StatusCode::OK);

    // A user who has lost the key can still end the session.
    let logout = server.post("/auth/logout").proof().cookie(&session.cookie).send().await;
    assert_eq!(logout.status, StatusCode::NO_CONTENT);
    refused(&key.me(&setup, &server, &session.access).await, "invalid_token");
}

#[tokio::test]
async fn a_stolen_refresh_token_without_its_key_does_not_use_up_its_owners_limit() {
    let setup = Setup::sqlite();
    let server = setup
        .server_with(|config| {
            allowed(config);
            config.refresh_limit = Limit::per_minute(2);
        })
        .await;
    let (key, thief) = (ClientKey::new(), ClientKey::new());
    let session = key.login(&setup, &server).await;
    let steal = async || {
        let proof = thief.proof(&setup, "POST", "/auth/refresh").sign();
        server.refresh(&session.cookie).dpop(&proof).from([203, 0, 113, 9]).send().await.status
    };
    assert_eq!([steal().await, steal().await], [StatusCode::BAD_REQUEST; 2]);
    assert_eq!(steal().await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(key.refresh(&setup, &server, &session.cookie).await.status, StatusCode::OK);
}

#[tokio::test]
async fn clients_of_one_address_that_need_a_nonce_share_no_limit() {
    let setup = Setup::sqlite();
    let logins = setup.server_with(allowed).await;
    let server = setup
        .server_with(|config| {
            with_nonces(config);
            config.refresh_limit = Limit::per_minute(1);
        })
        .await;
    let key = ClientKey::new();
    let sessions = [key.login(&setup, &logins).await, key.login(&setup, &logins).await];
    for session in &sessions {
        no_tokens(&key.refresh(&setup, &server, &session.cookie).await, "use_dpop_nonce");
    }
    let answer = key.refresh(&setup, &server, &sessions[0].cookie).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn another_origins_page_can_send_a_proof_and_read_the_answers_headers() {
    let setup = Setup::sqlite();
    let server = setup
        .server_with(|config| {
            with_nonces(config);
            config.origins = vec!["https://app.example".into()];
        })
        .await;
    let preflight = server
        .call(Method::OPTIONS, "/api/me")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization,dpop");
    let allowed = preflight.send().await;
    assert_eq!(allowed.header("access-control-allow-headers"), "authorization,dpop");
    let answer = server.get("/api/me").header("origin", "https://app.example").send().await;
    let exposed = answer.header("access-control-expose-headers").to_owned();
    for header in ["www-authenticate", "dpop-nonce"] {
        assert!(exposed.split(',').any(|one| one == header), "{exposed}");
    }
}
