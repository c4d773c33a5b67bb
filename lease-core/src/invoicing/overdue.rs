use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::event::Event;
use crate::id::Stored;
use crate::model::Invoice;
use crate::trade::{InvoiceChange, TradeChanges, TradeSnapshot, invoice_overdue};

/// Records that the trade's invoice fell overdue (rule 8.8). `None` if it did not, or if that is recorded.
#[must_use]
pub fn record_overdue(snapshot: &TradeSnapshot, now: DateTime<Utc>) -> Option<Decision<TradeChanges>> {
    let (invoice, overdue) = with_mark(snapshot.invoice.as_ref()?, now);
    let changes = TradeChanges { invoice: Some(InvoiceChange::of(&invoice)), ..TradeChanges::default() };
    overdue.map(|event| Decision::new(changes, [event]))
}

/// The invoice with the mark that it fell overdue, and the event that says so, if it did and has no mark yet. Each decision about
/// an invoice begins with this, so that a late payment comes after what it is late for.
pub(super) fn with_mark(invoice: &Stored<Invoice>, now: DateTime<Utc>) -> (Stored<Invoice>, Option<Event>) {
    let mut marked = invoice.clone();
    if invoice.overdue_at.is_some() || !invoice.is_overdue(now) {
        return (marked, None);
    }
    marked.value.overdue_at = Some(invoice.due_until());
    let event = invoice_overdue(invoice, &marked);
    (marked, Some(event))
}
