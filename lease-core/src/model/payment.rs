use chrono::{DateTime, Utc};

use crate::gateway::ChargeKey;
use crate::id::{CreditCardId, CustomerId, Entity, InvoiceId, PaymentId};
use crate::money::Money;

/// One attempt to pay an invoice with a card.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Payment {
    /// What is paid.
    pub invoice_id: InvoiceId,
    /// With which card.
    pub credit_card_id: CreditCardId,
    /// Who pays: the billed customer (I4).
    pub customer_id: CustomerId,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub state: PaymentState,
    /// Whether it was made after the invoice's due date.
    pub is_late: bool,
    /// The key under which the gateway knows the charge, however often it is asked.
    pub charge_key: ChargeKey,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
}

impl Entity for Payment {
    type Id = PaymentId;
}

/// How far a payment is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(PaymentStatus),
    doc = "The names of a payment's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
pub enum PaymentState {
    /// Recorded; the gateway's response is not known.
    Pending,
    /// Charged.
    Succeeded {
        /// The gateway's name for the charge.
        reference: String,
    },
    /// Not charged.
    Failed {
        /// Why, in the gateway's words: `insufficient_funds`, `expired_card`.
        failure_code: String,
        /// The gateway's name for the attempt.
        reference: String,
    },
}

impl PaymentState {
    /// Why it failed, where it did.
    #[must_use]
    pub fn failure_code(&self) -> Option<&str> {
        match self {
            Self::Failed { failure_code, .. } => Some(failure_code),
            Self::Pending | Self::Succeeded { .. } => None,
        }
    }

    /// The gateway's name for the charge, once there is one.
    #[must_use]
    pub fn gateway_reference(&self) -> Option<&str> {
        match self {
            Self::Succeeded { reference } | Self::Failed { reference, .. } => Some(reference),
            Self::Pending => None,
        }
    }
}
