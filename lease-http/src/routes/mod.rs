//! The endpoints, a file a resource. A handler takes what it needs out of the request, asks the engine once and answers;
//! beside it stands what it answers, as the document shows it; what it takes is a draft of core. Extensions name the codes that
//! only this operation can give (`x-codes`), the rules between the fields of its body (`x-rules`), and the operation that does the
//! same and is to be preferred (`x-instead`); [`openapi`](crate::openapi) adds what every operation of its kind has.

mod accounts;
mod contacts;
mod credit_cards;
mod customers;
mod invoices;
mod leads;
mod payments;
mod proposals;
mod services;
mod trades;
mod users;
mod vehicles;

pub(crate) use accounts::registered;
use axum::Json;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::Problem;
use crate::state::AppState;

/// What most handlers answer.
type ApiResult<T> = Result<Json<T>, Problem>;
/// What handlers answer that make something.
type Created<T> = Result<(StatusCode, Json<T>), Problem>;

/// A new thing, as a response.
fn created<T>(view: T) -> (StatusCode, Json<T>) {
    (StatusCode::CREATED, Json(view))
}

/// All endpoints below `/api`.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(accounts::router())
        .merge(users::router())
        .merge(customers::router())
        .merge(credit_cards::router())
        .merge(contacts::router())
        .merge(leads::router())
        .merge(vehicles::router())
        .merge(services::router())
        .merge(trades::router())
        .merge(proposals::router())
        .merge(invoices::router())
        .merge(payments::router())
}
