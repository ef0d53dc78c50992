//! The page and the package's files, and the headers that keep a page's answers harmless.

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

/// Everything from this origin and nothing else; no inline script, no inline style, no form that leaves
/// the page, no frame around it. `wasm-unsafe-eval` compiles WebAssembly and allows no `eval`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
);

/// What a page consists of. A list of what may leave, so that a forgotten `.env`, a database, a source file
/// or a key in the folder does not.
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
    // Of a folder that is not there nothing leaves.
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
    // Kept, but asked for again each time: a new version is seen at the next load.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

async fn may_leave(folder: &Path, path: &str) -> bool {
    match file_of(path) {
        Some(file) => is_within(folder, file).await,
        None => false,
    }
}

/// The file that a path names, if it is one that a page consists of. A path with escapes is refused: what it
/// hides would have to be looked at, and a page needs none.
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

/// A link may lead out of the folder, so what counts is where the file lies in truth.
async fn is_within(folder: &Path, file: PathBuf) -> bool {
    let found = tokio::fs::canonicalize(folder.join(file)).await;
    found.is_ok_and(|found| found.starts_with(folder))
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
