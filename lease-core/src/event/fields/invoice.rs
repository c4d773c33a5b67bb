use serde_json::Value;

use super::{Described, Fields, amount, optional_instant};
use crate::model::{Invoice, InvoiceState, InvoiceStatus};

/// Whether it is overdue is what was recorded: what changes an invoice first records that it fell overdue.
impl Described for Invoice {
    fn fields(&self) -> Fields {
        let (mut paid_at, mut voided_at, mut written_off_at) = (None, None, None);
        let (mut void_reason, mut write_off_reason) = ("", "");
        match &self.state {
            InvoiceState::Open => {}
            InvoiceState::Paid { at } => paid_at = Some(*at),
            InvoiceState::Void { at, reason } => (voided_at, void_reason) = (Some(*at), reason),
            InvoiceState::WrittenOff { at, reason } => (written_off_at, write_off_reason) = (Some(*at), reason),
        }
        vec![
            ("amount_paid", amount(self.paid)),
            ("amount_due", self.due().map_or(Value::Null, amount)),
            ("status", <&str>::from(InvoiceStatus::from(&self.state)).into()),
            ("due_date", self.due_date.to_string().into()),
            ("is_overdue", (self.is_open() && self.overdue_at.is_some()).into()),
            ("paid_at", optional_instant(paid_at)),
            ("voided_at", optional_instant(voided_at)),
            ("void_reason", void_reason.into()),
            ("written_off_at", optional_instant(written_off_at)),
            ("write_off_reason", write_off_reason.into()),
        ]
    }
}
