use lease_core::gateway::RefundKey;
use lease_core::model::{Refund, RefundState, RefundStatus};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values};

impl Table for Refund {
    const NAME: &'static str = "refunds";
    const COLUMNS: &'static [&'static str] = &[
        "payment_id",
        "invoice_id",
        "customer_id",
        "amount",
        "currency",
        "reason",
        "note",
        "status",
        "settled_at",
        "failure_code",
        "gateway_reference",
        "refund_key",
        "created_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            payment_id: fields.id()?,
            invoice_id: fields.id()?,
            customer_id: fields.id()?,
            amount: fields.money()?,
            reason: fields.name()?,
            note: fields.get()?,
            state: read_state(fields)?,
            gateway_reference: fields.get()?,
            refund_key: RefundKey::new(fields.get::<String>()?),
            created_at: fields.get()?,
        })
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<RefundState, RepositoryError> {
    let status = fields.name()?;
    let (settled_at, failure_code) = (fields.get()?, fields.get()?);
    Ok(match status {
        RefundStatus::Pending => RefundState::Pending,
        RefundStatus::Succeeded => RefundState::Succeeded { at: fields.some("settled_at", settled_at)? },
        RefundStatus::Failed => RefundState::Failed {
            at: fields.some("settled_at", settled_at)?,
            failure_code: fields.some("failure_code", failure_code)?,
        },
    })
}

/// The columns that [`write_state`] writes.
pub(crate) const STATE_COLUMNS: &str = "status, settled_at, failure_code";

/// Writes the [`STATE_COLUMNS`].
pub(crate) fn write_state(values: &mut Values<'_>, state: &RefundState) {
    values
        .push_bind::<&str>(RefundStatus::from(state).into())
        .push_bind(state.settled_at())
        .push_bind(state.failure_code().map(str::to_owned));
}
