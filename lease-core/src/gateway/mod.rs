//! Payment goes through a [`PaymentGateway`]: tokenise a card, charge it, look a charge up.

mod card;
mod sandbox;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

pub(crate) use card::parse_cvc;
pub use card::{CardDetails, CardNumber};
pub use sandbox::SandboxGateway;

use crate::money::Money;

/// A provider of card payments.
///
/// An `Err` always means *the outcome is unknown*: the payment then stays pending, and is settled by asking again under
/// its [`ChargeKey`]. A charge that was refused for certain is `Ok(ChargeOutcome::Declined)`. No response within 20 seconds
/// counts as an `Err`: the call is dropped.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PaymentGateway: fmt::Debug + Send + Sync + 'static {
    /// Exchanges a card for a token that can be charged. The number and the code are known to nobody afterwards.
    ///
    /// # Errors
    /// [`GatewayError`] where the provider gave no response.
    async fn tokenize(&self, card: &CardDetails) -> Result<CardToken, GatewayError>;

    /// Charges a card. The same key again answers with the first outcome and charges nothing.
    ///
    /// # Errors
    /// [`GatewayError`] where it is not known whether the card was charged.
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError>;

    /// What became of the charge under this key; `None` where the provider never got one.
    ///
    /// # Errors
    /// [`GatewayError`] where the provider gave no response.
    async fn find_charge(&self, key: &ChargeKey) -> Result<Option<ChargeOutcome>, GatewayError>;
}

/// What is asked of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The idempotency key.
    pub key: ChargeKey,
    /// The card.
    pub card: CardToken,
    /// How much.
    pub amount: Money,
}

/// What became of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChargeOutcome {
    /// The money is taken.
    Succeeded {
        /// The provider's name for the charge.
        reference: String,
    },
    /// No money is taken.
    Declined {
        /// Why, in the provider's words.
        failure_code: String,
        /// The provider's name for the attempt.
        reference: String,
    },
}

/// The provider gave no response; whether the card was charged is not known.
#[derive(Debug, thiserror::Error)]
#[error("the payment gateway gave no response")]
pub struct GatewayError {
    /// What went wrong; for the operator, never for the client.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl GatewayError {
    /// Wraps what went wrong.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: source.into() }
    }
}

/// A provider's token for a card. Whoever holds it can charge, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct CardToken(String);

impl CardToken {
    /// Wraps a provider's token.
    #[must_use]
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// The token, to be stored or sent to the provider.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardToken(…)")
    }
}

/// Names one charge at the provider, for ever. Clones share the text: it goes through many hands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChargeKey(Arc<str>);

impl ChargeKey {
    /// A key of this text.
    #[must_use]
    pub fn new(key: String) -> Self {
        Self(key.into())
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
