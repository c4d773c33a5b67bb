use lease_core::model::{Invoice, InvoiceState, InvoiceStatus};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values};

impl Table for Invoice {
    const NAME: &'static str = "invoices";
    const COLUMNS: &'static [&'static str] = &[
        "trade_id",
        "proposal_id",
        "customer_id",
        "amount",
        "paid",
        "pending",
        "refunded",
        "currency",
        "status",
        "paid_at",
        "voided_at",
        "void_reason",
        "written_off_at",
        "write_off_reason",
        "issued_at",
        "due_date",
        "overdue_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        let (trade_id, proposal_id, customer_id) = (fields.id()?, fields.id()?, fields.id()?);
        let (amount, paid) = (fields.get()?, fields.get()?);
        let (pending, refunded) = (fields.get()?, fields.get()?);
        let currency = fields.currency()?;
        Ok(Self {
            trade_id,
            proposal_id,
            customer_id,
            amount: fields.amount(amount, currency)?,
            paid: fields.amount(paid, currency)?,
            pending: fields.amount(pending, currency)?,
            refunded: fields.amount(refunded, currency)?,
            state: read_state(fields)?,
            issued_at: fields.get()?,
            due_date: fields.get()?,
            overdue_at: fields.get()?,
        })
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<InvoiceState, RepositoryError> {
    let status = fields.name()?;
    let (paid_at, voided_at, void_reason) = (fields.get()?, fields.get()?, fields.get()?);
    let (written_off_at, write_off_reason) = (fields.get()?, fields.get()?);
    Ok(match status {
        InvoiceStatus::Open => InvoiceState::Open,
        InvoiceStatus::Paid => InvoiceState::Paid { at: fields.some("paid_at", paid_at)? },
        InvoiceStatus::Void => {
            InvoiceState::Void { at: fields.some("voided_at", voided_at)?, reason: fields.some("void_reason", void_reason)? }
        }
        InvoiceStatus::WrittenOff => InvoiceState::WrittenOff {
            at: fields.some("written_off_at", written_off_at)?,
            reason: fields.some("write_off_reason", write_off_reason)?,
        },
    })
}

/// The columns that [`write_state`] writes.
pub(crate) const STATE_COLUMNS: &str = "status, paid_at, voided_at, void_reason, written_off_at, write_off_reason";

/// Writes the [`STATE_COLUMNS`].
pub(crate) fn write_state(values: &mut Values<'_>, state: &InvoiceState) {
    let (voided_at, void_reason) = state.voided().unzip();
    let (written_off_at, write_off_reason) = state.written_off().unzip();
    values
        .push_bind::<&str>(InvoiceStatus::from(state).into())
        .push_bind(state.paid_at())
        .push_bind(voided_at)
        .push_bind(void_reason.map(str::to_owned))
        .push_bind(written_off_at)
        .push_bind(write_off_reason.map(str::to_owned));
}
