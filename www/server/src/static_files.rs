//! The page and the package's files, and the headers that keep a page's answers harmless.

use std::path::Path;

use axum::{
    Router,
    extract::Request,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::any_service,
};
use std::sync::Arc;
use tower_http::services::ServeDir;

use crate::{answer, app::App, config::Config};

/// Everything from this origin and nothing else; no inline script, no inline style, no form that leaves
/// the page, no frame around it. `wasm-unsafe-eval` compiles WebAssembly and allows no `eval`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// What a page consists of. A list of what may leave, so that a forgotten `.env`, a database or a source
/// file in the folder does not.
const KINDS: [&str; 15] = [
    "css", "html", "ico", "jpg", "js", "json", "map", "mjs", "png", "svg", "ts", "txt", "wasm",
    "webp", "woff2",
];

pub fn add(router: Router<Arc<App>>, config: &Config) -> Router<Arc<App>> {
    let router = match &config.package {
        Some(folder) => router.nest(
            "/tokenkeep",
            Router::new().fallback_service(any_service(files(folder)).layer(from_fn(page))),
        ),
        None => router,
    };
    match &config.www {
        Some(folder) => router.fallback_service(any_service(files(folder)).layer(from_fn(page))),
        None => router.fallback(async || answer::not_found()),
    }
}

fn files(folder: &Path) -> ServeDir {
    ServeDir::new(folder)
}

async fn page(request: Request, next: Next) -> Response {
    let mut response = if may_leave(request.uri().path()) {
        next.run(request).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    };
    if response.status() == StatusCode::NOT_FOUND {
        response = answer::not_found();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    // Kept, but asked for again each time: a new version is seen at the next load.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A path with escapes is refused: what it hides would have to be looked at, and a page needs none.
fn may_leave(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let last = path.rsplit('/').next().unwrap_or("");
    let kind = last.rsplit_once('.').map(|(_, kind)| kind);
    !path.contains('%') && !hidden && kind.is_none_or(|kind| KINDS.contains(&kind))
}

/// For every answer, a file's or not.
pub async fn harmless(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 2] = [
        // What it is called is what it is: no JSON is run as a script.
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let mut response = next.run(request).await;
    response.headers_mut().extend(HEADERS);
    response
}
