//! `/metrics`.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use lease_core::ErrorKind;
use prometheus::TEXT_FORMAT;

use crate::problem::Problem;
use crate::state::AppState;

/// Get the metrics for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", security(()),
    responses((status = 200, description = "The metrics, in the text format of Prometheus.", body = String,
        content_type = TEXT_FORMAT)))]
pub(crate) async fn metrics(State(state): State<AppState>) -> Response {
    match state.metrics.render(&state) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics could not be rendered");
            Problem::new(ErrorKind::InternalError).into_response()
        }
    }
}
