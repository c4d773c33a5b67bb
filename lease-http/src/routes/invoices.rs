//! Invoices (rule 5.3). Trades issue them; no endpoint creates one.

use axum::Json;
use chrono::{DateTime, NaiveDate, Utc};
use lease_core::Error;
use lease_core::id::{InvoiceId, Stored};
use lease_core::invoicing::{DueDateDraft, VoidDraft, WriteOffDraft};
use lease_core::model::{self, InvoiceStatus};
use lease_core::page::Page;
use lease_core::permission::Resource;
use lease_core::repository::InvoiceFilter;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::response::ApiResult;
use crate::auth::Session;
use crate::endpoints::Endpoints;
use crate::extract::{Body, Engine, PathId};
use crate::idempotency::Replay;
use crate::query::{Filter, List, Listing, Params};
use crate::schema::{Amount, Currency, Id};

pub(super) fn endpoints() -> Endpoints {
    Endpoints::new()
        .routes(routes!(list_invoices))
        .routes(routes!(get_invoice, move_due_date))
        .post(routes!(void_invoice), Replay::changed(get_invoice))
        .post(routes!(write_off_invoice), Replay::changed(get_invoice))
}

/// The company's claim for its fee.
#[derive(Serialize, ToSchema)]
struct Invoice {
    id: Id,
    #[schema(pattern = "^INV-[0-9]{8,}$", example = "INV-00000042")]
    number: String,
    trade_id: Id,
    /// The proposal for which it was issued: the first, or the accepted one.
    proposal_id: Id,
    /// The customer who is billed.
    customer_id: Id,
    amount: Amount,
    /// The sum of the payments that succeeded.
    amount_paid: Amount,
    /// The sum of the refunds that succeeded. The invoice stays paid.
    amount_refunded: Amount,
    /// The amount still due; zero once the invoice is void or written off.
    amount_due: Amount,
    currency: Currency,
    #[schema(value_type = InvoiceStatus)]
    status: &'static str,
    /// Whether it is still open after its due date.
    is_overdue: bool,
    issued_at: DateTime<Utc>,
    due_date: NaiveDate,
    #[schema(required)]
    paid_at: Option<DateTime<Utc>>,
    #[schema(required)]
    voided_at: Option<DateTime<Utc>>,
    /// The reason why it was voided; empty unless it is void.
    #[schema(example = "")]
    void_reason: String,
    #[schema(required)]
    written_off_at: Option<DateTime<Utc>>,
    /// The reason why it was written off; empty unless it is.
    #[schema(example = "")]
    write_off_reason: String,
}

impl Invoice {
    fn new(invoice: Stored<model::Invoice>, now: DateTime<Utc>) -> Result<Self, Error> {
        let (amount_due, is_overdue) = (invoice.due()?, invoice.is_overdue(now));
        let Stored { id, value: invoice } = invoice;
        let status = InvoiceStatus::from(&invoice.state).into();
        let (voided_at, void_reason) = invoice.state.voided().unzip();
        let (written_off_at, write_off_reason) = invoice.state.written_off().unzip();
        Ok(Self {
            id: id.into(),
            number: id.number(),
            trade_id: invoice.trade_id.into(),
            proposal_id: invoice.proposal_id.into(),
            customer_id: invoice.customer_id.into(),
            amount: invoice.amount.into(),
            amount_paid: invoice.paid.into(),
            amount_refunded: invoice.refunded.into(),
            amount_due: amount_due.into(),
            currency: invoice.amount.into(),
            status,
            is_overdue,
            issued_at: invoice.issued_at,
            due_date: invoice.due_date,
            paid_at: invoice.state.paid_at(),
            voided_at,
            void_reason: void_reason.unwrap_or_default().to_owned(),
            written_off_at,
            write_off_reason: write_off_reason.unwrap_or_default().to_owned(),
        })
    }
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
