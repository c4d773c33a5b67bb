//! The company's fee (chapter 5): when it is invoiced, who is billed, and how it is paid. Pure functions, as in
//! [`lifecycle`](crate::lifecycle).

mod cancel_payment;
mod declines;
mod due_date;
mod fee;
mod issue;
mod overdue;
mod pay;
mod refund;
mod void;
mod write_off;

pub use cancel_payment::{
    PaymentCancellationDraft, cancel_payment, give_up_payment, has_waited_too_long, require_cancellable, require_waiting,
};
pub(crate) use declines::declines_since;
pub use declines::require_few_declines;
pub(crate) use due_date::may_move_due_date;
pub use due_date::{DueDateDraft, move_due_date};
pub use fee::{FeeBasis, FeeError, FeePolicy, ServiceFee};
pub(crate) use issue::{Moment, issue, owes_nothing};
pub use overdue::record_overdue;
pub(crate) use pay::may_pay;
pub use pay::{PaymentDraft, begin_payment, settle_payment};
pub(crate) use refund::may_refund;
pub use refund::{RefundDraft, begin_refund, settle_refund};
pub(crate) use void::may_void;
pub use void::{VoidDraft, void};
pub(crate) use write_off::may_write_off;
pub use write_off::{WriteOffDraft, write_off};

use chrono::{DateTime, Utc};

use self::overdue::with_mark;
use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::Stored;
use crate::model::{Invoice, InvoiceState, Payment, Refund, TradeState};
use crate::permission::{Act, Actor, Resource, can_view_invoice, can_view_payment, can_view_refund};
use crate::trade::{InvoiceChange, TradeChanges, TradeSnapshot, conclude, invoice_changed};

/// The trade's invoice, if there is one and the actor may see it.
pub(crate) fn visible_invoice<'a>(snapshot: &'a TradeSnapshot, actor: &Actor) -> Result<&'a Stored<Invoice>, Error> {
    let invoice = snapshot.invoice.as_ref().ok_or(Error::NotFound)?;
    require_invoice_view(invoice, actor)?;
    Ok(invoice)
}

/// The trade's invoice, if there is one and the actor may do this to it.
fn invoice_for<'a>(snapshot: &'a TradeSnapshot, actor: &Actor, act: Act) -> Result<&'a Stored<Invoice>, Error> {
    let invoice = visible_invoice(snapshot, actor)?;
    actor.require(Resource::Invoice, act)?;
    Ok(invoice)
}

fn require_open(invoice: &Invoice) -> Result<(), Refusal> {
    if invoice.is_open() { Ok(()) } else { Err(Refusal::InvoiceNotOpen) }
}

/// Settles the invoice without a payment, which completes an agreed trade (rule 4.7).
fn settle_unpaid(
    snapshot: &TradeSnapshot,
    invoice: &Stored<Invoice>,
    state: InvoiceState,
    now: DateTime<Utc>,
) -> Decision<TradeChanges> {
    let (invoice, overdue) = with_mark(invoice, now);
    let change = InvoiceChange { state, ..InvoiceChange::of(&invoice) };
    let settled = invoice_changed(&invoice, &change.applied_to(&invoice));
    let changes = TradeChanges { invoice: Some(change), ..TradeChanges::default() };
    let mut decision = Decision::new(changes, overdue.into_iter().chain(settled));
    if let TradeState::Agreed(agreement) = snapshot.trade.state {
        conclude(&mut decision, snapshot, agreement, true, now);
    }
    decision
}

/// Succeeds if the actor may see the invoice.
pub(crate) fn require_invoice_view(invoice: &Invoice, actor: &Actor) -> Result<(), Error> {
    actor.require_view(Resource::Invoice, |customer| can_view_invoice(customer, invoice))
}

/// Succeeds if the actor may see the refund.
pub(crate) fn require_refund_view(refund: &Refund, actor: &Actor) -> Result<(), Error> {
    actor.require_view(Resource::Refund, |customer| can_view_refund(customer, refund))
}

/// Succeeds if the actor may see the payment.
pub(crate) fn require_payment_view(payment: &Payment, actor: &Actor) -> Result<(), Error> {
    actor.require_view(Resource::Payment, |customer| can_view_payment(customer, payment))
}
