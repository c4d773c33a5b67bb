//! What every request passes on its way in, and every response on its way out. From the outside: the log line and the counters,
//! headers, compression, CORS, panics, the deadline. `idempotency` stands closer to the handlers.

pub mod client;
mod deadline;
mod headers;
mod observe;

use axum::Router;
use axum::body::Body;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use lease_core::ErrorKind;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::extract::BODY_LIMIT;
use crate::problem::Problem;
use crate::state::AppState;

/// Puts the layers around the routes.
pub(crate) fn around(router: Router, state: &AppState) -> Router {
    let router = router
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(state.clone(), deadline::keep))
        .layer(CatchPanicLayer::custom(panicked));
    let router = match headers::cors(&state.options.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router
        .layer(CompressionLayer::new())
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(state.clone(), observe::observe))
}

/// A panic in a handler answers like every other fault inside.
#[expect(clippy::needless_pass_by_value, reason = "as the layer hands it over")]
pub(crate) fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response<Body> {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = message.unwrap_or_default(), "a request panicked");
    Problem::new(ErrorKind::InternalError).into_response()
}
