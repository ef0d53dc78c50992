//! The connection to a store can be encrypted; then the store's certificate is checked.

use std::process::Command;

use crate::{
    crash,
    harness::{Folder, certificate::Certificate, postgres::Postgres, redis::Redis, wire},
    process::{BIN, start_with},
};

#[tokio::test]
async fn postgres_connections_are_encrypted() {
    let folder = Folder::new();
    let certificate = Certificate::new(&folder.0);
    let postgres = Postgres::start();
    postgres.encrypt(&certificate);
    holds(&format!("{}?sslmode=require", postgres.url()), &certificate).await;
}

#[tokio::test]
async fn redis_connections_are_encrypted() {
    let folder = Folder::new();
    let certificate = Certificate::new(&folder.0);
    let redis = Redis::start_encrypted(&folder.0, &certificate);
    holds(&redis.encrypted_url(), &certificate).await;
}

#[tokio::test]
async fn cluster_connections_are_encrypted() {
    let folder = Folder::new();
    let certificate = Certificate::new(&folder.0);
    let node = Redis::start_encrypted_cluster(&folder.0, &certificate);
    let url = node.encrypted_url().replace("rediss://", "rediss+cluster://");
    holds(&url, &certificate).await;
}

async fn holds(url: &str, certificate: &Certificate) {
    // An attacker in between has a certificate, too.
    let folder = Folder::new();
    let others = Certificate::new(&folder.0);
    let refused = Command::new(BIN)
        // It ends, refused or not.
        .args(["--rotate-key", "--store", url])
        .env("SSL_CERT_FILE", &others.file)
        .output()
        .expect("it runs");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("invalid peer certificate"), "{said}");

    let trusted = certificate.file.to_str().expect("a plain path");
    let arguments = ["--store", url, "--user", "alice:wonderland:user"];
    let (_process, _output, at) = start_with(&arguments, &[("SSL_CERT_FILE", trusted)], "");
    let cookie = wire::login(at).await;
    assert!(crash::refreshed(at, &cookie).await.is_some());
}
