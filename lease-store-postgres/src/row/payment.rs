use lease_core::gateway::ChargeKey;
use lease_core::model::{Payment, PaymentState, PaymentStatus};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values};

impl Table for Payment {
    const NAME: &'static str = "payments";
    const COLUMNS: &'static [&'static str] = &[
        "invoice_id",
        "credit_card_id",
        "customer_id",
        "amount",
        "currency",
        "status",
        "failure_code",
        "gateway_reference",
        "is_late",
        "charge_key",
        "created_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            invoice_id: fields.id()?,
            credit_card_id: fields.id()?,
            customer_id: fields.id()?,
            amount: fields.money()?,
            state: read_state(fields)?,
            is_late: fields.get()?,
            charge_key: ChargeKey::new(fields.get::<String>()?),
            created_at: fields.get()?,
        })
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<PaymentState, RepositoryError> {
    let status = fields.name()?;
    let (failure_code, reference) = (fields.get()?, fields.get()?);
    let reference = || fields.some("gateway_reference", reference);
    Ok(match status {
        PaymentStatus::Pending => PaymentState::Pending,
        PaymentStatus::Succeeded => PaymentState::Succeeded { reference: reference()? },
        PaymentStatus::Failed => {
            PaymentState::Failed { failure_code: fields.some("failure_code", failure_code)?, reference: reference()? }
        }
    })
}

/// Writes the columns `status`, `failure_code` and `gateway_reference`.
pub(crate) fn write_state(values: &mut Values<'_>, state: &PaymentState) {
    let status: &str = PaymentStatus::from(state).into();
    values.push_bind(status).push_bind(state.failure_code()).push_bind(state.gateway_reference());
}
