//! `/docs`: Swagger UI for the `OpenAPI` document, to which `/` and `/api` lead. All its files are part of the binary, so it
//! works offline.

use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use lease_core::ErrorKind;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::precompressed::Precompressed;
use crate::problem::Problem;
use crate::state::AppState;

/// The page may load its own files, call its own origin, and show the pictures in its style sheet. Inline styles are allowed,
/// since Swagger UI sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGE: &str = include_str!("docs/page.html");
const START: &str = include_str!("docs/start.js");

macro_rules! swagger_ui {
    ($content_type:literal, $name:literal) => {
        Precompressed {
            content_type: $content_type,
            plain: include_bytes!(concat!(env!("OUT_DIR"), "/", $name)),
            gzip: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
        }
    };
}

/// The files of Swagger UI that the build script has taken out of its archive.
const FILES: [(&str, Precompressed); 3] = [
    ("swagger-ui.css", swagger_ui!("text/css; charset=utf-8", "swagger-ui.css")),
    ("swagger-ui-bundle.js", swagger_ui!("text/javascript; charset=utf-8", "swagger-ui-bundle.js")),
    ("favicon-32x32.png", swagger_ui!("image/png", "favicon-32x32.png")),
];

/// The page and its files.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    // The files are part of the page, not of the API.
    OpenApiRouter::new()
        .routes(routes!(page))
        .route("/docs/{file}", get(file))
        .route("/", get(async |OriginalUri(uri): OriginalUri| Redirect::temporary(&from_root(uri.path()))))
        .route("/api", get(async |OriginalUri(uri): OriginalUri| Redirect::temporary(from_api(uri.path()))))
}

/// The page as seen from the path of the server itself: relative, so that it is right behind every prefix.
fn from_root(path: &str) -> String {
    match path.rsplit('/').next() {
        None | Some("") => "docs".to_owned(),
        Some(name) => format!("{name}/docs"),
    }
}

/// The page as seen from the path of the API.
fn from_api(path: &str) -> &'static str {
    if path.ends_with('/') { "../docs" } else { "docs" }
}

/// Show the documentation page
#[utoipa::path(get, path = "/docs", operation_id = "docs", tag = "operation", security(()),
    responses((status = 200, description = "The page.", body = String, content_type = "text/html; charset=utf-8")))]
async fn page(OriginalUri(uri): OriginalUri) -> impl IntoResponse {
    // The page refers to its files by relative addresses, so that it can be nested anywhere, with or without a trailing slash.
    let folder = if uri.path().ends_with('/') { "." } else { "./docs" };
    ([(CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE.replace("{{folder}}", folder)))
}

async fn file(name: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Response {
    let Ok(Path(name)) = name else { return Problem::new(ErrorKind::NotFound).into_response() };
    if name == "start.js" {
        return ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "no-cache")], START).into_response();
    }
    match FILES.iter().find(|(known, _)| *known == name) {
        Some((_, file)) => ([(CACHE_CONTROL, "public, max-age=86400")], file.response(&headers)).into_response(),
        None => Problem::new(ErrorKind::NotFound).into_response(),
    }
}
