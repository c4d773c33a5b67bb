use chrono::{DateTime, NaiveDate, Utc};

use crate::decision::Decision;
use crate::error::Error;
use crate::id::Stored;
use crate::input::{Field, Form, Invalid, UpdateMode, draft};
use crate::invoicing::overdue::with_mark;
use crate::invoicing::{invoice_for, require_open};
use crate::permission::{Act, Actor};
use crate::text;
use crate::trade::{InvoiceChange, TradeChanges, TradeSnapshot, invoice_changed, invoice_overdue};

draft! {
    /// The fields for moving the due date of an invoice.
    pub struct DueDateDraft as DueDateInput {
        /// The last day on which it can be paid on time; not before the day of issue.
        pub due_date: Field<NaiveDate> as required DateInput like "2099-12-31",
        /// Why it is moved; the event says it.
        pub reason: Field<String> as nullable FreeText like "The bank was closed.",
    }
}

/// Moves the due date of the trade's invoice while it is open (rule 5.3). If that makes it overdue no longer, it may fall overdue
/// again.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`InvoiceNotOpen`](crate::Refusal::InvoiceNotOpen).
pub fn move_due_date(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &DueDateDraft,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    let invoice = invoice_for(snapshot, actor, Act::Update)?;
    let mut form = Form::new(UpdateMode::Partial);
    let issued_on = invoice.issued_at.date_naive();
    let due_date = form.required("due_date", &draft.due_date, Some(&invoice.due_date), |due| {
        if *due >= issued_on { Ok(*due) } else { Err(Invalid::DueBeforeIssue { issued: issued_on }) }
    });
    let reason = form.optional("reason", &draft.reason, None, String::new(), |reason| text::free(reason));
    let (Some(due_date), Some(reason)) = (due_date, reason) else { return Err(form.errors.into()) };
    require_open(invoice)?;
    let (invoice, overdue) = with_mark(invoice, now);
    let mut change = InvoiceChange { due_date, ..InvoiceChange::of(&invoice) };
    let is_overdue = change.applied_to(&invoice).is_overdue(now);
    change.overdue_at = change.overdue_at.filter(|_| is_overdue);
    let after = Stored { id: invoice.id, value: change.applied_to(&invoice) };
    let moved = invoice_changed(&invoice, &after).map(|event| event.reason(&reason));
    let fallen = (is_overdue && change.overdue_at.is_none()).then(|| {
        // It falls overdue by being moved, not at the end of a day that has long passed.
        change.overdue_at = Some(now);
        invoice_overdue(&after, &change.applied_to(&invoice))
    });
    let changes = TradeChanges { invoice: Some(change), ..TradeChanges::default() };
    Ok(Decision::new(changes, overdue.into_iter().chain(moved).chain(fallen)))
}

/// Succeeds if the actor may move the due date of the trade's invoice now.
pub(crate) fn may_move_due_date(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    Ok(require_open(invoice_for(snapshot, actor, Act::Update)?)?)
}
