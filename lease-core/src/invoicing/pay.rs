//! A payment is two decisions with the gateway between: [`begin_payment`] reserves the amount and is committed before the
//! card is charged; [`settle_payment`] writes down what became of it. Recovery is the second half again (spec 5.5).

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::error::{Error, Refusal};
use crate::gateway::{ChargeKey, ChargeOutcome};
use crate::id::{CreditCardId, CustomerId, InvoiceId, Stored};
use crate::input::{Field, FieldErrors, Form, UpdateMode, draft};
use crate::invoicing::visible_invoice;
use crate::lifecycle::{Event, InvoiceChange, TradeChanges, TradeSnapshot, conclude};
use crate::model::{CreditCard, Invoice, InvoiceState, Payment, PaymentState, TradeState};
use crate::money::{Money, positive};
use crate::permission::{Act, Actor, Resource};
use crate::policy::{LatePayments, Policy};

draft! {
    /// The fields for paying an invoice.
    pub struct PaymentDraft as PaymentInput {
        /// The invoice to pay; it must be billed to the caller.
        pub invoice_id: Field<InvoiceId> as required Id,
        /// The card to charge; it must be the caller's own.
        pub credit_card_id: Field<CreditCardId> as required Id,
        /// How much to pay; by default, everything still to be paid.
        pub amount: Field<Decimal> as nullable PriceInput,
    }
}

/// Reserves an amount of the invoice for a charge under `key` (spec 5.4).
///
/// # Errors
/// [`Error::NotFound`] for a hidden invoice; wrong fields, more than is due among them; [`Refusal::InvoiceNotOpen`],
/// [`Refusal::InvoiceOverdue`], [`Refusal::PaymentPending`], [`Refusal::CardNotUsable`].
pub fn begin_payment(
    snapshot: &TradeSnapshot,
    actor: &Actor,
    draft: &PaymentDraft,
    policy: &Policy,
    key: ChargeKey,
    now: DateTime<Utc>,
) -> Result<TradeChanges, Error> {
    let payer = actor.require_customer(Resource::Payment, Act::Create)?;
    let invoice = visible_invoice(snapshot, actor)?;

    let mut form = Form::new(UpdateMode::Full);
    let card = form.required("credit_card_id", &draft.credit_card_id, None, |_| own_card(snapshot, payer));
    let currency = invoice.amount.currency();
    let due = invoice.due()?;
    let asked = form.optional("amount", &draft.amount, None, None, |amount| {
        positive(*amount).and_then(|amount| Money::new(amount, currency)).map(Some)
    });
    if invoice.is_open()
        && let Some(Err(error)) = asked.map(|asked| not_more_than(asked, due))
    {
        form.errors.add("amount", error);
    }
    let (Some(card), Some(asked)) = (card, asked) else { return Err(form.errors.into()) };
    form.finish()?;
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
    Ok(TradeChanges {
        invoice: Some(InvoiceChange {
            id: invoice.id,
            paid: invoice.paid,
            pending: invoice.pending.plus(amount)?,
            state: invoice.state.clone(),
        }),
        new_payment: Some(Payment {
            invoice_id: invoice.id,
            credit_card_id: card.id,
            customer_id: payer,
            amount,
            state: PaymentState::Pending,
            is_late: is_late(invoice, now),
            charge_key: key,
            created_at: now,
        }),
        events: vec![Event::PaymentBegun { invoice_id: invoice.id, amount }],
        ..TradeChanges::default()
    })
}

/// What is wrong with a draft whose invoice is not known: for callers that name the invoice in the draft.
#[must_use]
pub fn pay_unknown_invoice(actor: &Actor, draft: &PaymentDraft) -> Error {
    if let Err(error) = actor.require_customer(Resource::Payment, Act::Create) {
        return error;
    }
    let mut form = Form::new(UpdateMode::Full);
    form.required("invoice_id", &draft.invoice_id, None, |_| Err::<(), _>("There is no such invoice."));
    form.required("credit_card_id", &draft.credit_card_id, None, |_| Ok::<_, String>(()));
    form.optional("amount", &draft.amount, None, None, |amount| positive(*amount).map(Some));
    Error::Invalid(form.errors)
}

