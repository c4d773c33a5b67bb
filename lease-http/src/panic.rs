//! A panic in a handler gets the same response as every other internal error.

use std::any::Any;

use axum::response::{IntoResponse, Response};
use lease_core::ErrorKind;
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::Problem;

/// The layer that responds 500 if a service inside it panics.
pub(crate) fn catch() -> CatchPanicLayer<fn(Box<dyn Any + Send>) -> Response> {
    CatchPanicLayer::custom(respond)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer passes it by value")]
fn respond(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = message.unwrap_or_default(), "a request panicked");
    Problem::new(ErrorKind::InternalError).into_response()
}
