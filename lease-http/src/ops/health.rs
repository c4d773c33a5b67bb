//! The endpoints for liveness and readiness.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::AppState;

/// The response if all is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok", pattern = "^ok$")]
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// Check that the process responds
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()),
    responses((status = 200, description = "The process responds.", body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    OK
}

/// Check that the store responds as well
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()),
    responses((status = 200, description = "The process and its store respond.", body = Health)))]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    state.engine.ping().await?;
    Ok(OK)
}
