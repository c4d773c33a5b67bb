use chrono::{DateTime, NaiveDate, Utc};
use lease_core::Error;
use lease_core::id::{CustomerId, InvoiceId, ProposalId, Stored, TradeId};
use lease_core::model::{self, InvoiceStatus};
use lease_core::money::Currency;
use lease_core::openapi::Id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Amount;
use crate::schema;

/// The company's claim for its fee.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Invoice {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: InvoiceId,
    /// Its number.
    #[schema(pattern = "^INV-[0-9]{8,}$", example = "INV-00000042")]
    pub number: String,
    /// The trade it is for.
    #[schema(value_type = Id)]
    pub trade_id: TradeId,
    /// The proposal for which it was issued: the first, or the accepted one.
    #[schema(value_type = Id)]
    pub proposal_id: ProposalId,
    /// The customer who is billed.
    #[schema(value_type = Id)]
    pub customer_id: CustomerId,
    /// The fee.
    pub amount: Amount,
    /// The sum of the payments that succeeded.
    pub amount_paid: Amount,
    /// The sum of the refunds that succeeded. The invoice stays paid.
    pub amount_refunded: Amount,
    /// The amount still due; zero once the invoice is void or written off.
    pub amount_due: Amount,
    /// The currency of the amounts.
    #[schema(value_type = schema::Currency)]
    pub currency: Currency,
    /// Its status.
    pub status: InvoiceStatus,
    /// Whether it is still open after its due date.
    pub is_overdue: bool,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// The last day on which it can be paid on time.
    pub due_date: NaiveDate,
    /// When it was paid in full, if it was.
    #[schema(required)]
    pub paid_at: Option<DateTime<Utc>>,
    /// When it was voided, if it was.
    #[schema(required)]
    pub voided_at: Option<DateTime<Utc>>,
    /// The reason why it was voided; empty unless it is void.
    #[schema(example = "")]
    pub void_reason: String,
    /// When it was written off, if it was.
    #[schema(required)]
    pub written_off_at: Option<DateTime<Utc>>,
    /// The reason why it was written off; empty unless it is.
    #[schema(example = "")]
    pub write_off_reason: String,
}

impl Invoice {
    /// As it is at this instant, which says whether it is overdue.
    ///
    /// # Errors
    /// [`Error::Internal`] if more was paid than the fee, which no act makes possible.
    pub fn new(invoice: Stored<model::Invoice>, now: DateTime<Utc>) -> Result<Self, Error> {
        let (amount_due, is_overdue) = (invoice.due()?, invoice.is_overdue(now));
        let Stored { id, value: invoice } = invoice;
        let status = InvoiceStatus::from(&invoice.state);
        let (voided_at, void_reason) = invoice.state.voided().unzip();
        let (written_off_at, write_off_reason) = invoice.state.written_off().unzip();
        Ok(Self {
            id,
            number: id.number(),
            trade_id: invoice.trade_id,
            proposal_id: invoice.proposal_id,
            customer_id: invoice.customer_id,
            amount: invoice.amount.into(),
            amount_paid: invoice.paid.into(),
            amount_refunded: invoice.refunded.into(),
            amount_due: amount_due.into(),
            currency: invoice.amount.currency(),
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
