use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::input::{Field, Form, UpdateMode, draft};
use crate::invoicing::{invoice_for, require_open, settle_unpaid};
use crate::model::{Invoice, InvoiceState};
use crate::permission::{Act, Actor};
use crate::text;
use crate::trade::{TradeChanges, TradeSnapshot};

draft! {
    /// The fields for writing an invoice off.
    pub struct WriteOffDraft as WriteOffInput {
        /// Why the invoice is written off.
        pub reason: Field<String> as required Reason like "The customer cannot be reached.",
    }
}

/// Writes the trade's invoice off: the company gives up what is still due, and keeps what was paid (rule 5.3). An invoice that is
/// written off counts as settled, so an agreed trade is completed.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`Refusal::InvoiceNotOpen`], [`Refusal::PaymentPending`].
pub fn write_off(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &WriteOffDraft,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    let invoice = invoice_for(snapshot, actor, Act::WriteOff)?;
    let mut form = Form::new(UpdateMode::Full);
    let reason = form.required("reason", &draft.reason, None, |reason| text::reason(reason));
    let Some(reason) = reason else { return Err(form.errors.into()) };
    require_nothing_pending(invoice)?;
    Ok(settle_unpaid(snapshot, invoice, InvoiceState::WrittenOff { at: now, reason }, now))
}

/// Succeeds if the actor may write the trade's invoice off now.
pub(crate) fn may_write_off(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    Ok(require_nothing_pending(invoice_for(snapshot, actor, Act::WriteOff)?)?)
}

/// Refuses if the invoice is not open, or if the outcome of a payment is not known yet.
fn require_nothing_pending(invoice: &Invoice) -> Result<(), Refusal> {
    require_open(invoice)?;
    if invoice.pending.is_zero() { Ok(()) } else { Err(Refusal::PaymentPending) }
}
