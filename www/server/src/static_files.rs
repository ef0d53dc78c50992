//! The page's and the package's files, and the headers that make a page's answers harmless.

use std::path::{Path, PathBuf};

use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any_service},
};
use std::sync::Arc;
use tower_http::services::ServeDir;

use crate::{answer, app::App, config::Config};

/// Only content from this origin; no inline script, no inline style, no form that leaves the page, no frame
/// around it. `wasm-unsafe-eval` permits compiling WebAssembly, but not `eval`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// The kinds of files in a page. A list of what may be served, so that a forgotten `.env`, a database, a
/// source file or a key in the folder is not.
const KINDS: [&str; 15] = [
    "css", "html", "ico", "jpg", "js", "json", "map", "mjs", "png", "svg", "ts", "txt", "wasm",
    "webp", "woff2",
];

pub fn add(mut router: Router<Arc<App>>, config: &Config) -> Router<Arc<App>> {
    if let Some(folder) = &config.package {
        router = router.nest("/tokenkeep", Router::new().fallback_service(files(folder)));
    }
    match &config.www {
        Some(folder) => router.fallback_service(files(folder)),
        None => router.fallback(async || answer::not_found()),
    }
}

fn files(folder: &Path) -> MethodRouter {
    // From a folder that does not exist, nothing is served.
    let folder: Arc<Path> = folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).into();
    any_service(ServeDir::new(&folder)).layer(from_fn_with_state(folder, page))
}

async fn page(State(folder): State<Arc<Path>>, request: Request, next: Next) -> Response {
    let mut response = if may_leave(&folder, request.uri().path()).await {
        next.run(request).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    };
    if response.status() == StatusCode::NOT_FOUND {
        response = answer::not_found();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    // Cached, but revalidated each time: a new version is seen at the next load.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn may_leave(folder: &Path, path: &str) -> bool {
    match file_of(path) {
        Some(file) => is_within(folder, file).await,
        None => false,
    }
}

/// The file that a path names, if it is part of a page. A path with escapes is refused: the escapes would
/// have to be decoded and checked, and a page needs none.
fn file_of(path: &str) -> Option<PathBuf> {
    let path = path.strip_prefix('/')?;
    let last = path.rsplit('/').next()?;
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    if path.contains(['%', '\\', '\0']) || path.starts_with('/') || hidden {
        return None;
    }
    if last.is_empty() {
        return Some(Path::new(path).join("index.html"));
    }
    let (_, kind) = last.rsplit_once('.')?;
    KINDS.contains(&kind).then(|| path.into())
}

/// A link may lead out of the folder, so the file's real path counts.
async fn is_within(folder: &Path, file: PathBuf) -> bool {
    let found = tokio::fs::canonicalize(folder.join(file)).await;
    found.is_ok_and(|found| found.starts_with(folder))
}

/// For every answer, file or not.
pub async fn harmless(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, HeaderValue); 2] = [
        // The declared type counts: no JSON is run as a script.
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let mut response = next.run(request).await;
    response.headers_mut().extend(HEADERS);
    response
}
