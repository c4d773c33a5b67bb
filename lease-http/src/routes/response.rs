use axum::Json;
use axum::http::StatusCode;

use crate::problem::Problem;

/// The response of most handlers.
pub(super) type ApiResult<T> = Result<Json<T>, Problem>;
/// The response of handlers that create something.
pub(super) type Created<T> = Result<(StatusCode, Json<T>), Problem>;

/// The response about a row that was just created.
pub(super) fn created<T>(view: T) -> (StatusCode, Json<T>) {
    (StatusCode::CREATED, Json(view))
}
