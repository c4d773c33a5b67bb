//! Refunds (rule 5.7).

use axum::Json;
use axum::http::StatusCode;
use lease_core::Error;
use lease_core::id::{PaymentId, RefundId, Stored};
use lease_core::invoicing::RefundDraft;
use lease_core::model::{self, RefundState};
use lease_core::permission::Resource;
use lease_core::repository::RefundFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, CreatedResponse, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::query::{Filter, List, Params};
use crate::views::{Listing, Refund};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_refunds))
        .routes(routes!(get_refund))
        .routes(routes!(list_payment_refunds))
        .post(routes!(refund_payment), Replay::created(get_outcome))
}

/// A page of refunds.
type RefundPage = Listing<Refund>;

impl Filter for RefundFilter {
    const RESOURCE: Resource = Resource::Refund;

    fn read(params: &mut Params) -> Self {
        Self {
            payment_id: params.id("payment_id", "Only refunds of this payment."),
            invoice_id: params.id("invoice_id", "Only refunds of payments of this invoice."),
            customer_id: params.id("customer_id", "Only refunds of payments by this customer."),
            status: params.choice("status", "Only refunds with this status."),
            ..Self::default()
        }
    }
}

/// List refunds
///
/// A customer sees those of their own payments.
#[utoipa::path(get, path = "/api/refunds", tag = "refunds", params(List<RefundFilter>),
    responses((status = 200, description = "A page of refunds.", body = RefundPage)))]
async fn list_refunds(engine: Engine, session: Session, list: List<RefundFilter>) -> ApiResult<RefundPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_refunds(&session.actor, filter, page).await?;
    Ok(links.respond(found, Refund::from))
}

/// List the refunds of a payment
#[utoipa::path(get, path = "/api/payments/{id}/refunds", tag = "refunds", params(List<RefundFilter>),
    responses((status = 200, description = "A page of refunds.", body = RefundPage)))]
async fn list_payment_refunds(
    engine: Engine,
    session: Session,
    payment: PathId<PaymentId>,
    list: List<RefundFilter>,
) -> ApiResult<RefundPage> {
    let payment = payment.or_not_found(&session.actor)?;
    let (filter, page, links) = match list.for_reader(&session.actor) {
        Ok(asked) => asked,
        Err(problem) => {
            // A payment that the actor may not see is not found, whatever is wrong with the parameters.
            engine.get_payment(&session.actor, payment).await?;
            return Err(problem);
        }
    };
    let found = engine.list_refunds_of(&session.actor, payment, filter, page).await?;
    Ok(links.respond(found, Refund::from))
}

/// Get a refund
#[utoipa::path(get, path = "/api/refunds/{id}", tag = "refunds",
    responses((status = 200, description = "The refund.", body = Refund)))]
async fn get_refund(engine: Engine, session: Session, id: PathId<RefundId>) -> ApiResult<Refund> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_refund(&session.actor, id).await?.into()))
}

/// Refund a payment
///
/// For staff. A refund that the gateway refuses is stored as failed; one for which the gateway does not respond stays pending and is
/// settled later. The invoice stays paid and the trade as it is.
#[utoipa::path(post, path = "/api/payments/{id}/refunds", tag = "refunds", request_body = RefundDraft,
    responses((status = 201, description = "The refund succeeded.", body = Refund),
        (status = 202, description = "The gateway has not responded yet, or is not done; the refund is pending.", body = Refund)),
    extensions(("x-codes" = json!(["refund_failed", "permission_denied", "payment_not_refundable", "payment_refunded"]))))]
async fn refund_payment(
    engine: Engine,
    session: Session,
    payment: PathId<PaymentId>,
    body: Body<RefundDraft>,
) -> Created<Refund> {
    let payment = payment.or_not_found(&session.actor)?;
    let refund = body.judge(engine.refund_payment(&session, payment, &body).await)?;
    Ok(refunded(refund))
}

/// The response to a refund whose first response was lost, by its present status: for one that failed it is the same error.
async fn get_outcome(engine: Engine, session: Session, id: PathId<RefundId>) -> Created<Refund> {
    let id = id.or_not_found(&session.actor)?;
    let refund = engine.get_refund(&session.actor, id).await?;
    match refund.state {
        RefundState::Failed { .. } => Err(Error::RefundFailed(Box::new(refund)).into()),
        RefundState::Pending | RefundState::Succeeded { .. } => Ok(refunded(refund)),
    }
}

fn refunded(refund: Stored<model::Refund>) -> CreatedResponse<Refund> {
    let is_pending = refund.state == RefundState::Pending;
    let (_, id, body) = created(refund.id, refund.into());
    (if is_pending { StatusCode::ACCEPTED } else { StatusCode::CREATED }, id, body)
}
