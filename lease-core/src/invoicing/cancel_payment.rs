//! Giving up a payment that waits for its payer (rule 5.5). The decision allows it, the gateway does it, and
//! [`settle_payment`](super::settle_payment) records what came of it: an amount is released only after the gateway gave the charge
//! up.

use chrono::{DateTime, Utc};

use crate::error::{Error, Refusal};
use crate::id::Stored;
use crate::invoicing::require_payment_view;
use crate::model::{Payment, PaymentState};
use crate::permission::{Act, Actor, Resource};
use crate::policy::Policy;

/// Succeeds if the actor may cancel the payment now.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`Refusal::PaymentPending`] while the outcome of its charge is not known,
/// [`Refusal::PaymentSettled`].
pub fn require_cancellable(payment: &Payment, actor: &Actor) -> Result<(), Error> {
    require_payment_view(payment, actor)?;
    actor.require(Resource::Payment, Act::Cancel)?;
    Ok(require_waiting(payment)?)
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