/// Writes down what became of the charge of the payment that is asked about. `None` where it is settled already: however
/// often it is asked, a payment is settled once.
///
/// # Errors
/// [`Error::Internal`] where the snapshot does not add up.
pub fn settle_payment(
    snapshot: &TradeSnapshot,
    outcome: &ChargeOutcome,
    now: DateTime<Utc>,
) -> Result<Option<TradeChanges>, Error> {
    let (Some((payment, _)), Some(invoice)) = (&snapshot.payment, &snapshot.invoice) else {
        return Err(Error::internal("a payment is settled with its invoice"));
    };
    if payment.state != PaymentState::Pending {
        return Ok(None);
    }
    let pending = invoice.pending.minus(payment.amount)?;
    let mut changes = TradeChanges::default();
    match outcome.clone() {
        ChargeOutcome::Declined { failure_code, reference } => {
            changes.events.push(Event::PaymentFailed(payment.id));
            changes.settled = Some((payment.id, PaymentState::Failed { failure_code, reference }));
            changes.invoice = Some(InvoiceChange { id: invoice.id, paid: invoice.paid, pending, state: invoice.state.clone() });
        }
        ChargeOutcome::Succeeded { reference } => {
            changes.events.push(Event::PaymentSucceeded(payment.id));
            changes.settled = Some((payment.id, PaymentState::Succeeded { reference }));
            receive(&mut changes, snapshot, invoice, payment.amount, pending, now)?;
        }
    }
    Ok(Some(changes))
}

/// Adds money to the invoice; the last of it pays it, and completes an agreed trade (I3, I6).
fn receive(
    changes: &mut TradeChanges,
    snapshot: &TradeSnapshot,
    invoice: &Stored<Invoice>,
    amount: Money,
    pending: Money,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let paid = invoice.paid.plus(amount)?;
    let is_paid = paid == invoice.amount;
    let state = if is_paid { InvoiceState::Paid { at: now } } else { invoice.state.clone() };
    changes.invoice = Some(InvoiceChange { id: invoice.id, paid, pending, state });
    if is_paid {
        changes.events.push(Event::InvoicePaid(invoice.id));
        if let TradeState::Agreed(agreement) = snapshot.trade.state {
            conclude(changes, snapshot, agreement, true, now);
        }
    }
    Ok(())
}

/// Whether the actor could begin a payment now, a good card supposed.
pub(crate) fn may_pay(snapshot: &TradeSnapshot, actor: &Actor, policy: &Policy, now: DateTime<Utc>) -> Result<(), Error> {
    actor.require_customer(Resource::Payment, Act::Create)?;
    let invoice = visible_invoice(snapshot, actor)?;
    require_open(invoice)?;
    require_in_time(invoice, policy, now)?;
    if invoice.payable()?.is_zero() { Err(Refusal::PaymentPending.into()) } else { Ok(()) }
}

fn own_card(snapshot: &TradeSnapshot, payer: CustomerId) -> Result<&Stored<CreditCard>, &'static str> {
    snapshot.card.as_ref().filter(|card| card.customer_id == payer).ok_or("There is no such credit card.")
}

fn require_open(invoice: &Invoice) -> Result<(), Refusal> {
    if invoice.is_open() { Ok(()) } else { Err(Refusal::InvoiceNotOpen) }
}

fn is_late(invoice: &Invoice, now: DateTime<Utc>) -> bool {
    now.date_naive() > invoice.due_date
}

fn require_in_time(invoice: &Invoice, policy: &Policy, now: DateTime<Utc>) -> Result<(), Refusal> {
    if policy.late_payments == LatePayments::Reject && is_late(invoice, now) { Err(Refusal::InvoiceOverdue) } else { Ok(()) }
}

fn not_more_than(asked: Option<Money>, most: Money) -> Result<(), String> {
    match asked {
        Some(asked) if most.minus(asked).is_err() => Err(format!("At most {} may be paid.", most.amount())),
        _ => Ok(()),
    }
}
