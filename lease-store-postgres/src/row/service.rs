use lease_core::id::Stored;
use lease_core::model::Service;
use lease_core::repository::RepositoryError;
use rust_decimal::Decimal;

use super::{At, Row};

/// A row of `services`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct ServiceRow {
    id: i64,
    name: String,
    kind: String,
    invoice_on: String,
    bill_to: String,
    fee_amount: Decimal,
    fee_currency: String,
    payment_due_days: i32,
    description: String,
    is_active: bool,
    is_used: bool,
}

impl Row for ServiceRow {
    type Entity = Service;

    fn parse(self) -> Result<Stored<Service>, RepositoryError> {
        let at = At::new("services", self.id);
        let value = Service {
            name: self.name,
            kind: at.name("kind", &self.kind)?,
            invoice_on: at.name("invoice_on", &self.invoice_on)?,
            bill_to: at.name("bill_to", &self.bill_to)?,
            fee: at.money(self.fee_amount, &self.fee_currency)?,
            payment_due_days: at.number("payment_due_days", self.payment_due_days)?,
            description: self.description,
            is_active: self.is_active,
            is_used: self.is_used,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}
