use lease_core::model::Service;
use lease_core::repository::RepositoryError;

use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Value, name, values};

impl Table for Service {
    const NAME: &'static str = "services";
    const COLUMNS: &'static str = "name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, \
                                   is_active, is_used";

    fn values(&self) -> Vec<Value> {
        values![
            self.name,
            name(self.kind),
            name(self.invoice_on),
            name(self.bill_to),
            self.fee,
            self.fee.currency().code(),
            self.payment_due_days,
            self.description,
            self.is_active,
            self.is_used,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            name: fields.get()?,
            kind: fields.name()?,
            invoice_on: fields.name()?,
            bill_to: fields.name()?,
            fee: fields.money()?,
            payment_due_days: fields.get()?,
            description: fields.get()?,
            is_active: fields.get()?,
            is_used: fields.get()?,
        })
    }
}
