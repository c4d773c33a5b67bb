use chrono::{DateTime, Utc};
use lease_core::gateway::ChargeKey;
use lease_core::id::Stored;
use lease_core::model::{Payment, PaymentState, PaymentStatus};
use lease_core::repository::RepositoryError;
use rust_decimal::Decimal;

use super::{At, Row};

/// A row of `payments`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct PaymentRow {
    id: i64,
    invoice_id: i64,
    credit_card_id: i64,
    customer_id: i64,
    amount: Decimal,
    currency: String,
    status: String,
    failure_code: Option<String>,
    gateway_reference: Option<String>,
    is_late: bool,
    charge_key: String,
    created_at: DateTime<Utc>,
}

impl Row for PaymentRow {
    type Entity = Payment;

    fn parse(self) -> Result<Stored<Payment>, RepositoryError> {
        let at = At::new("payments", self.id);
        let state = match at.name("status", &self.status)? {
            PaymentStatus::Pending => PaymentState::Pending,
            PaymentStatus::Succeeded => {
                PaymentState::Succeeded { reference: at.some("gateway_reference", self.gateway_reference)? }
            }
            PaymentStatus::Failed => PaymentState::Failed {
                failure_code: at.some("failure_code", self.failure_code)?,
                reference: at.some("gateway_reference", self.gateway_reference)?,
            },
        };
        let value = Payment {
            invoice_id: at.id("invoice_id", self.invoice_id)?,
            credit_card_id: at.id("credit_card_id", self.credit_card_id)?,
            customer_id: at.id("customer_id", self.customer_id)?,
            amount: at.money(self.amount, &self.currency)?,
            state,
            is_late: self.is_late,
            charge_key: ChargeKey::new(self.charge_key),
            created_at: self.created_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}

/// The columns of the state of a payment: its name, the reason for a failure, and the gateway's reference.
pub(crate) fn payment_columns(state: &PaymentState) -> (&'static str, Option<&str>, Option<&str>) {
    (PaymentStatus::from(state).into(), state.failure_code(), state.gateway_reference())
}
