//! The layers that every request and every response passes. From the outside: the log line and the counters, headers,
//! compression, CORS, panics, receiving the body, the deadline. `idempotency` is closer to the handlers.

mod deadline;
mod headers;
mod observe;
mod receive;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, DefaultPredicate, Predicate};

use crate::panic;
use crate::precompressed;
use crate::state::AppState;
pub(crate) use deadline::Presence;

pub(crate) use observe::Trail;
pub(crate) use receive::Uploads;

fn compression() -> CompressionLayer<impl Predicate> {
    let worth_it = DefaultPredicate::new().and(precompressed::is_other);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it)
}

/// Puts the layers around the routes.
pub(crate) fn around(router: Router, state: &AppState) -> Router {
    let router = router
        .layer(from_fn_with_state(state.clone(), deadline::keep))
        .layer(from_fn_with_state(state.clone(), receive::receive))
        .layer(panic::catch());
    let router = match headers::cors(&state.options.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router.layer(compression()).layer(from_fn(headers::secure)).layer(from_fn_with_state(state.clone(), observe::observe))
}
