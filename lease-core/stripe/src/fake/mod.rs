//! A Stripe for tests: a server on this machine with the part of Stripe's interface that this crate uses. It charges nobody.
//!
//! It behaves as Stripe's documentation says, where money could be lost or taken twice: it remembers what it responded under an
//! idempotency key until it is told to [forget](FakeStripe::forget_keys), also a failure; it refuses parameters that it does not
//! know; a declined charge can be confirmed with another card until it is cancelled; no more is refunded than was paid.
//! [`Fault`]s make it fail in ways that a test needs. It differs from Stripe where that makes tests simpler:
//!
//! - `POST /v1/payment_intents/{id}/_authenticate` with `client_secret` and `success` plays the payer's bank.
//! - Refunds of a card with the number `4000000000005126` fail at once, and those of `4000000000007726` stay pending until
//!   [`finish_refund`](FakeStripe::finish_refund).
//! - Events are kept and sent to nobody; `GET /_webhooks` lists them with their signatures.

mod cards;
mod form;
mod intents;
mod problem;
mod refunds;
mod server;
mod state;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use lease_core::clock::Clock;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{ConfigError, StripeConfig};
use state::State;

/// The keys of the only account.
pub const SECRET_KEY: &str = "sk_test_of_the_fake";
/// The key of browsers.
pub const PUBLISHABLE_KEY: &str = "pk_test_of_the_fake";
/// The secret of the webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_fake";

/// A way in which the next request of a kind fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and never gets a response.
    Silence,
    /// It is not done, and gets this status.
    RefusedWith(u16),
    /// It is done, and gets this status, also when it is repeated under the same key.
    DoneButFailedWith(u16),
    /// It is done, and gets a response that is no JSON.
    Garbage,
    /// It is done, and gets a response that is much too long.
    Flood,
}

/// A request that was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The parameters, as they came, of the address and of the body.
    pub parameters: String,
    /// The idempotency key.
    pub key: Option<String>,
    /// The version of the interface that was asked for.
    pub version: Option<String>,
}

/// Something that happened, as Stripe tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The type, such as `payment_intent.succeeded`.
    pub kind: String,
    /// The body of the webhook.
    pub body: String,
}

/// What a request was refused with: the code of the error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fake refused this: {0}")]
pub struct Refused(pub String);

impl From<problem::Problem> for Refused {
    fn from(problem: problem::Problem) -> Self {
        Self(problem.code().to_owned())
    }
}

