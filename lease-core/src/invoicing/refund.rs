//! A refund consists of two decisions, between which the gateway is called, as a payment does: [`begin_refund`] reserves the amount
//! and is committed before any money goes back; [`settle_refund`] records the outcome. Recovery repeats the second half (rule 5.7).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::gateway::RefundOutcome;
use crate::id::Stored;
use crate::input::{Field, FieldErrors, Form, UpdateMode, choice, draft};
use crate::invoicing::overdue::with_mark;
use crate::invoicing::pay::not_more_than;
use crate::invoicing::require_payment_view;
use crate::model::{Payment, PaymentState, Refund, RefundKey, RefundState};
use crate::money::Money;
use crate::permission::{Act, Actor, Resource};
use crate::text;
use crate::trade::{
    InvoiceChange, PaymentChange, RefundChange, TradeChanges, TradeSnapshot, invoice_changed, refund_begun, refund_settled,
};

draft! {
    /// The fields for refunding a payment.
    pub struct RefundDraft as RefundInput {
        /// The amount to give back; by default, everything that was not refunded yet.
        pub amount: Field<Decimal> as optional PriceInput,
        /// The currency of the amount: that of the payment, and no other.
        pub currency: Field<String> as nullable GivenCurrency,
        /// Why it is given back.
        pub reason: Field<String> as required RefundReason like "requested_by_customer",
        /// What else is to be noted.
        pub note: Field<String> as nullable FreeText like "The car was returned early.",
    }
}

/// Reserves an amount of the snapshot's payment for a refund under `key` (rule 5.7).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields, such as an amount above the one that was not refunded yet;
/// [`Refusal::PaymentNotRefundable`], [`Refusal::PaymentRefunded`].
pub fn begin_refund(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &RefundDraft,
    key: RefundKey,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    let (payment, _) = snapshot.payment.as_ref().ok_or(Error::NotFound)?;
    require_right(payment, actor)?;
    let mut form = Form::new(UpdateMode::Full);
    let currency = payment.amount.currency();
    let asked = form.part(&draft.amount, Some(currency));
    form.same_currency(&draft.currency, Some(currency));
    let reason = form.required("reason", &draft.reason, None, |reason| choice(reason));
    let note = form.optional("note", &draft.note, None, String::new(), |note| text::free(note));
    if let Some(Err(error)) = asked.map(|asked| not_more_than(asked, payment.amount)) {
        form.errors.add("amount", error);
    }
    let (Some(asked), Some(reason), Some(note)) = (asked, reason, note) else { return Err(form.errors.into()) };
    form.finish()?;
    let refundable = require_refundable(payment)?;
    not_more_than(asked, refundable).map_err(|message| FieldErrors::one("amount", message))?;

    let amount = asked.unwrap_or(refundable);
    let refund = Refund {
        payment_id: payment.id,
        invoice_id: payment.invoice_id,
        customer_id: payment.customer_id,
        amount,
        reason,
        note,
        state: RefundState::Pending,
        refund_key: key,
        gateway_reference: None,
        created_at: now,
    };
    let begun = refund_begun(&snapshot.trade, &refund);
    let changes = TradeChanges {
        payment: Some(PaymentChange { refunding: payment.refunding.plus(amount)?, ..PaymentChange::of(payment) }),
        new_refund: Some(refund),
        ..TradeChanges::default()
    };
    Ok(Decision::new(changes, [begun]))
}

/// Records what the gateway says of the snapshot's refund. `None` if that is nothing new: a refund is settled once, however often
/// this is called. What succeeded counts as refunded of the payment and of its invoice, which stays paid.
///
/// # Errors
/// [`Error::Internal`] if the snapshot is inconsistent.
pub fn settle_refund(
    snapshot: &TradeSnapshot,
    outcome: &RefundOutcome,
    now: DateTime<Utc>,
) -> Result<Option<Decision<TradeChanges>>, Error> {
    let (Some(refund), Some((payment, _)), Some(invoice)) = (&snapshot.refund, &snapshot.payment, &snapshot.invoice) else {
        return Err(Error::internal("a refund has no payment or no invoice"));
    };
    let Some(after) = outcome_of(refund, outcome, now) else { return Ok(None) };
    let moved = refund_settled(&snapshot.trade, refund, &after.applied_to(refund));
    let (is_settled, has_succeeded) = (after.state != RefundState::Pending, matches!(after.state, RefundState::Succeeded { .. }));
    let mut decision = Decision::new(TradeChanges { refund: Some(after), ..TradeChanges::default() }, moved);
    if !is_settled {
        return Ok(Some(decision));
    }
    let mut change = PaymentChange { refunding: payment.refunding.minus(refund.amount)?, ..PaymentChange::of(payment) };
    if has_succeeded {
        change.refunded = payment.refunded.plus(refund.amount)?;
        let (invoice, overdue) = with_mark(invoice, now);
        let refunded = InvoiceChange { refunded: invoice.refunded.plus(refund.amount)?, ..InvoiceChange::of(&invoice) };
        let updated = invoice_changed(&invoice, &refunded.applied_to(&invoice));
        decision.events = overdue.into_iter().chain(decision.events).chain(updated).collect();
        decision.invoice = Some(refunded);
    }
    decision.payment = Some(change);
    Ok(Some(decision))
}

/// The refund after what the gateway says of it; `None` if it does not say more than is known. A reference alone is kept without an
/// event.
fn outcome_of(refund: &Stored<Refund>, outcome: &RefundOutcome, now: DateTime<Utc>) -> Option<RefundChange> {
    if refund.state != RefundState::Pending {
        return None;
    }
    let (state, gateway_reference) = match outcome.clone() {
        RefundOutcome::Succeeded { reference } => (RefundState::Succeeded { at: now }, Some(reference)),
        RefundOutcome::Failed { failure_code, reference } => (RefundState::Failed { at: now, failure_code }, reference),
        RefundOutcome::Pending { reference } => (RefundState::Pending, Some(reference)),
    };
    let gateway_reference = gateway_reference.or_else(|| refund.gateway_reference.clone());
    let after = RefundChange { id: refund.id, state, gateway_reference };
    (after.applied_to(refund) != *refund).then_some(after)
}

/// Succeeds if the actor could begin a refund of the payment now.
pub(crate) fn may_refund(payment: &Payment, actor: &Actor) -> Result<(), Error> {
    require_right(payment, actor)?;
    require_refundable(payment).map(drop)
}

fn require_right(payment: &Payment, actor: &Actor) -> Result<(), Error> {
    require_payment_view(payment, actor)?;
    actor.require(Resource::Refund, Act::Create).map(drop)
}

/// The amount that may be refunded now, which is not zero.
fn require_refundable(payment: &Payment) -> Result<Money, Error> {
    if !matches!(payment.state, PaymentState::Succeeded { .. }) {
        return Err(Refusal::PaymentNotRefundable.into());
    }
    let refundable = payment.refundable()?;
    if refundable.is_zero() { Err(Refusal::PaymentRefunded.into()) } else { Ok(refundable) }
}
