//! The [`PaymentGateway`], which tokenises cards, charges them and looks charges up.

mod brand;
mod card;
mod sandbox;

use std::fmt;

use async_trait::async_trait;

pub(crate) use card::parse_cvc;
pub use card::{CardDetails, CardNumber};
pub use sandbox::SandboxGateway;

pub use crate::model::{CardToken, ChargeKey};

use crate::money::Money;

/// A provider of card payments.
///
/// An `Err` always means that *the outcome is unknown*: the payment then stays pending, and is settled by asking again with its
/// [`ChargeKey`]. A charge that was certainly refused is `Ok(ChargeOutcome::Declined)`. A call without a response within
/// 20 seconds is dropped and counts as an `Err`.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PaymentGateway: fmt::Debug + Send + Sync + 'static {
    /// Exchanges a card for a token that can be charged. Neither the number nor the security code is kept.
    ///
    /// # Errors
    /// [`GatewayError`] if the provider gave no response.
    async fn tokenize(&self, card: &CardDetails) -> Result<CardToken, GatewayError>;

    /// Charges a card. A repeated call with the same key returns the first outcome and charges nothing.
    ///
    /// # Errors
    /// [`GatewayError`] if it is not known whether the card was charged.
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError>;

    /// The outcome of the charge with this key; `None` if the provider never received one.
    ///
    /// # Errors
    /// [`GatewayError`] if the provider gave no response.
    async fn find_charge(&self, key: &ChargeKey) -> Result<Option<ChargeOutcome>, GatewayError>;
}

/// A request to charge a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The idempotency key.
    pub key: ChargeKey,
    /// The card.
    pub card: CardToken,
    /// The amount.
    pub amount: Money,
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
    /// The card was not charged.
    Declined {
        /// The provider's code for the reason.
        failure_code: String,
        /// The provider's reference for the attempt.
        reference: String,
    },
}

/// The error if the provider gave no response; it is not known whether the card was charged.
#[derive(Debug, thiserror::Error)]
#[error("the payment gateway gave no response")]
pub struct GatewayError {
    /// The cause, for the operator and never for the client.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl GatewayError {
    /// Wraps the cause.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: source.into() }
    }
}
