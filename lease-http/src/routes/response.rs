use axum::http::StatusCode;
use axum::{Extension, Json};
use lease_core::id::Id;

use crate::extract::CreatedId;
use crate::problem::Problem;

/// The response of most handlers.
pub(super) type ApiResult<T> = Result<Json<T>, Problem>;
/// The response of handlers that create something. A layer names its place in `Location`.
pub(super) type Created<T> = Result<CreatedResponse<T>, Problem>;
pub(super) type CreatedResponse<T> = (StatusCode, Extension<CreatedId>, Json<T>);

/// The response about a row that was just created.
pub(super) fn created<T>(id: impl Id, view: T) -> CreatedResponse<T> {
    (StatusCode::CREATED, Extension(CreatedId(id.get())), Json(view))
}
