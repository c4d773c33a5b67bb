use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::id::{CreditCardId, CustomerId, Entity, InvoiceId, PaymentId};
use crate::money::{Money, MoneyError};

/// One attempt to pay an invoice with a card.
#[derive(Clone, Debug, PartialEq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Payment {
    /// The invoice that is paid.
    pub invoice_id: InvoiceId,
    /// The card that is charged.
    pub credit_card_id: CreditCardId,
    /// The customer who pays, who is the one billed (I4).
    pub customer_id: CustomerId,
    /// The amount.
    pub amount: Money,
    /// The sum of the refunds that succeeded (I8).
    pub refunded: Money,
    /// The sum of the refunds under way. Until they are settled, that much less may be refunded (rule 5.7).
    pub refunding: Money,
    /// The state of the payment.
    pub state: PaymentState,
    /// Whether it was begun after the invoice's due date.
    pub is_late: bool,
    /// The key that identifies the charge at the gateway, so that a retry cannot charge the card twice.
    pub charge_key: ChargeKey,
    /// The gateway's reference for the charge, once it has named one.
    pub gateway_reference: Option<String>,
    /// When the payment was begun.
    pub created_at: DateTime<Utc>,
}

impl Entity for Payment {
    type Id = PaymentId;
}

impl Payment {
    /// The same payment, without that with which its payer acts: an address may hold a secret as well.
    #[must_use]
    pub fn without_secret(mut self) -> Self {
        if let PaymentState::RequiresAction(action) = &mut self.state {
            action.url = None;
            action.client_secret = None;
        }
        self
    }

    /// The amount that may be refunded now: what was paid, less what was refunded and what is being refunded.
    ///
    /// # Errors
    /// [`MoneyError`] if a store returned a payment of which more than its amount was refunded.
    pub fn refundable(&self) -> Result<Money, MoneyError> {
        match self.state {
            PaymentState::Succeeded { .. } => self.amount.minus(self.refunded)?.minus(self.refunding),
            _ => Ok(Money::zero(self.amount.currency())),
        }
    }
}

/// The state of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(PaymentStatus),
    doc = "The names of a payment's states.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "snake_case"))]
pub enum PaymentState {
    /// The payment is recorded; the outcome of the charge is not known yet.
    Pending,
    /// The payer must act before the card is charged, such as by confirming the payment with their bank (3-D Secure).
    RequiresAction(NextAction),
    /// The card was charged.
    Succeeded {
        /// When that became known.
        at: DateTime<Utc>,
    },
    /// The card was not charged.
    Failed {
        /// When that became known.
        at: DateTime<Utc>,
        /// The gateway's code for the reason, such as `insufficient_funds` or `expired_card`.
        failure_code: String,
    },
    /// The gateway gave the charge up before the payer acted.
    Cancelled {
        /// When that became known.
        at: DateTime<Utc>,
    },
}

impl PaymentState {
    /// Whether the payment is under way: the card may still be charged. Rules that speak of pending payments mean these (rule 5.5).
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        matches!(self, Self::Pending | Self::RequiresAction(_))
    }

    /// What the payer must do, if they must.
    #[must_use]
    pub const fn next_action(&self) -> Option<&NextAction> {
        match self {
            Self::RequiresAction(action) => Some(action),
            Self::Pending | Self::Succeeded { .. } | Self::Failed { .. } | Self::Cancelled { .. } => None,
        }
    }

    /// The gateway's code for why the payment failed, if it did.
    #[must_use]
    pub fn failure_code(&self) -> Option<&str> {
        match self {
            Self::Failed { failure_code, .. } => Some(failure_code),
            Self::Pending | Self::RequiresAction(_) | Self::Succeeded { .. } | Self::Cancelled { .. } => None,
        }
    }

    /// When it succeeded, failed or was cancelled.
    #[must_use]
    pub const fn settled_at(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Succeeded { at } | Self::Failed { at, .. } | Self::Cancelled { at } => Some(*at),
            Self::Pending | Self::RequiresAction(_) => None,
        }
    }
}

/// What the payer must do before a card is charged (rule 5.5).
///
/// `Debug` shows only its kind.
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NextAction {
    /// The gateway's word for it, such as `use_stripe_sdk`.
    pub kind: String,
    /// The address at which the payer acts, if there is one.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub url: Option<String>,
    /// The secret with which the payer's browser acts, if it needs one.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub client_secret: Option<ClientSecret>,
}

impl fmt::Debug for NextAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextAction").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A secret that the gateway gives to the browser of one payer. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientSecret(String);

impl ClientSecret {
    /// Wraps a gateway's secret.
    #[must_use]
    pub const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret, to be stored or sent to the payer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

macro_rules! keys {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(from = "String", into = "String"))]
        pub struct $name(Arc<str>);

        impl $name {
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

        impl From<$name> for String {
            fn from(key: $name) -> Self {
                key.as_str().to_owned()
            }
        }

        impl From<String> for $name {
            fn from(key: String) -> Self {
                Self::new(key)
            }
        }
    )+};
}

keys! {
    /// The key that permanently identifies one charge at the provider. Clones share the text, because it is copied often.
    ChargeKey,
    /// The key that permanently identifies one refund at the provider.
    RefundKey,
}
