//! The API for an app that embeds the engine: one method for each command and query. Every command takes the path of
//! `command.rs`: it loads the snapshot, decides and commits; if a row has changed in the meantime, it starts over, a bounded
//! number of times. This module contains no rules.

mod accounts;
mod builder;
mod cards;
mod claims;
mod command;
mod consumer;
mod contacts;
mod customers;
mod events;
mod gateway;
mod guard;
mod invoices;
mod leads;
mod mails;
mod maintenance;
mod names;
mod news;
mod own_account;
mod own_users;
#[cfg(feature = "passwords")]
mod passwords;
mod payments;
mod precondition;
mod proposals;
mod refunds;
mod services;
mod subscription;
mod test_clock;
mod tokens;
mod totals;
mod trades;
mod users;
mod vehicles;
mod webhooks;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, NaiveDate, Utc};

pub use builder::{BuildError, LeaseEngineBuilder};
pub use command::RequestContext;
pub use consumer::EventConsumer;
pub use gateway::PayerDraft;
pub use maintenance::Maintenance;
#[cfg(feature = "passwords")]
pub use passwords::{LoggedIn, LoginDraft, Registered};
pub use precondition::Precondition;
pub use test_clock::AdvanceDraft;
pub use tokens::CreatedToken;
pub use trades::WithActions;

use self::news::News;
use self::webhooks::Courier;
use crate::clock::Clock;
use crate::error::Error;
use crate::gateway::PaymentGateway;
use crate::guard::Guard;
use crate::id::CustomerId;
use crate::invoicing::FeePolicy;
use crate::mail::Mailer;
use crate::permission::{Act, Actor, Grant, Resource};
use crate::policy::Policy;
use crate::random::Randomness;
use crate::repository::Repository;
use crate::webhook::WebhookClient;

/// The engine. Cheap to clone; clones share everything.
///
/// Needs a tokio runtime with its timer enabled, such as that of `#[tokio::main]`.
#[derive(Clone, Debug)]
pub struct LeaseEngine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn Repository>,
    gateway: Arc<dyn PaymentGateway>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    #[cfg(feature = "passwords")]
    hasher: crate::account::PasswordHasher,
    policy: Policy,
    fees: Arc<dyn FeePolicy>,
    guard: Option<Arc<dyn Guard>>,
    news: News,
    test_clock: Option<test_clock::Moving>,
    webhooks: Option<Arc<dyn WebhookClient>>,
    mailer: Option<Arc<dyn Mailer>>,
    courier: Courier,
    turns: maintenance::Turns,
    /// Whether notices have been made of all that happened before this process started.
    is_noticing: AtomicBool,
}

impl LeaseEngine {
    /// A builder for an engine on this store, whose cards this gateway charges. For trials that is a
    /// [`SandboxGateway`](crate::gateway::SandboxGateway), with which no money moves.
    #[must_use]
    pub fn builder(store: Arc<dyn Repository>, gateway: Arc<dyn PaymentGateway>) -> LeaseEngineBuilder {
        LeaseEngineBuilder::new(store, gateway)
    }

    /// The present instant, as decisions see it.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.shared.clock.now()
    }

    /// The operator's policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.shared.policy
    }

    /// Checks that the store responds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.store().ping().await?)
    }

    fn fees(&self) -> &dyn FeePolicy {
        &*self.shared.fees
    }

    fn store(&self) -> &dyn Repository {
        &*self.shared.store
    }

    fn today(&self) -> NaiveDate {
        self.now().date_naive()
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.shared.randomness.fill(&mut bytes).map_err(Error::internal)?;
        Ok(bytes)
    }
}

/// The customer to whom a list is limited: `None` for an actor who may see everything.
fn visible_to(actor: &Actor, resource: Resource) -> Result<Option<CustomerId>, Error> {
    match actor.require(resource, Act::Read)? {
        Grant::All => Ok(None),
        _ => actor.customer().map(Some).ok_or(Error::NotAuthenticated),
    }
}
