//! The engine that the commands use.

use std::sync::Arc;

use lease_core::LeaseEngine;
use lease_core::clock::TestClock;
use lease_core::gateway::PaymentGateway;
use lease_core::repository::Repository;

use crate::config::Settings;
use crate::failure::Failure;
use crate::messages::Messengers;

/// Builds the engine from the settings. Without messengers, what is to be sent waits for a process that has them.
pub(crate) fn engine(
    settings: &Settings,
    store: Arc<dyn Repository>,
    gateway: Arc<dyn PaymentGateway>,
    messengers: Option<Messengers>,
) -> Result<LeaseEngine, Failure> {
    let builder = LeaseEngine::builder(store, gateway).policy(settings.policy()).password_params(settings.password_params());
    let builder = if settings.test_clock { builder.test_clock(Arc::new(TestClock::default())) } else { builder };
    let builder = match messengers {
        Some(messengers) => messengers.join(builder),
        None => builder,
    };
    builder
        .build()
        .map_err(|error| Failure::Setting(format!("invalid value for '--argon2-memory-kib' or '--argon2-iterations': {error}")))
}
