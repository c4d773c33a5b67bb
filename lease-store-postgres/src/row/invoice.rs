use chrono::{DateTime, NaiveDate, Utc};
use lease_core::id::Stored;
use lease_core::model::{Invoice, InvoiceState, InvoiceStatus};
use lease_core::repository::RepositoryError;
use rust_decimal::Decimal;

use super::{At, Row};

/// A row of `invoices`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct InvoiceRow {
    id: i64,
    trade_id: i64,
    proposal_id: i64,
    customer_id: i64,
    amount: Decimal,
    currency: String,
    paid: Decimal,
    pending: Decimal,
    status: String,
    issued_at: DateTime<Utc>,
    due_date: NaiveDate,
    paid_at: Option<DateTime<Utc>>,
    voided_at: Option<DateTime<Utc>>,
    void_reason: Option<String>,
}

impl Row for InvoiceRow {
    type Entity = Invoice;

    fn parse(self) -> Result<Stored<Invoice>, RepositoryError> {
        let at = At::new("invoices", self.id);
        let state = match at.name("status", &self.status)? {
            InvoiceStatus::Open => InvoiceState::Open,
            InvoiceStatus::Paid => InvoiceState::Paid { at: at.some("paid_at", self.paid_at)? },
            InvoiceStatus::Void => InvoiceState::Void {
                at: at.some("voided_at", self.voided_at)?,
                reason: at.some("void_reason", self.void_reason)?,
            },
        };
        let value = Invoice {
            trade_id: at.id("trade_id", self.trade_id)?,
            proposal_id: at.id("proposal_id", self.proposal_id)?,
            customer_id: at.id("customer_id", self.customer_id)?,
            amount: at.money(self.amount, &self.currency)?,
            paid: at.money(self.paid, &self.currency)?,
            pending: at.money(self.pending, &self.currency)?,
            state,
            issued_at: self.issued_at,
            due_date: self.due_date,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}

/// The columns of the state of an invoice.
#[derive(Clone, Copy, Default)]
pub(crate) struct InvoiceColumns<'a> {
    pub(crate) status: Option<&'static str>,
    pub(crate) paid_at: Option<DateTime<Utc>>,
    pub(crate) voided_at: Option<DateTime<Utc>>,
    pub(crate) void_reason: Option<&'a str>,
}

impl<'a> InvoiceColumns<'a> {
    /// The columns for this state.
    pub(crate) fn of(state: &'a InvoiceState) -> Self {
        let status = Some(InvoiceStatus::from(state).into());
        match state {
            InvoiceState::Open => Self { status, ..Self::default() },
            InvoiceState::Paid { at } => Self { status, paid_at: Some(*at), ..Self::default() },
            InvoiceState::Void { at, reason } => {
                Self { status, voided_at: Some(*at), void_reason: Some(reason.as_str()), ..Self::default() }
            }
        }
    }
}