/// A running fake. It ends when this is dropped.
#[derive(Debug)]
pub struct FakeStripe {
    shared: Arc<Shared>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// How many requests were done.
    done: watch::Sender<usize>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FakeStripe {
    /// Starts a fake on a free port of this machine, or on this one. The clock says when its objects are made.
    ///
    /// # Errors
    /// An error of the system.
    pub async fn start(clock: Arc<dyn Clock>, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { state: Mutex::new(State::new(clock)), done: watch::Sender::new(0) });
        let app = server::router(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            // It only ends with an error that nobody could do anything about.
            _ = axum::serve(listener, app).await;
        });
        Ok(Self { shared, address, serving })
    }

    /// The address, for [`StripeConfig::with_api_base`].
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The settings of a gateway to this fake.
    ///
    /// # Errors
    /// None; the keys are good.
    pub fn config(&self) -> Result<StripeConfig, ConfigError> {
        StripeConfig::new(SECRET_KEY.into(), PUBLISHABLE_KEY.to_owned(), WEBHOOK_SECRET.into())?.with_api_base(&self.address())
    }

    /// Makes the next request fail that has this method and whose path ends like this.
    pub fn fail_next(&self, method: &'static str, path: &'static str, fault: Fault) {
        self.shared.state().faults.push((method, path, fault));
    }

    /// Forgets all idempotency keys, as Stripe does after 24 hours.
    pub fn forget_keys(&self) {
        self.shared.state().keys.clear();
    }

    /// From now on, a charge that is cancelled no longer says why it was declined.
    pub fn forget_declines(&self) {
        self.shared.state().forgets_declines = true;
    }

    /// From now on, charges that succeed stay `processing`, until [`finish_charges`](Self::finish_charges).
    pub fn hold_charges(&self) {
        self.shared.state().holds_charges = true;
    }

    /// From now on, charges stay in this status, in which one is before it is confirmed, until
    /// [`finish_charges`](Self::finish_charges).
    pub fn hold_charges_before(&self, status: &'static str) {
        self.shared.state().holds_before = Some(status);
    }

    /// Ends the charges that are held: they are confirmed, and no longer `processing`.
    pub fn finish_charges(&self) {
        self.shared.state().finish_charges();
    }

    /// Ends a refund that is pending: it succeeds, or fails for this reason.
    ///
    /// # Errors
    /// [`Refused`] if there is no such refund.
    pub fn finish_refund(&self, id: &str, failure_reason: Option<&str>) -> Result<(), Refused> {
        Ok(self.shared.state().finish_refund(id, failure_reason)?)
    }

    /// Gives units of a charge back by hand, as staff do on Stripe's own pages, and returns the id of the refund.
    ///
    /// # Errors
    /// [`Refused`] if there is no such charge, or not so much left of it.
    pub fn refund_by_hand(&self, payment_intent: &str, units: u64) -> Result<String, Refused> {
        let parameters = form::Parameters::parse(&format!("payment_intent={payment_intent}&amount={units}"));
        Ok(self.shared.state().make_refund(&parameters)?)
    }

    /// Waits until so many requests were done, since the start.
    pub async fn wait_for_requests(&self, count: usize) {
        // Its sender is in `self`.
        _ = self.shared.done.subscribe().wait_for(|done| *done >= count).await;
    }

    /// The requests that were received, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// What happened, in order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.shared.state().events.clone()
    }

    /// How many charges succeeded, and how much they took together.
    #[must_use]
    pub fn charged(&self) -> (usize, u64) {
        self.shared.state().sum("payment_intent", "succeeded")
    }

    /// How many refunds succeeded, and how much they gave back together.
    #[must_use]
    pub fn refunded(&self) -> (usize, u64) {
        self.shared.state().sum("refund", "succeeded")
    }

    /// An object as it is now.
    ///
    /// # Errors
    /// [`Refused`] if there is no such object.
    pub fn object(&self, id: &str) -> Result<serde_json::Value, Refused> {
        Ok(self.shared.state().object(id)?.clone())
    }

    /// Makes a card that is attached to nobody, as a browser does, and returns its id.
    ///
    /// # Errors
    /// [`Refused`] if the number is none.
    pub fn make_card(&self, number: &str) -> Result<String, Refused> {
        Ok(self.shared.state().make_card(number, "12", "2099", None)?)
    }

    /// Enters a card into a setup, as the browser of a customer does, and returns its id.
    ///
    /// # Errors
    /// [`Refused`] if there is no such setup, or if the card is refused.
    pub fn enter_card(&self, client_secret: &str, number: &str) -> Result<String, Refused> {
        let mut state = self.shared.state();
        let card = state.make_card(number, "12", "2099", None)?;
        let setup = state.of_secret(client_secret)?;
        state.confirm_setup(&setup, &card)?;
        Ok(card)
    }

    /// Takes a card away from its owner, as staff do on Stripe's own pages. It can never be used again.
    ///
    /// # Errors
    /// [`Refused`] if there is no such card.
    pub fn detach_card(&self, id: &str) -> Result<(), Refused> {
        let mut state = self.shared.state();
        let card = state.change(id)?;
        card["customer"] = serde_json::Value::Null;
        card["was_detached"] = true.into();
        Ok(())
    }

    /// Deletes a customer, as staff do on Stripe's own pages. Nothing can be done with them again, and nothing of theirs is listed.
    ///
    /// # Errors
    /// [`Refused`] if there is no such customer.
    pub fn delete_customer(&self, id: &str) -> Result<(), Refused> {
        self.shared.state().change(id)?["deleted"] = true.into();
        Ok(())
    }

    /// The payer confirms a charge with their bank, or fails to. A charge that is declined then is no error.
    ///
    /// # Errors
    /// [`Refused`] if no charge with this secret waits for its payer.
    pub fn authenticate(&self, client_secret: &str, success: bool) -> Result<(), Refused> {
        let mut state = self.shared.state();
        let intent = state.of_secret(client_secret)?;
        match state.authenticate(&intent, success) {
            Err(problem) if !problem.is_of_card() => Err(problem.into()),
            _ => Ok(()),
        }
    }

    /// The payer tries another card in their browser, with the secret of a charge that was declined.
    ///
    /// # Errors
    /// [`Refused`] if the charge takes no other card, or if this one is declined as well.
    pub fn try_other_card(&self, client_secret: &str, number: &str) -> Result<(), Refused> {
        let mut state = self.shared.state();
        let intent = state.of_secret(client_secret)?;
        let card = state.make_card(number, "12", "2099", None)?;
        state.confirm(&intent, Some(&card), true)?;
        Ok(())
    }

    /// The header `Stripe-Signature` of a body that is sent at this instant.
    #[must_use]
    pub fn signature(body: &[u8], sent_at: DateTime<Utc>) -> String {
        let instant = sent_at.timestamp();
        let signed = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes())
            .map(|mac| mac.chain_update(format!("{instant}.")).chain_update(body).finalize().into_bytes());
        format!("t={instant},v1={}", signed.map(hex::encode).unwrap_or_default())
    }
}

impl Drop for FakeStripe {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
