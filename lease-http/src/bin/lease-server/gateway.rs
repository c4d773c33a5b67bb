//! The payment gateway that the settings choose. The keys of Stripe are variables only, because every user of the machine can read a
//! command line.

use std::sync::Arc;

use lease_core::gateway::{PaymentGateway, SandboxGateway};
use lease_stripe::{StripeConfig, StripeGateway};

use crate::config::{GatewayKind, Settings, variable};
use crate::failure::Failure;

const SECRET_KEY: &str = "LEASE_STRIPE_SECRET_KEY";
const PUBLISHABLE_KEY: &str = "LEASE_STRIPE_PUBLISHABLE_KEY";
const WEBHOOK_SECRET: &str = "LEASE_STRIPE_WEBHOOK_SECRET";
const API_BASE: &str = "LEASE_STRIPE_API_BASE";

/// The gateway. Nothing is sent before it is used.
pub(crate) fn gateway(settings: &Settings) -> Result<Arc<dyn PaymentGateway>, Failure> {
    match settings.gateway {
        GatewayKind::Sandbox => Ok(Arc::new(SandboxGateway::new())),
        GatewayKind::Stripe => Ok(Arc::new(stripe(settings)?)),
    }
}

fn stripe(settings: &Settings) -> Result<StripeGateway, Failure> {
    let required = |name| variable(name).ok_or_else(|| Failure::Setting(format!("--gateway stripe requires {name}")));
    let wrong = |error: lease_stripe::ConfigError| Failure::Setting(format!("--gateway stripe: {error}"));
    let config = StripeConfig::new(required(SECRET_KEY)?.into(), required(PUBLISHABLE_KEY)?, required(WEBHOOK_SECRET)?.into());
    let config = config.map_err(wrong)?;
    let config = match variable(API_BASE) {
        Some(address) => config.with_api_base(&address).map_err(wrong)?,
        None => config,
    };
    if settings.test_clock && config.is_live() {
        return Err(Failure::Setting("--test-clock moves deadlines, so it takes no live key of Stripe".to_owned()));
    }
    StripeGateway::new(config).map_err(Failure::other)
}
