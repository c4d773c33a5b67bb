use chrono::{DateTime, Utc};

use crate::id::{PaymentId, RefundId};
use crate::model::{RefundKey, RefundReason};
use crate::money::Money;

/// A refund: what the provider is told, and what it is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundRequest {
    /// The idempotency key.
    pub key: RefundKey,
    /// The provider's reference for the refund, once it is known.
    pub reference: Option<String>,
    /// The provider's reference for the charge that is refunded.
    pub charge_reference: String,
    /// The amount.
    pub amount: Money,
    /// Why it is given back.
    pub reason: RefundReason,
    /// The refund.
    pub refund: RefundId,
    /// The payment that is refunded.
    pub payment: PaymentId,
    /// When the refund was begun: the provider cannot have received it earlier.
    pub begun_at: DateTime<Utc>,
}

/// The outcome of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefundOutcome {
    /// The money was given back.
    Succeeded {
        /// The provider's reference for the refund.
        reference: String,
    },
    /// The money was not given back, and never will be under this key.
    Failed {
        /// The provider's code for the reason.
        failure_code: String,
        /// The provider's reference for the attempt, if it named one.
        reference: Option<String>,
    },
    /// The provider does not know the outcome yet.
    Pending {
        /// The provider's reference for the refund.
        reference: String,
    },
}
