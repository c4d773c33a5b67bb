//! The layers that every request and every response passes. From the outside: the log line and the counters, headers,
//! compression, CORS, panics, the deadline. `idempotency` is closer to the handlers.

mod deadline;
mod headers;
mod observe;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::compression::CompressionLayer;

use crate::extract::BODY_LIMIT;
use crate::panic;
use crate::state::AppState;

/// Puts the layers around the routes.
pub(crate) fn around(router: Router, state: &AppState) -> Router {
    let router = router
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(state.clone(), deadline::keep))
        .layer(panic::catch());
    let router = match headers::cors(&state.options.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router
        .layer(CompressionLayer::new())
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(state.clone(), observe::observe))
}
