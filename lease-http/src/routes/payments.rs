//! Payments (rules 5.4, 5.5).

use axum::Json;
use axum::http::StatusCode;
use lease_core::Error;
use lease_core::engine::{PayerDraft, WithActions};
use lease_core::id::{InvoiceId, PaymentId};
use lease_core::invoicing::{PaymentCancellationDraft, PaymentDraft};
use lease_core::model::{self, PaymentState};
use lease_core::permission::{Act, Resource};
use lease_core::repository::PaymentFilter;
use utoipa_axum::routes;

use super::response::{ApiResult, Created, CreatedResponse, created};
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::query::{Filter, List, Params};
use crate::schema::InvoicePaymentInput;
use crate::views::{Listing, Payment};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_payments))
        .post(routes!(create_payment), Replay::created(get_outcome))
        .routes(routes!(get_payment))
        .post(routes!(create_invoice_payment), Replay::created(get_outcome))
        .post(routes!(cancel_payment), Replay::changed(get_payment))
        .post(routes!(act_as_payer), Replay::changed(get_payment))
}

/// A page of payments.
type PaymentPage = Listing<Payment>;

impl Filter for PaymentFilter {
    const RESOURCE: Resource = Resource::Payment;

    fn read(params: &mut Params) -> Self {
        Self {
            invoice_id: params.id("invoice_id", "Only payments of this invoice."),
            status: params.choice("status", "Only payments with this status."),
            customer_id: params.id("customer_id", "Only payments by this customer."),
            credit_card_id: params.id("credit_card_id", "Only payments with this card."),
            ..Self::default()
        }
    }
}

/// List payments
///
/// A customer sees their own.
#[utoipa::path(get, path = "/api/payments", tag = "payments", params(List<PaymentFilter>),
    responses((status = 200, description = "A page of payments.", body = PaymentPage)))]
async fn list_payments(engine: Engine, session: Session, list: List<PaymentFilter>) -> ApiResult<PaymentPage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let found = engine.list_payments(&session.actor, filter, page).await?;
    Ok(links.respond(found, Payment::from))
}

/// Pay an invoice
///
/// For the billed customer. A payment that the gateway declines is stored as failed; one for which the gateway does not respond
/// stays pending and is settled later. The payer may have to act before the card is charged: then `next_action` says how, and the
/// amount stays reserved until they have, the payment is cancelled, or their time is over.
#[utoipa::path(post, path = "/api/payments", tag = "payments", request_body = PaymentDraft,
    responses((status = 201, description = "The payment succeeded, or requires that the payer acts.", body = Payment),
        (status = 202, description = "The gateway has not responded yet; the payment is pending.", body = Payment)),
    extensions(("x-codes" = json!([
        "card_declined", "permission_denied", "invoice_not_open", "invoice_overdue", "payment_pending", "card_not_usable",
        "throttled"]))))]
async fn create_payment(engine: Engine, session: Session, body: Body<PaymentDraft>) -> Created<Payment> {
    let payment = body.judge(engine.create_payment(&session, &body).await)?;
    Ok(paid(payment))
}

/// Pay this invoice
///
/// For the billed customer. A payment that the gateway declines is stored as failed; one for which the gateway does not respond
/// stays pending and is settled later. The payer may have to act before the card is charged: then `next_action` says how, and the
/// amount stays reserved until they have, the payment is cancelled, or their time is over.
#[utoipa::path(post, path = "/api/invoices/{id}/payments", tag = "payments", request_body = InvoicePaymentInput,
    responses((status = 201, description = "The payment succeeded, or requires that the payer acts.", body = Payment),
        (status = 202, description = "The gateway has not responded yet; the payment is pending.", body = Payment)),
    extensions(("x-codes" = json!([
        "card_declined", "permission_denied", "invoice_not_open", "invoice_overdue", "payment_pending", "card_not_usable",
        "throttled"]))))]
async fn create_invoice_payment(
    engine: Engine,
    session: Session,
    invoice: PathId<InvoiceId>,
    body: Body<PaymentDraft>,
) -> Created<Payment> {
    let invoice = invoice.or_not_found_to(&session.actor, Resource::Payment, Act::Create)?;
    let payment = body.judge(engine.pay_invoice(&session, invoice, &body).await)?;
    Ok(paid(payment))
}

/// Get a payment
#[utoipa::path(get, path = "/api/payments/{id}", tag = "payments",
    responses((status = 200, description = "The payment.", body = Payment)))]
async fn get_payment(engine: Engine, session: Session, id: PathId<PaymentId>) -> ApiResult<Payment> {
    let id = id.or_not_found(&session.actor)?;
    Ok(Json(engine.get_payment(&session.actor, id).await?.into()))
}

/// The response to a payment whose first response was lost, by its present status: for a declined payment it is the same error.
async fn get_outcome(engine: Engine, session: Session, id: PathId<PaymentId>) -> Created<Payment> {
    let id = id.or_not_found(&session.actor)?;
    let payment = engine.get_payment(&session.actor, id).await?;
    match &payment.stored.state {
        PaymentState::Failed { failure_code, .. } => {
            let failure_code = failure_code.clone();
            Err(Error::CardDeclined { failure_code, payment: Some(Box::new(payment.stored)) }.into())
        }
        _ => Ok(paid(payment)),
    }
}

fn paid(payment: WithActions<model::Payment>) -> CreatedResponse<Payment> {
    let is_pending = payment.stored.state == PaymentState::Pending;
    let (_, id, body) = created(payment.stored.id, payment.into());
    (if is_pending { StatusCode::ACCEPTED } else { StatusCode::CREATED }, id, body)
}

/// Cancel a payment
///
/// One that waits for its payer: the gateway gives the charge up first. For the payer and for staff. If the payer was quicker, the
/// money counts, and the response is 409. The body may be left out.
#[utoipa::path(post, path = "/api/payments/{id}/cancel", tag = "payments", request_body = Option<PaymentCancellationDraft>,
    responses((status = 200, description = "The payment, which is cancelled.", body = Payment)),
    extensions(("x-codes" = json!(["permission_denied", "payment_pending", "payment_settled"]))))]
async fn cancel_payment(
    engine: Engine,
    session: Session,
    id: PathId<PaymentId>,
    body: Option<Body<PaymentCancellationDraft>>,
) -> ApiResult<Payment> {
    let id = id.or_not_found(&session.actor)?;
    let body = body.unwrap_or_default();
    let payment = body.judge(engine.cancel_payment(&session, id, &body).await)?;
    Ok(Json(payment.into()))
}

/// Play the payer
///
/// Under the sandbox, ends a payment that waits for its payer. For the payer.
#[utoipa::path(post, path = "/api/sandbox/payments/{id}", tag = "payments", request_body = PayerDraft,
    responses((status = 200, description = "The payment as it is now.", body = Payment)),
    extensions(("x-codes" = json!(["permission_denied", "payment_pending", "payment_settled"]))))]
async fn act_as_payer(engine: Engine, session: Session, id: PathId<PaymentId>, body: Body<PayerDraft>) -> ApiResult<Payment> {
    let id = id.or_not_found_to(&session.actor, Resource::Payment, Act::Create)?;
    let payment = body.judge(engine.act_as_payer(&session, id, &body).await)?;
    Ok(Json(payment.into()))
}
