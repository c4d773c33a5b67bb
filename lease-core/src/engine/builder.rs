use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::maintenance::Turns;
use super::news::News;
#[cfg(feature = "passwords")]
use super::passwords::HasherSettings;
use super::test_clock::Moving;
use super::webhooks::Courier;
use super::{LeaseEngine, Shared};
use crate::clock::{Clock, SystemClock, TestClock};
use crate::gateway::PaymentGateway;
use crate::guard::Guard;
use crate::invoicing::{FeePolicy, ServiceFee};
use crate::mail::Mailer;
use crate::policy::Policy;
use crate::random::{OsRandomness, Randomness};
use crate::repository::Repository;
use crate::webhook::WebhookClient;

/// Configures an engine. Everything but the store and the gateway has a default.
#[derive(Clone, Debug)]
pub struct LeaseEngineBuilder {
    store: Arc<dyn Repository>,
    gateway: Arc<dyn PaymentGateway>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    #[cfg(feature = "passwords")]
    pub(super) hasher: HasherSettings,
    policy: Policy,
    fees: Arc<dyn FeePolicy>,
    guard: Option<Arc<dyn Guard>>,
    test_clock: Option<Arc<TestClock>>,
    webhooks: Option<Arc<dyn WebhookClient>>,
    mailer: Option<Arc<dyn Mailer>>,
}

impl LeaseEngineBuilder {
    pub(super) fn new(store: Arc<dyn Repository>, gateway: Arc<dyn PaymentGateway>) -> Self {
        Self {
            store,
            gateway,
            clock: Arc::new(SystemClock),
            randomness: Arc::new(OsRandomness),
            #[cfg(feature = "passwords")]
            hasher: HasherSettings::default(),
            policy: Policy::default(),
            fees: Arc::new(ServiceFee),
            guard: None,
            test_clock: None,
            webhooks: None,
            mailer: None,
        }
    }

    /// Sets the clock; the default is the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self.test_clock = None;
        self
    }

    /// Sets a clock that superusers may move forward (chapter 11), also over HTTP: for trials, and never where deadlines or money are
    /// real. To move a clock in code only, give a [`TestClock`] to [`clock`](Self::clock).
    #[must_use]
    pub fn test_clock(mut self, clock: Arc<TestClock>) -> Self {
        self.clock = Arc::clone(&clock) as _;
        self.test_clock = Some(clock);
        self
    }

    /// Sets the source of random bytes; the default is the operating system.
    #[must_use]
    pub fn randomness(mut self, randomness: Arc<dyn Randomness>) -> Self {
        self.randomness = randomness;
        self
    }

    /// Sets the operator's policy.
    #[must_use]
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets what decides the fee at the moment of invoicing; the default is the amount of the service, [`ServiceFee`]. All processes on
    /// one store need the same.
    #[must_use]
    pub fn fee_policy(mut self, fees: Arc<dyn FeePolicy>) -> Self {
        self.fees = fees;
        self
    }

    /// Sets what may refuse acts for reasons of the app's own; without one, the engine's rules are all. All processes on one store need
    /// the same.
    #[must_use]
    pub fn guard(mut self, guard: Arc<dyn Guard>) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Sets who sends webhooks; without one, they wait.
    #[must_use]
    pub fn webhooks(mut self, client: Arc<dyn WebhookClient>) -> Self {
        self.webhooks = Some(client);
        self
    }

    /// Sets who sends mails; without one, there are none.
    #[must_use]
    pub fn mailer(mut self, mailer: Arc<dyn Mailer>) -> Self {
        self.mailer = Some(mailer);
        self
    }

    /// Builds the engine.
    ///
    /// # Errors
    /// [`BuildError`] if Argon2 rejects the cost parameters.
    pub fn build(self) -> Result<LeaseEngine, BuildError> {
        let shared = Shared {
            store: self.store,
            gateway: self.gateway,
            clock: self.clock,
            randomness: self.randomness,
            #[cfg(feature = "passwords")]
            hasher: self.hasher.build()?,
            policy: self.policy,
            fees: self.fees,
            guard: self.guard,
            news: News::default(),
            test_clock: self.test_clock.map(Moving::new),
            webhooks: self.webhooks,
            mailer: self.mailer,
            courier: Courier::default(),
            turns: Turns::default(),
            is_noticing: AtomicBool::default(),
        };
        Ok(LeaseEngine { shared: Arc::new(shared) })
    }
}

/// The reason why an engine could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The cost parameters for hashing passwords are invalid.
    #[error(transparent)]
    #[cfg(feature = "passwords")]
    Password(#[from] crate::account::PasswordError),
}
