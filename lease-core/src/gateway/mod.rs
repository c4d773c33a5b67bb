//! The [`PaymentGateway`], which charges cards and gives money back.

mod brand;
mod card;
mod charge;
mod notification;
mod refund;
mod sandbox;

use std::fmt;

use async_trait::async_trait;

pub(crate) use card::parse_cvc;
pub use card::{CardDetails, CardNumber, CardSetup, EnteredCard, Tokenization, TokenizedCard};
pub use charge::{Charge, ChargeOutcome};
pub use notification::{Notification, NotificationError};
pub use refund::{RefundOutcome, RefundRequest};
pub use sandbox::{PayerOutcome, SandboxGateway};

pub use crate::model::{CardToken, ChargeKey, ClientSecret, NextAction, RefundKey};

use crate::id::CustomerId;

/// A provider of card payments.
///
/// An `Err` always means that *the outcome is unknown*: the payment or refund then stays pending, and is settled by asking again with
/// its key. What was certainly refused is an outcome, such as [`ChargeOutcome::Declined`]. A call without a response within the
/// policy's [`gateway_timeout`](crate::policy::Policy::gateway_timeout) is dropped and counts as an `Err`.
///
/// A key is good for ever: a provider that forgets keys has to look for what it was told under the key before it does anything anew.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PaymentGateway: fmt::Debug + Send + Sync + 'static {
    /// What clients have to know of the gateway.
    fn info(&self) -> GatewayInfo;

    /// Exchanges a card for a token that can be charged. Neither the number nor the security code is kept. Called only if the
    /// gateway [takes card numbers](GatewayInfo::takes_card_numbers).
    ///
    /// # Errors
    /// [`GatewayError`] if the provider gave no response.
    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError>;

    /// Prepares the entry of a card in the browser of this customer. Called only if the gateway does not take card numbers.
    ///
    /// # Errors
    /// [`GatewayError`] if the provider gave no response; by default always.
    async fn set_up_card(&self, customer: CustomerId) -> Result<CardSetup, GatewayError> {
        _ = customer;
        Err(GatewayError::new("cards are not entered in the browser"))
    }

    /// The card that was entered in the browser of this customer, as the provider names it. A card of somebody else is
    /// [`EnteredCard::Unknown`], and by default each is. Called only if the gateway does not take card numbers.
    ///
    /// # Errors
    /// [`GatewayError`] if the provider gave no response.
    async fn find_card(&self, customer: CustomerId, payment_method: &str) -> Result<EnteredCard, GatewayError> {
        _ = (customer, payment_method);
        Ok(EnteredCard::Unknown)
    }

    /// Charges a card. A repeated call with the same key returns the present outcome and charges nothing.
    ///
    /// # Errors
    /// [`GatewayError`] if it is not known whether the card was charged.
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError>;

    /// The present outcome of a charge; `None` if the provider never received it.
    ///
    /// # Errors
    /// [`GatewayError`] if the provider gave no response.
    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError>;

    /// Gives up a charge that waits for its payer, so that it can never succeed, and returns its outcome then:
    /// [`ChargeOutcome::Cancelled`], or what happened first.
    ///
    /// # Errors
    /// [`GatewayError`] if it is not known whether the charge can still succeed.
    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError>;

    /// Gives back a part of a charge that succeeded. A repeated call with the same key returns the present outcome and gives back
    /// nothing.
    ///
    /// # Errors
    /// [`GatewayError`] if it is not known whether the money was given back.
    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError>;

    /// The present outcome of a refund; `None` if the provider never received it.
    ///
    /// # Errors
    /// [`GatewayError`] if the provider gave no response.
    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError>;

    /// Checks that a notification comes from the provider, and says what it is about. What it claims is never believed: the engine
    /// asks about what it names.
    ///
    /// # Errors
    /// [`NotificationError`]; by default, that the gateway sends none.
    fn read_notification(&self, signature: &str, body: &[u8]) -> Result<Option<Notification>, NotificationError> {
        _ = (signature, body);
        Err(NotificationError::NotSupported)
    }

    /// Plays the payer's part in a charge that waits for them, and returns the outcome of the charge then. `None` unless the gateway
    /// [is a sandbox](GatewayInfo::is_sandbox).
    fn act_as_payer(&self, charge: &Charge, outcome: PayerOutcome) -> Option<ChargeOutcome> {
        _ = (charge, outcome);
        None
    }
}

/// What clients have to know of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayInfo {
    /// The gateway's name, such as `sandbox` or `stripe`.
    pub kind: &'static str,
    /// The key with which a browser speaks to the provider, if it does.
    pub publishable_key: Option<String>,
    /// Whether no money moves, and the payer's part can be played.
    pub is_sandbox: bool,
    /// Whether card numbers are given to the engine, which passes them on. Otherwise cards are entered in the browser, and the engine
    /// never sees a number.
    pub takes_card_numbers: bool,
}

/// The error if the provider gave no response, or none that makes sense; it is not known what happened.
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
