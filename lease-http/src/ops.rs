//! Endpoints for operators, outside `/api`: health, metrics, and the page for the document.

#[cfg(feature = "docs")]
mod docs;
mod health;
#[cfg(feature = "metrics")]
mod metrics;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// The endpoints for operators.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    let router = OpenApiRouter::new().routes(routes!(health::healthz)).routes(routes!(health::readyz));
    #[cfg(feature = "metrics")]
    let router = router.routes(routes!(metrics::metrics));
    #[cfg(feature = "docs")]
    let router = router.merge(docs::router());
    router
}
