//! The static files and the headers they come with.

use std::fs;

use axum::http::StatusCode;

use crate::harness::{Server, Setup};

async fn server(setup: &Setup) -> Server {
    let (www, package) = (setup.folder().join("www"), setup.folder().join("package"));
    for (folder, name, text) in [
        (&www, "index.html", "<!doctype html>"),
        (&www, "page.js", "export {}"),
        (&www, "style.css", "p {}"),
        (&www, ".env", "SECRET=1"),
        (&www, "store.db", "SECRET=1"),
        (&www, "main.rs", "fn main() {}"),
        (&www, "id_rsa", "SECRET=1"),
        (&www, "sub/page.js", "export {}"),
        (&package, "index.js", "export {}"),
        (&package, "tokenkeep.wasm", "\0asm"),
    ] {
        let file = folder.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    setup
        .server_with(|config| {
            config.www = Some(www);
            config.package = Some(package);
        })
        .await
}

#[tokio::test]
async fn files_have_their_types_and_a_strict_policy() {
    let setup = Setup::sqlite();
    let server = server(&setup).await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/page.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/tokenkeep/index.js", "text/javascript"),
        ("/tokenkeep/tokenkeep.wasm", "application/wasm"),
    ] {
        let answer = server.get(path).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("content-type"), kind, "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
             img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; \
             frame-ancestors 'none'"
        );
    }
}

#[tokio::test]
async fn only_the_parts_of_a_page_are_served() {
    let setup = Setup::sqlite();
    let server = server(&setup).await;
    for path in [
        "/.env",
        "/store.db",
        "/main.rs",
        "/nothing.js",
        "/../store.db",
        "/%2e%2e/store.db",
        "/%2eenv",
        "/main%2ers",
        "/tokenkeep/../.env",
        "/tokenkeep/nothing.js",
        "/id_rsa",
        "/sub",
        "/sub/",
        "//page.js",
    ] {
        let answer = server.get(path).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.text().contains("SECRET"));
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_leads_out_of_the_folder() {
    use std::os::unix::fs::symlink;
    let setup = Setup::sqlite();
    let server = server(&setup).await;
    let (www, outside) = (setup.folder().join("www"), setup.folder().join("outside"));
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("secret.txt"), "SECRET=1").expect("a file");
    symlink(outside.join("secret.txt"), www.join("link.txt")).expect("a link");
    symlink(&outside, www.join("linked")).expect("a link");
    symlink(www.join("page.js"), www.join("inside.js")).expect("a link");
    for path in ["/link.txt", "/linked/secret.txt", "/linked/../link.txt"] {
        let answer = server.get(path).send().await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!answer.text().contains("SECRET"));
    }
    assert_eq!(server.get("/inside.js").send().await.status, StatusCode::OK);
}
