use serde_json::Value;

use super::{Described, Fields, amount, optional_instant};
use crate::model::{Invoice, InvoiceStatus};

/// Whether it is overdue is what was recorded: what changes an invoice first records that it fell overdue.
impl Described for Invoice {
    fn fields(&self) -> Fields {
        let (voided_at, void_reason) = self.state.voided().unzip();
        let (written_off_at, write_off_reason) = self.state.written_off().unzip();
        vec![
            ("amount_paid", amount(self.paid)),
            ("amount_due", self.due().map_or(Value::Null, amount)),
            ("amount_refunded", amount(self.refunded)),
            ("status", <&str>::from(InvoiceStatus::from(&self.state)).into()),
            ("due_date", self.due_date.to_string().into()),
            ("is_overdue", (self.is_open() && self.overdue_at.is_some()).into()),
            ("paid_at", optional_instant(self.state.paid_at())),
            ("voided_at", optional_instant(voided_at)),
            ("void_reason", void_reason.unwrap_or_default().into()),
            ("written_off_at", optional_instant(written_off_at)),
            ("write_off_reason", write_off_reason.unwrap_or_default().into()),
        ]
    }
}
