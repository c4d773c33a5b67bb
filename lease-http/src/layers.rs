//! The layers that every request and every response passes. From the outside: the log line and the counters, headers,
//! compression, the memory for responses, CORS, panics, receiving the body, the deadline. `idempotency` is closer to the handlers.

mod deadline;
mod headers;
mod hold;
mod observe;
#[cfg(feature = "passwords")]
mod presence;
mod receive;

use axum::Router;
use axum::body::HttpBody;
use axum::http::Response;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::CompressionLevel;
use tower_http::compression::{CompressionLayer, DefaultPredicate, Predicate};

use crate::panic;
use crate::precompressed;
use crate::state::AppState;
pub(crate) use hold::Endless;
pub(crate) use observe::{Observation, Trail};
#[cfg(feature = "passwords")]
pub(crate) use presence::Presence;

/// A longer response is sent as it is: compressing it would take too long on a thread that serves requests.
const MAX_COMPRESSED: u64 = 256 * 1024;

fn compression() -> CompressionLayer<impl Predicate> {
    let worth_it = DefaultPredicate::new().and(IsCheap);
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it)
}

/// Whether a response is compressed when it is sent.
#[derive(Clone, Copy, Debug)]
struct IsCheap;

impl Predicate for IsCheap {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let is_long = response.body().size_hint().lower() > MAX_COMPRESSED;
        !is_long && !precompressed::is_precompressed(response.extensions())
    }
}

/// Puts the layers around the routes.
pub(crate) fn around(router: Router, state: &AppState) -> Router {
    let router = router
        .layer(from_fn_with_state(state.clone(), deadline::keep))
        .layer(from_fn_with_state(state.clone(), receive::receive))
        .layer(panic::catch());
    let router = match headers::cors(&state.options) {
        Some(cors) => router.layer(cors).layer(from_fn(headers::only_known_paths)),
        None => router,
    };
    router
        .layer(from_fn_with_state(state.clone(), hold::hold))
        .layer(compression())
        .layer(from_fn(headers::secure))
        .layer(from_fn_with_state(state.clone(), observe::observe))
}
