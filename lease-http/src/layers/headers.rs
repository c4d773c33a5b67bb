//! The headers of every response, and CORS.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use lease_core::ErrorKind;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::idempotency::{IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED};
use crate::options::{CorsOrigins, HttpOptions};
use crate::problem::Problem;
use crate::request_id::REQUEST_ID;

/// What a page that follows events sends when it connects again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Adds security headers. A header that an endpoint sets itself is kept.
pub(super) async fn secure(request: Request, next: Next) -> Response {
    const DEFAULTS: [(HeaderName, HeaderValue); 5] = [
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let mut response = next.run(request).await;
    for (name, value) in DEFAULTS {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

/// How long a browser may keep the answer to a preflight: as long as any of them does.
const PREFLIGHT_AGE: Duration = Duration::from_secs(7_200);

/// Answers OPTIONS on a path that does not exist, which the CORS layer would answer like any other.
pub(super) async fn only_known_paths(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS && request.extensions().get::<MatchedPath>().is_none() {
        return Problem::new(ErrorKind::NotFound).into_response();
    }
    next.run(request).await
}

/// The CORS layer; `None` if no other origin may call.
pub(super) fn cors(options: &HttpOptions) -> Option<CorsLayer> {
    let allowed = match &options.cors_origins {
        CorsOrigins::None => return None,
        CorsOrigins::Any => AllowOrigin::any(),
        CorsOrigins::These(origins) => AllowOrigin::list(origins.iter().cloned()),
    };
    let own = [AUTHORIZATION, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, IDEMPOTENCY_KEY, LAST_EVENT_ID, REQUEST_ID];
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods(methods)
            .allow_headers(own.into_iter().chain(options.cors_headers.iter().cloned()).collect::<Vec<_>>())
            .expose_headers([ALLOW, ETAG, LOCATION, RETRY_AFTER, IDEMPOTENCY_REPLAYED, REQUEST_ID])
            .max_age(PREFLIGHT_AGE),
    )
}
