//! What operators ask for beside the API, outside `/api`: health, metrics, and the page of the document.

use axum::Router;
use axum::routing::get;

use crate::state::AppState;
use crate::{docs, health, metrics};

/// These endpoints.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .merge(docs::router())
}
