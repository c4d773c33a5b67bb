use super::{Described, Fields, amount};
use crate::model::Service;

impl Described for Service {
    fn fields(&self) -> Fields {
        vec![
            ("name", self.name.as_str().into()),
            ("kind", <&str>::from(self.kind).into()),
            ("invoice_on", <&str>::from(self.invoice_on).into()),
            ("bill_to", <&str>::from(self.bill_to).into()),
            ("amount", amount(self.fee)),
            ("currency", self.fee.currency().code().into()),
            ("payment_due_days", self.payment_due_days.into()),
            ("description", self.description.as_str().into()),
            ("is_active", self.is_active.into()),
        ]
    }
}
