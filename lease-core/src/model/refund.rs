use chrono::{DateTime, Utc};

use crate::id::{CustomerId, Entity, InvoiceId, PaymentId, RefundId};
use crate::model::RefundKey;
use crate::money::Money;

/// Money of a payment that is given back (rule 5.7).
#[derive(Clone, Debug, PartialEq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Refund {
    /// The payment that is refunded.
    pub payment_id: PaymentId,
    /// The invoice that was paid.
    pub invoice_id: InvoiceId,
    /// The customer who paid.
    pub customer_id: CustomerId,
    /// The amount.
    pub amount: Money,
    /// Why it is given back.
    pub reason: RefundReason,
    /// What else the staff noted, or empty.
    pub note: String,
    /// The state of the refund.
    pub state: RefundState,
    /// The key that identifies the refund at the gateway, so that a retry cannot refund twice.
    pub refund_key: RefundKey,
    /// The gateway's reference for the refund, once it has named one.
    pub gateway_reference: Option<String>,
    /// When the refund was begun.
    pub created_at: DateTime<Utc>,
}

impl Entity for Refund {
    type Id = RefundId;
}

impl RefundId {
    /// The number on the credit note of a refund that succeeded: `CN-` and the id with at least eight digits.
    #[must_use]
    pub fn credit_note_number(self) -> String {
        format!("CN-{:08}", self.get())
    }
}

/// Why money is given back.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum RefundReason {
    /// The same was paid twice.
    Duplicate,
    /// The payer did not mean to pay.
    Fraudulent,
    /// The customer asked for it.
    RequestedByCustomer,
    /// The trade was cancelled.
    TradeCancelled,
    /// Another reason.
    Other,
}

/// The state of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(RefundStatus),
    doc = "The names of a refund's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "snake_case"))]
pub enum RefundState {
    /// The refund is recorded; the gateway's answer is not known yet.
    Pending,
    /// The money was given back.
    Succeeded {
        /// When that became known.
        at: DateTime<Utc>,
    },
    /// The gateway refused.
    Failed {
        /// When that became known.
        at: DateTime<Utc>,
        /// The gateway's code for the reason, such as `expired_or_canceled_card`.
        failure_code: String,
    },
}

impl RefundState {
    /// The gateway's code for why the refund failed, if it did.
    #[must_use]
    pub fn failure_code(&self) -> Option<&str> {
        match self {
            Self::Failed { failure_code, .. } => Some(failure_code),
            Self::Pending | Self::Succeeded { .. } => None,
        }
    }

    /// When it succeeded or failed.
    #[must_use]
    pub const fn settled_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Succeeded { at } | Self::Failed { at, .. } => Some(*at),
            Self::Pending => None,
        }
    }
}
