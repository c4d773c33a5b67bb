use chrono::{DateTime, Utc};

use crate::id::{CustomerId, InvoiceId, PaymentId};
use crate::model::{CardToken, ChargeKey, NextAction};
use crate::money::Money;

/// A charge of a card: what the provider is told, and what it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The idempotency key.
    pub key: ChargeKey,
    /// The provider's reference, once it is known.
    pub reference: Option<String>,
    /// The card.
    pub card: CardToken,
    /// The amount.
    pub amount: Money,
    /// The payment.
    pub payment: PaymentId,
    /// The invoice that is paid.
    pub invoice: InvoiceId,
    /// The customer who pays.
    pub customer: CustomerId,
    /// When the payment was begun: the provider cannot have received it earlier.
    pub begun_at: DateTime<Utc>,
}

/// The outcome of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChargeOutcome {
    /// The card was charged.
    Succeeded {
        /// The provider's reference for the charge.
        reference: String,
    },
    /// The card was not charged, and never will be under this key.
    Declined {
        /// The provider's code for the reason.
        failure_code: String,
        /// The provider's reference for the attempt, if it named one.
        reference: Option<String>,
    },
    /// The payer must act first.
    ActionRequired {
        /// The provider's reference for the charge.
        reference: String,
        /// What the payer must do.
        next_action: NextAction,
    },
    /// The provider does not know the outcome yet.
    Pending {
        /// The provider's reference for the charge.
        reference: String,
    },
    /// The provider gave the charge up before the payer acted. It can never succeed.
    Cancelled {
        /// The provider's reference for the charge.
        reference: String,
    },
}
