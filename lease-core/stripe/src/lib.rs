#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

mod amount;
mod card;
mod charge;
mod client;
mod config;
mod error;
#[cfg(feature = "fake")]
pub mod fake;
mod id;
mod refund;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use lease_core::clock::{Clock, SystemClock};
use lease_core::gateway::{
    CardDetails, CardSetup, Charge, ChargeOutcome, EnteredCard, GatewayError, GatewayInfo, Notification, NotificationError,
    PaymentGateway, RefundOutcome, RefundRequest, Tokenization,
};
use lease_core::id::CustomerId;

use client::Client;
pub use config::{ConfigError, StripeConfig};
pub use error::{Refusal, StripeError};

/// For how long a key surely keeps Stripe from doing something twice. Stripe forgets keys after 24 hours.
const KEYS_REMEMBERED: Duration = Duration::hours(23);
/// How much earlier than here it may be on Stripe's clock.
const CLOCK_SKEW: Duration = Duration::hours(1);

/// Charges cards and gives money back through a Stripe account.
#[derive(Debug)]
pub struct StripeGateway {
    client: Client,
    config: StripeConfig,
    clock: Arc<dyn Clock>,
}

impl StripeGateway {
    /// A gateway to this account. Nothing is sent before the gateway is used.
    ///
    /// # Errors
    /// [`ConfigError::Certificates`].
    pub fn new(config: StripeConfig) -> Result<Self, ConfigError> {
        Ok(Self { client: Client::new(&config)?, config, clock: Arc::new(SystemClock) })
    }

    /// The same gateway with another clock, for tests: it says which webhooks are too old, and which keys Stripe may have forgotten.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Whether Stripe still remembers the key of what was begun at this instant.
    fn is_key_remembered(&self, begun_at: DateTime<Utc>) -> bool {
        !self.is_ahead(begun_at) && self.clock.now() - begun_at < KEYS_REMEMBERED
    }

    /// Whether an instant is in the future of this gateway's clock: it is then the instant of another clock, and says nothing about
    /// Stripe's.
    fn is_ahead(&self, instant: DateTime<Utc>) -> bool {
        instant - self.clock.now() > CLOCK_SKEW
    }
}

impl From<StripeError> for GatewayError {
    fn from(error: StripeError) -> Self {
        Self::new(error)
    }
}

#[async_trait]
impl PaymentGateway for StripeGateway {
    fn info(&self) -> GatewayInfo {
        GatewayInfo {
            kind: "stripe",
            publishable_key: Some(self.config.publishable_key.clone()),
            is_sandbox: false,
            takes_card_numbers: false,
        }
    }

    async fn tokenize(&self, _: &CardDetails) -> Result<Tokenization, GatewayError> {
        Err(GatewayError::new("cards are entered with Stripe"))
    }

    async fn set_up_card(&self, customer: CustomerId) -> Result<CardSetup, GatewayError> {
        Ok(self.prepare_card(customer).await?)
    }

    async fn find_card(&self, customer: CustomerId, payment_method: &str) -> Result<EnteredCard, GatewayError> {
        Ok(self.entered_card(customer, payment_method).await?)
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        Ok(self.charge_card(charge).await?)
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        Ok(self.look_charge_up(charge).await?)
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        Ok(self.give_charge_up(charge).await?)
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        Ok(self.give_back(refund).await?)
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        Ok(self.look_refund_up(refund).await?)
    }

    fn read_notification(&self, signature: &str, body: &[u8]) -> Result<Option<Notification>, NotificationError> {
        webhook::read(&self.config.webhook_secret, signature, body, self.clock.now())
    }
}
