//! A payment consists of two decisions, between which the gateway is called: [`begin_payment`] reserves the amount and is
//! committed before the card is charged; [`settle_payment`] records the outcome. If the payer must act first, the second half comes
//! twice: the amount stays reserved until the gateway says what came of it. Recovery repeats the second half (rule 5.5).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::gateway::{ChargeKey, ChargeOutcome};
use crate::id::{CreditCardId, InvoiceId, Stored};
use crate::input::{Field, FieldErrors, Form, Invalid, NamedIn, UpdateMode, draft};
use crate::invoicing::overdue::with_mark;
use crate::invoicing::{require_open, visible_invoice};
use crate::model::{CreditCard, Invoice, InvoiceState, Payment, PaymentState, PaymentStatus, TradeState};
use crate::money::Money;
use crate::permission::{Act, Actor, Resource};
use crate::policy::{LatePayments, Policy};
use crate::trade::{
    InvoiceChange, PaymentChange, TradeChanges, TradeSnapshot, conclude, invoice_changed, payment_begun, payment_changed,
};

draft! {
    /// The fields for paying an invoice.
    pub struct PaymentDraft as PaymentInput {
        /// The invoice to pay; it must be billed to the caller.
        pub invoice_id: Field<InvoiceId> as required Id,
        /// The card to charge; it must be the caller's own.
        pub credit_card_id: Field<CreditCardId> as required Id,
        /// The amount to pay; by default, everything still to be paid.
        pub amount: Field<Decimal> as optional PriceInput,
        /// The currency of the amount: that of the invoice, and no other.
        pub currency: Field<String> as nullable GivenCurrency,
    }
}

/// Reserves an amount of the invoice for a charge under `key` (rule 5.4).
///
/// `snapshot` is that of the trade whose invoice the request names, if it exists. If the actor may not see the invoice,
/// `named_in` decides whether the error is "not found" or an invalid `invoice_id`.
///
/// # Errors
/// [`Error::NotFound`] for a hidden invoice; invalid fields, such as an amount above the one due; [`Refusal::InvoiceNotOpen`],
/// [`Refusal::InvoiceOverdue`], [`Refusal::PaymentPending`], [`Refusal::CardNotUsable`].
pub fn begin_payment(
    snapshot: Option<&TradeSnapshot>,
    named_in: NamedIn,
    actor: &Actor,
    draft: &PaymentDraft,
    policy: &Policy,
    key: ChargeKey,
    now: DateTime<Utc>,
) -> Result<Decision<TradeChanges>, Error> {
    let payer = actor.require_customer(Resource::Payment, Act::Create)?;
    let trade = snapshot.map(|snapshot| &snapshot.trade);
    let invoice = snapshot.and_then(|snapshot| visible_invoice(snapshot, actor).ok());
    if invoice.is_none() && named_in == NamedIn::Path {
        return Err(Error::NotFound);
    }
    let card = snapshot.and_then(|snapshot| snapshot.card.as_ref()).filter(|card| card.customer_id == payer);
    let Request { invoice, card, asked } = read_payment(invoice, named_in, card, draft)?;
    require_open(invoice)?;
    require_in_time(invoice, policy, now)?;
    let payable = invoice.payable()?;
    if payable.is_zero() {
        return Err(Refusal::PaymentPending.into());
    }
    not_more_than(asked, payable).map_err(|message| FieldErrors::one("amount", message))?;
    if !card.is_usable(now.date_naive()) {
        return Err(Refusal::CardNotUsable.into());
    }

    let amount = asked.unwrap_or(payable);
    let payment = Payment {
        invoice_id: invoice.id,
        credit_card_id: card.id,
        customer_id: payer,
        amount,
        refunded: Money::zero(amount.currency()),
        refunding: Money::zero(amount.currency()),
        state: PaymentState::Pending,
        is_late: is_late(invoice, now),
        charge_key: key,
        gateway_reference: None,
        created_at: now,
    };
    let begun = trade.map(|trade| payment_begun(trade, &payment));
    let (invoice, overdue) = with_mark(invoice, now);
    let changes = TradeChanges {
        invoice: Some(InvoiceChange { pending: invoice.pending.plus(amount)?, ..InvoiceChange::of(&invoice) }),
        new_payment: Some(payment),
        ..TradeChanges::default()
    };
    Ok(Decision::new(changes, overdue.into_iter().chain(begun)))
}

/// A payment request whose fields are valid.
struct Request<'a> {
    invoice: &'a Stored<Invoice>,
    card: &'a Stored<CreditCard>,
    asked: Option<Money>,
}

/// Reads the draft. If the invoice is unknown, every field that does not depend on it is still read, so that all invalid fields
/// are reported.
fn read_payment<'a>(
    invoice: Option<&'a Stored<Invoice>>,
    named_in: NamedIn,
    card: Option<&'a Stored<CreditCard>>,
    draft: &PaymentDraft,
) -> Result<Request<'a>, Error> {
    let mut form = Form::new(UpdateMode::Full);
    if named_in == NamedIn::Draft {
        form.required("invoice_id", &draft.invoice_id, None, |_| invoice.map(drop).ok_or(Invalid::Unknown { kind: "invoice" }));
    }
    let card = form.required("credit_card_id", &draft.credit_card_id, None, |_| match (card, invoice) {
        // Without an invoice, no card was loaded.
        (None, Some(_)) => Err(Invalid::Unknown { kind: "credit_card" }),
        (card, _) => Ok(card),
    });
    let due = invoice.map(|invoice| invoice.due()).transpose()?;
    let currency = invoice.map(|invoice| invoice.amount.currency());
    let asked = form.part(&draft.amount, currency);
    form.same_currency(&draft.currency, currency);
    if let (Some(invoice), Some(due)) = (invoice, due)
        && invoice.is_open()
        && let Some(Err(error)) = asked.map(|asked| not_more_than(asked, due))
    {
        form.errors.add("amount", error);
    }
    let (Some(invoice), Some(Some(card)), Some(asked)) = (invoice, card, asked) else { return Err(form.errors.into()) };
    form.finish()?;
    Ok(Request { invoice, card, asked })
}

