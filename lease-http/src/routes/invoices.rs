//! Invoices (rule 5.3). Trades issue them; no endpoint creates one.

use axum::Json;
use lease_core::id::InvoiceId;
use lease_core::invoicing::{DueDateDraft, VoidDraft, WriteOffDraft};
use lease_core::page::Page;
use lease_core::permission::Resource;
use lease_core::repository::InvoiceFilter;
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::query::{Filter, List, Params};
use crate::views::{Invoice, Listing};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_invoices))
        .routes(routes!(get_invoice, move_due_date))
        .post(routes!(void_invoice), Replay::changed(get_invoice))
        .post(routes!(write_off_invoice), Replay::changed(get_invoice))
}

/// A page of invoices.
type InvoicePage = Listing<Invoice>;

impl Filter for InvoiceFilter {
    const RESOURCE: Resource = Resource::Invoice;

    fn read(params: &mut Params) -> Self {
        Self {
            status: params.choice("status", "Only invoices with this status."),
            overdue: params.flag(
                "overdue",
                "`true` for only the invoices that are still open after their due date, `false` for only the others.",
            ),
            trade_id: params.id("trade_id", "Only the invoice of this trade."),
            customer_id: params.id("customer_id", "Only invoices billed to this customer."),
            ..Self::default()
        }
    }
}

/// List invoices
///
/// A customer sees those billed to them.
#[utoipa::path(get, path = "/api/invoices", tag = "invoices", params(List<InvoiceFilter>),
    responses((status = 200, description = "A page of invoices.", body = InvoicePage)))]
async fn list_invoices(engine: Engine, session: Session, list: List<InvoiceFilter>) -> ApiResult<InvoicePage> {
    let (filter, page, links) = list.for_reader(&session.actor)?;
    let Page { items, next, previous } = engine.list_invoices(&session.actor, filter, page).await?;
    let items: Result<Vec<_>, _> = items.into_iter().map(|invoice| Invoice::new(invoice, engine.now())).collect();
    Ok(links.respond(Page { items: items?, next, previous }, |invoice| invoice))
}

/// Get an invoice
#[utoipa::path(get, path = "/api/invoices/{id}", tag = "invoices",
    responses((status = 200, description = "The invoice.", body = Invoice)))]
async fn get_invoice(engine: Engine, session: Session, id: PathId<InvoiceId>) -> ApiResult<Invoice> {
    let id = id.or_not_found(&session.actor)?;
    let invoice = engine.get_invoice(&session.actor, id).await?;
    Ok(Json(Invoice::new(invoice, engine.now())?))
}

/// Move the due date of an invoice
///
/// For staff, while it is open.
#[utoipa::path(patch, path = "/api/invoices/{id}", tag = "invoices", request_body = DueDateDraft,
    responses((status = 200, description = "The invoice as it is now.", body = Invoice)),
    extensions(("x-codes" = json!(["permission_denied", "invoice_not_open"]))))]
async fn move_due_date(engine: Engine, session: Session, id: PathId<InvoiceId>, body: Body<DueDateDraft>) -> ApiResult<Invoice> {
    let id = id.or_not_found(&session.actor)?;
    let invoice = body.judge(engine.move_due_date(&session, id, &body).await)?;
    Ok(Json(Invoice::new(invoice, engine.now())?))
}

/// Void an invoice
///
/// For staff, while it is open and has no payments. From then on it counts as settled.
#[utoipa::path(post, path = "/api/invoices/{id}/void", tag = "invoices", request_body = VoidDraft,
    responses((status = 200, description = "The invoice as it is now.", body = Invoice)),
    extensions(("x-codes" = json!(["permission_denied", "invoice_not_open", "invoice_has_payments"]))))]
async fn void_invoice(engine: Engine, session: Session, id: PathId<InvoiceId>, body: Body<VoidDraft>) -> ApiResult<Invoice> {
    let id = id.or_not_found(&session.actor)?;
    let invoice = body.judge(engine.void_invoice(&session, id, &body).await)?;
    Ok(Json(Invoice::new(invoice, engine.now())?))
}

/// Write an invoice off
///
/// For staff, while it is open and no payment is pending: what is still due is given up. From then on it counts as settled.
#[utoipa::path(post, path = "/api/invoices/{id}/write-off", tag = "invoices", request_body = WriteOffDraft,
    responses((status = 200, description = "The invoice as it is now.", body = Invoice)),
    extensions(("x-codes" = json!(["permission_denied", "invoice_not_open", "payment_pending"]))))]
async fn write_off_invoice(
    engine: Engine,
    session: Session,
    id: PathId<InvoiceId>,
    body: Body<WriteOffDraft>,
) -> ApiResult<Invoice> {
    let id = id.or_not_found(&session.actor)?;
    let invoice = body.judge(engine.write_off_invoice(&session, id, &body).await)?;
    Ok(Json(Invoice::new(invoice, engine.now())?))
}
