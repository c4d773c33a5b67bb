use lease_core::gateway::{self, GatewayInfo};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Secret;

/// The payment gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Gateway {
    /// Its name: `sandbox`, with which no money moves, or `stripe`.
    #[schema(example = "sandbox")]
    pub kind: String,
    /// The key with which a browser speaks to the provider, if it does.
    #[schema(required, example = json!(null))]
    pub publishable_key: Option<String>,
}

impl From<GatewayInfo> for Gateway {
    fn from(GatewayInfo { kind, publishable_key, .. }: GatewayInfo) -> Self {
        Self { kind: kind.to_owned(), publishable_key }
    }
}

/// What a browser needs to enter a card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct CardSetup {
    /// The secret with which it does so.
    #[schema(value_type = String, example = "seti_1_secret_2")]
    pub client_secret: Secret,
}

impl From<gateway::CardSetup> for CardSetup {
    fn from(setup: gateway::CardSetup) -> Self {
        Self { client_secret: Secret::new(setup.client_secret.expose()) }
    }
}
