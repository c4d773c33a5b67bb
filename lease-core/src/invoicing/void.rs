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
    /// The fields for voiding an invoice.
    pub struct VoidDraft as VoidInput {
        /// Why the invoice is voided.
        pub reason: Field<String> as required Reason like "It was issued by mistake.",
    }
}

/// Voids the trade's invoice (rule 5.3). A void invoice counts as settled, so an agreed trade is completed.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`Refusal::InvoiceNotOpen`],
/// [`Refusal::InvoiceHasPayments`].
pub fn void(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &VoidDraft,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    let invoice = invoice_for(snapshot, actor, Act::Void)?;
    let mut form = Form::new(UpdateMode::Full);
    let reason = form.required("reason", &draft.reason, None, |reason| text::reason(reason));
    let Some(reason) = reason else { return Err(form.errors.into()) };
    require_no_payments(invoice)?;
    Ok(settle_unpaid(snapshot, invoice, InvoiceState::Void { at: now, reason }, now))
}

/// Succeeds if the actor may void the trade's invoice now.
pub(crate) fn may_void(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    Ok(require_no_payments(invoice_for(snapshot, actor, Act::Void)?)?)
}

/// Refuses if the invoice is not open or has payments. Failed payments do not count, since no money was taken.
fn require_no_payments(invoice: &Invoice) -> Result<(), Refusal> {
    require_open(invoice)?;
    if invoice.paid.is_zero() && invoice.pending.is_zero() { Ok(()) } else { Err(Refusal::InvoiceHasPayments) }
}
