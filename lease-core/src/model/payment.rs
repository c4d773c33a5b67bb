use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{CreditCardId, CustomerId, Entity, InvoiceId, PaymentId};
use crate::money::Money;

/// One attempt to pay an invoice with a card.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Payment {
    /// The invoice that is paid.
    pub invoice_id: InvoiceId,
    /// The card that is charged.
    pub credit_card_id: CreditCardId,
    /// The customer who pays, who is the one billed (I4).
    pub customer_id: CustomerId,
    /// The amount.
    pub amount: Money,
    /// The state of the payment.
    pub state: PaymentState,
    /// Whether it was begun after the invoice's due date.
    pub is_late: bool,
    /// The key that identifies the charge at the gateway, so that a retry cannot charge the card twice.
    pub charge_key: ChargeKey,
    /// When the payment was begun.
    pub created_at: DateTime<Utc>,
}

impl Entity for Payment {
    type Id = PaymentId;
}

/// The state of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(PaymentStatus),
    doc = "The names of a payment's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum PaymentState {
    /// The payment is recorded; the outcome of the charge is not known yet.
    Pending,
    /// The card was charged.
    Succeeded {
        /// The gateway's reference for the charge.
        reference: String,
    },
    /// The card was not charged.
    Failed {
        /// The gateway's code for the reason, such as `insufficient_funds` or `expired_card`.
        failure_code: String,
        /// The gateway's reference for the attempt.
        reference: String,
    },
}

impl PaymentState {
    /// The gateway's code for why the payment failed, if it did.
    #[must_use]
    pub fn failure_code(&self) -> Option<&str> {
        match self {
            Self::Failed { failure_code, .. } => Some(failure_code),
            Self::Pending | Self::Succeeded { .. } => None,
        }
    }

    /// The gateway's reference for the charge, once the payment is settled.
    #[must_use]
    pub fn gateway_reference(&self) -> Option<&str> {
        match self {
            Self::Succeeded { reference } | Self::Failed { reference, .. } => Some(reference),
            Self::Pending => None,
        }
    }
}

/// The key that permanently identifies one charge at the provider. Clones share the text, because it is copied often.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChargeKey(Arc<str>);

impl ChargeKey {
    /// A key with this text.
    #[must_use]
    pub fn new(key: String) -> Self {
        Self(key.into())
    }

    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
