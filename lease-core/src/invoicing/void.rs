use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::Stored;
use crate::input::{Field, Form, UpdateMode, draft};
use crate::invoicing::overdue::with_mark;
use crate::invoicing::visible_invoice;
use crate::model::{Invoice, InvoiceState, TradeState};
use crate::permission::{Act, Actor, Resource};
use crate::text;
use crate::trade::{InvoiceChange, TradeChanges, TradeSnapshot, conclude, invoice_changed};

draft! {
    /// The fields for voiding an invoice.
    pub struct VoidDraft as VoidInput {
        /// Why the invoice is voided.
        pub reason: Field<String> as required Reason,
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
    let invoice = voidable_invoice(snapshot, actor)?;
    let mut form = Form::new(UpdateMode::Full);
    let reason = form.required("reason", &draft.reason, None, |reason| text::reason(reason));
    let Some(reason) = reason else { return Err(form.errors.into()) };
    require_unpaid(invoice)?;

    let (invoice, overdue) = with_mark(invoice, now);
    let change = InvoiceChange { state: InvoiceState::Void { at: now, reason }, ..InvoiceChange::of(&invoice) };
    let voided = invoice_changed(&invoice, &change.applied_to(&invoice));
    let changes = TradeChanges { invoice: Some(change), ..TradeChanges::default() };
    let mut decision = Decision::new(changes, overdue.into_iter().chain(voided));
    if let TradeState::Agreed(agreement) = snapshot.trade.state {
        conclude(&mut decision, snapshot, agreement, true, now);
    }
    Ok(decision)
}

/// Whether the actor may void the trade's invoice now.
pub(crate) fn may_void(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    Ok(require_unpaid(voidable_invoice(snapshot, actor)?)?)
}

/// The trade's invoice, if the actor may void it.
fn voidable_invoice<'a>(snapshot: &'a TradeSnapshot, actor: &Actor) -> Result<&'a Stored<Invoice>, Error> {
    let invoice = visible_invoice(snapshot, actor)?;
    actor.require(Resource::Invoice, Act::Void)?;
    Ok(invoice)
}

/// Refuses if the invoice is not open or has payments. Failed payments do not count, since no money was taken.
fn require_unpaid(invoice: &Invoice) -> Result<(), Refusal> {
    if !invoice.is_open() {
        return Err(Refusal::InvoiceNotOpen);
    }
    if !invoice.paid.is_zero() || !invoice.pending.is_zero() {
        return Err(Refusal::InvoiceHasPayments);
    }
    Ok(())
}
