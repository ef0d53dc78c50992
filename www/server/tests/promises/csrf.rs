//! The proof that refresh and logout require, and CORS.

use axum::http::{Method, StatusCode};

use crate::{harness::Setup, on_all_stores};

const PATHS: [&str; 2] = ["/auth/refresh", "/auth/logout"];

on_all_stores!(
    refresh_and_logout_require_the_header_and_the_origin,
    this_sites_and_the_named_origins_pages_are_let_in,
    a_request_without_the_proof_changes_nothing,
    only_a_named_origin_may_read_the_answers,
);

async fn refresh_and_logout_require_the_header_and_the_origin(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    let header = ("x-requested-with", "tokenkeep");
    let own = ("origin", "https://app.example");
    let bad: [&[(&str, &str)]; 8] = [
        &[],
        &[header],
        &[own],
        &[("sec-fetch-site", "same-origin")],
        &[("x-requested-with", ""), own],
        &[header, ("origin", "https://evil.example")],
        &[header, ("origin", "null")],
        &[header, ("sec-fetch-site", "cross-site")],
    ];
    for path in PATHS {
        for headers in bad {
            let mut call = server.post(path).cookie(&session.cookie);
            for (name, value) in headers {
                call = call.header(name, value);
            }
            let answer = call.send().await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            assert_eq!(answer.error(), "csrf");
            assert_eq!(answer.set_cookie(), "");
        }
    }
}

async fn this_sites_and_the_named_origins_pages_are_let_in(setup: Setup) {
    let server =
        setup.server_with(|config| config.origins.push("https://spa.example".into())).await;
    for (name, value) in [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://app.example"),
        ("origin", "http://app.example"),
        ("origin", "https://spa.example"),
    ] {
        let session = server.login().await;
        for path in PATHS {
            let answer = server
                .post(path)
                .cookie(&session.cookie)
                .header("x-requested-with", "anything")
                .header(name, value)
                .send()
                .await;
            assert!(answer.status.is_success(), "{path} {name}: {value}");
        }
    }
}

async fn a_request_without_the_proof_changes_nothing(setup: Setup) {
    let server = setup.server().await;
    let session = server.login().await;
    for path in PATHS {
        server.post(path).cookie(&session.cookie).send().await;
    }
    let answer = server.refresh(&session.cookie).send().await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(server.me_status(&session.access).await, StatusCode::OK);
}

async fn only_a_named_origin_may_read_the_answers(setup: Setup) {
    let server =
        setup.server_with(|config| config.origins.push("https://spa.example".into())).await;
    let named = server.get("/api/me").header("origin", "https://spa.example").send().await;
    assert_eq!(named.header("access-control-allow-origin"), "https://spa.example");
    assert_eq!(named.header("access-control-allow-credentials"), "true");
    assert_eq!(
        named.header("access-control-expose-headers"),
        "www-authenticate,retry-after,date,dpop-nonce"
    );
    let preflight = server
        .call(Method::OPTIONS, "/auth/refresh")
        .header("origin", "https://spa.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-requested-with")
        .send()
        .await;
    assert_eq!(preflight.status, StatusCode::OK);
    assert_eq!(preflight.header("access-control-allow-headers"), "x-requested-with");
    let other = server.get("/api/me").header("origin", "https://evil.example").send().await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}
