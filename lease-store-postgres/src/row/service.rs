use lease_core::event::NewRow;
use lease_core::model::Service;
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values, WriteTable};

impl Table for Service {
    const NAME: &'static str = "services";
    const COLUMNS: &'static [&'static str] = &[
        "name",
        "kind",
        "invoice_on",
        "bill_to",
        "fee_amount",
        "fee_currency",
        "payment_due_days",
        "description",
        "is_active",
        "is_used",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            name: fields.get()?,
            kind: fields.name()?,
            invoice_on: fields.name()?,
            bill_to: fields.name()?,
            fee: fields.money()?,
            payment_due_days: fields.number()?,
            description: fields.get()?,
            is_active: fields.get()?,
            is_used: fields.get()?,
        })
    }
}

impl WriteTable for Service {
    const WRITTEN: &'static str = "name, kind, invoice_on, bill_to, fee_amount, fee_currency, payment_due_days, description, \
                                   is_active, is_used";
    const NEW_ROW: Option<NewRow> = Some(NewRow::Service(0));

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(&self.name)
            .push_bind::<&str>(self.kind.into())
            .push_bind::<&str>(self.invoice_on.into())
            .push_bind::<&str>(self.bill_to.into())
            .push_bind(self.fee.amount())
            .push_bind(self.fee.currency().code())
            .push_bind(i32::from(self.payment_due_days))
            .push_bind(&self.description)
            .push_bind(self.is_active)
            .push_bind(self.is_used);
    }
}
