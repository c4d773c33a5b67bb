//! The engine that the commands use.

use std::sync::Arc;

use lease_core::LeaseEngine;
use lease_core::clock::TestClock;
use lease_core::gateway::PaymentGateway;
use lease_core::repository::Repository;

use crate::config::Settings;
use crate::failure::Failure;

/// Builds the engine from the settings.
pub(crate) fn engine(
    settings: &Settings,
    store: Arc<dyn Repository>,
    gateway: Arc<dyn PaymentGateway>,
) -> Result<LeaseEngine, Failure> {
    let builder = LeaseEngine::builder(store, gateway).policy(settings.policy()).password_params(settings.password_params());
    let builder = if settings.test_clock { builder.test_clock(Arc::new(TestClock::default())) } else { builder };
    builder
        .build()
        .map_err(|error| Failure::Setting(format!("invalid value for '--argon2-memory-kib' or '--argon2-iterations': {error}")))
}