/// Records what the gateway says of the charge for the snapshot's payment. `None` if that is nothing new: a payment is settled once,
/// however often this is called. A reference alone is kept without an event.
///
/// # Errors
/// [`Error::Internal`] if the snapshot is inconsistent.
pub fn settle_payment(
    snapshot: &TradeSnapshot,
    outcome: &ChargeOutcome,
    now: DateTime<Utc>,
) -> Result<Option<Decision<TradeChanges>>, Error> {
    let (Some((payment, _)), Some(invoice)) = (&snapshot.payment, &snapshot.invoice) else {
        return Err(Error::internal("a payment has no invoice"));
    };
    let mut after = outcome_of(payment, outcome, now);
    if PaymentStatus::from(&after.state) == PaymentStatus::from(&payment.state) {
        after.state.clone_from(&payment.state);
    }
    if !payment.state.is_under_way() || after == PaymentChange::of(payment) {
        return Ok(None);
    }
    let moved = payment_changed(&snapshot.trade, payment, &after.applied_to(payment));
    let is_settled = !after.state.is_under_way();
    let has_succeeded = matches!(after.state, PaymentState::Succeeded { .. });
    let changes = TradeChanges { payment: Some(after), ..TradeChanges::default() };
    if !is_settled {
        return Ok(Some(Decision::new(changes, moved)));
    }
    let (invoice, overdue) = with_mark(invoice, now);
    let change = InvoiceChange { pending: invoice.pending.minus(payment.amount)?, ..InvoiceChange::of(&invoice) };
    let mut decision = Decision::new(changes, overdue.into_iter().chain(moved));
    if has_succeeded {
        receive(&mut decision, snapshot, &invoice, payment.amount, change, now)?;
    } else {
        decision.invoice = Some(change);
    }
    Ok(Some(decision))
}

/// The payment after what the gateway says of its charge.
fn outcome_of(payment: &Stored<Payment>, outcome: &ChargeOutcome, now: DateTime<Utc>) -> PaymentChange {
    let (state, reference) = match outcome.clone() {
        ChargeOutcome::Succeeded { reference } => (PaymentState::Succeeded { at: now }, Some(reference)),
        ChargeOutcome::Declined { failure_code, reference } => (PaymentState::Failed { at: now, failure_code }, reference),
        ChargeOutcome::Cancelled { reference } => (PaymentState::Cancelled { at: now }, Some(reference)),
        ChargeOutcome::ActionRequired { reference, next_action } => (PaymentState::RequiresAction(next_action), Some(reference)),
        // The payer may have acted, and the provider is not done.
        ChargeOutcome::Pending { reference } => (payment.state.clone(), Some(reference)),
    };
    let gateway_reference = reference.or_else(|| payment.gateway_reference.clone());
    PaymentChange { state, gateway_reference, ..PaymentChange::of(payment) }
}

/// Adds a payment to the invoice. The payment that covers the rest makes the invoice paid, and completes an agreed trade
/// (I3, I6).
fn receive(
    decision: &mut Decision<TradeChanges>,
    snapshot: &TradeSnapshot,
    invoice: &Stored<Invoice>,
    amount: Money,
    mut change: InvoiceChange,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    change.paid = invoice.paid.plus(amount)?;
    let is_paid = change.paid == invoice.amount;
    if is_paid {
        change.state = InvoiceState::Paid { at: now };
    }
    decision.events.extend(invoice_changed(invoice, &change.applied_to(invoice)));
    decision.invoice = Some(change);
    if is_paid && let TradeState::Agreed(agreement) = snapshot.trade.state {
        conclude(decision, snapshot, agreement, true, now);
    }
    Ok(())
}

/// Whether the actor could begin a payment now, given a usable card.
pub(crate) fn may_pay(snapshot: &TradeSnapshot, actor: &Actor, policy: &Policy, now: DateTime<Utc>) -> Result<(), Error> {
    actor.require_customer(Resource::Payment, Act::Create)?;
    let invoice = visible_invoice(snapshot, actor)?;
    require_open(invoice)?;
    require_in_time(invoice, policy, now)?;
    if invoice.payable()?.is_zero() { Err(Refusal::PaymentPending.into()) } else { Ok(()) }
}

fn is_late(invoice: &Invoice, now: DateTime<Utc>) -> bool {
    now.date_naive() > invoice.due_date
}

fn require_in_time(invoice: &Invoice, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    if policy.late_payments == LatePayments::Reject && is_late(invoice, now) { Err(Refusal::InvoiceOverdue) } else { Ok(()) }
}

/// Checks a part that was asked for against the most that there is.
pub(super) fn not_more_than(asked: Option<Money>, most: Money) -> Result<(), Invalid> {
    match asked {
        Some(asked) if most.minus(asked).is_err() => {
            Err(Invalid::AmountTooHigh { max: most.amount().to_string(), currency: most.currency().to_string() })
        }
        _ => Ok(()),
    }
}
