use serde_json::Value;

use super::{Described, Fields, amount, optional_instant};
use crate::model::{Invoice, InvoiceState, InvoiceStatus};

/// Whether it is overdue is what was recorded: what changes an invoice first records that it fell overdue.
impl Described for Invoice {
    fn fields(&self) -> Fields {
        let (paid_at, voided_at, reason) = match &self.state {
            InvoiceState::Open => (None, None, ""),
            InvoiceState::Paid { at } => (Some(*at), None, ""),
            InvoiceState::Void { at, reason } => (None, Some(*at), reason.as_str()),
        };
        vec![
            ("amount_paid", amount(self.paid)),
            ("amount_due", self.due().map_or(Value::Null, amount)),
            ("status", <&str>::from(InvoiceStatus::from(&self.state)).into()),
            ("due_date", self.due_date.to_string().into()),
            ("is_overdue", (self.is_open() && self.overdue_at.is_some()).into()),
            ("paid_at", optional_instant(paid_at)),
            ("voided_at", optional_instant(voided_at)),
            ("void_reason", reason.into()),
        ]
    }
}
