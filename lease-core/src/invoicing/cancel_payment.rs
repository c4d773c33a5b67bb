//! Giving up a payment that waits for its payer (rule 5.5). The decision allows it, the gateway does it, and
//! [`settle_payment`](super::settle_payment) records what came of it: an amount is released only after the gateway gave the charge
//! up.

use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::event::{Event, EventType};
use crate::gateway::ChargeOutcome;
use crate::id::Stored;
use crate::input::{Field, Form, UpdateMode, draft};
use crate::invoicing::{require_payment_view, settle_payment};
use crate::model::{Payment, PaymentState};
use crate::permission::{Act, Actor, Resource};
use crate::policy::Policy;
use crate::text;
use crate::trade::{TradeChanges, TradeSnapshot};

draft! {
    /// The fields for giving up a payment.
    pub struct PaymentCancellationDraft as PaymentCancellationInput {
        /// Why it is given up; the event says it.
        pub reason: Field<String> as nullable FreeText like "The customer pays in another way.",
    }
}

/// The reason for which the actor gives the payment up, blank if they say none.
///
/// # Errors
/// As [`require_cancellable`]; invalid fields.
pub fn cancel_payment(payment: &Payment, actor: &Actor, draft: &PaymentCancellationDraft) -> Result<String, Error> {
    require_right(payment, actor)?;
    let mut form = Form::new(UpdateMode::Full);
    let reason = form.optional("reason", &draft.reason, None, String::new(), |reason| text::free(reason));
    let Some(reason) = reason else { return Err(form.errors.into()) };
    require_waiting(payment)?;
    Ok(reason)
}

/// Records what the gateway says of the charge that it was asked to give up, as [`settle_payment`](super::settle_payment) does; if it
/// gave it up, for this reason.
///
/// # Errors
/// As [`settle_payment`](super::settle_payment).
pub fn give_up_payment(
    snapshot: &TradeSnapshot,
    outcome: &ChargeOutcome,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<Option<Decision<TradeChanges>>, Error> {
    let Some(Decision { changes, events }) = settle_payment(snapshot, outcome, now)? else { return Ok(None) };
    let with_reason = |event: Event| match event.event_type {
        EventType::PaymentCancelled => event.reason(reason),
        _ => event,
    };
    Ok(Some(Decision::new(changes, events.into_iter().map(with_reason))))
}

/// Succeeds if the actor may cancel the payment now.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`Refusal::PaymentPending`] while the outcome of its charge is not known,
/// [`Refusal::PaymentSettled`].
pub fn require_cancellable(payment: &Payment, actor: &Actor) -> Result<(), Error> {
    require_right(payment, actor)?;
    Ok(require_waiting(payment)?)
}

fn require_right(payment: &Payment, actor: &Actor) -> Result<(), Error> {
    require_payment_view(payment, actor)?;
    actor.require(Resource::Payment, Act::Cancel)?;
    Ok(())
}

/// Succeeds if the payment waits for its payer.
///
/// # Errors
/// [`Refusal::PaymentPending`], [`Refusal::PaymentSettled`].
pub fn require_waiting(payment: &Payment) -> Result<(), Refusal> {
    match payment.state {
        PaymentState::RequiresAction(_) => Ok(()),
        PaymentState::Pending => Err(Refusal::PaymentPending),
        PaymentState::Succeeded { .. } | PaymentState::Failed { .. } | PaymentState::Cancelled { .. } => {
            Err(Refusal::PaymentSettled)
        }
    }
}

/// Whether the payment has waited for its payer as long as the policy allows, and is to be given up.
#[must_use]
pub fn has_waited_too_long(payment: &Stored<Payment>, policy: &Policy, now: DateTime<Utc>) -> bool {
    matches!(payment.state, PaymentState::RequiresAction(_)) && now - payment.created_at >= policy.payment_action
}
