use chrono::{DateTime, Utc};
use lease_core::event::EventPattern;
use lease_core::id::{EventId, Stored, WebhookDeliveryId, WebhookEndpointId};
use lease_core::model::{self, DeliveryAttempt, DeliveryState, DeliveryStatus, DisabledReason};
use lease_core::openapi::{EventTypePattern, Id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Secret;

/// An address of another system that is told of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct WebhookEndpoint {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: WebhookEndpointId,
    /// The address.
    pub url: String,
    /// What it is for, or empty.
    pub description: String,
    /// The types of the events that it is told of; all if there is none.
    #[schema(value_type = Vec<EventTypePattern>)]
    pub event_types: Vec<EventPattern>,
    /// Whether it is told of events.
    pub is_active: bool,
    /// Why it was switched off by itself, if it was.
    #[schema(required)]
    pub disabled_reason: Option<DisabledReason>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl From<Stored<model::WebhookEndpoint>> for WebhookEndpoint {
    fn from(Stored { id, value: endpoint }: Stored<model::WebhookEndpoint>) -> Self {
        Self {
            id,
            is_active: endpoint.is_active(),
            disabled_reason: endpoint.disabled_reason(),
            event_types: endpoint.event_types,
            url: endpoint.url,
            description: endpoint.description,
            created_at: endpoint.created_at,
        }
    }
}

/// A webhook endpoint, with its new secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct WebhookEndpointWithSecret {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: WebhookEndpointId,
    /// The address.
    pub url: String,
    /// What it is for, or empty.
    pub description: String,
    /// The types of the events that it is told of; all if there is none.
    #[schema(value_type = Vec<EventTypePattern>)]
    pub event_types: Vec<EventPattern>,
    /// Whether it is told of events.
    pub is_active: bool,
    /// Why it was switched off by itself, if it was.
    #[schema(required)]
    pub disabled_reason: Option<DisabledReason>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// The secret that signs what is sent, as Standard Webhooks says; shown only here.
    #[schema(value_type = String, pattern = "^whsec_[A-Za-z0-9+/]{43}=$", example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDMjJGa9zS6fk=")]
    pub secret: Secret,
}

impl From<Stored<model::WebhookEndpoint>> for WebhookEndpointWithSecret {
    fn from(endpoint: Stored<model::WebhookEndpoint>) -> Self {
        let secret = Secret::new(endpoint.secret.expose());
        let WebhookEndpoint { id, url, description, event_types, is_active, disabled_reason, created_at } = endpoint.into();
        Self { id, url, description, event_types, is_active, disabled_reason, created_at, secret }
    }
}

/// What an endpoint is to be told, and how that went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct WebhookDelivery {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: WebhookDeliveryId,
    /// The endpoint.
    #[schema(value_type = Id)]
    pub webhook_endpoint_id: WebhookEndpointId,
    /// The event; null for a test.
    #[schema(required, value_type = Option<Id>)]
    pub event_id: Option<EventId>,
    /// The type, as it is sent: that of the event, or `webhook_endpoint.test`.
    #[schema(example = "invoice.paid")]
    pub r#type: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// When it is tried next, while it is pending.
    #[schema(required)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The last tries, oldest first; at most 20.
    pub tries: Vec<WebhookTry>,
    /// When it was queued for the first time.
    pub created_at: DateTime<Utc>,
}

impl From<Stored<model::WebhookDelivery>> for WebhookDelivery {
    fn from(Stored { id, value: delivery }: Stored<model::WebhookDelivery>) -> Self {
        let next_attempt_at = match delivery.state {
            DeliveryState::Pending { next_attempt_at } => Some(next_attempt_at),
            DeliveryState::Succeeded | DeliveryState::Failed => None,
        };
        Self {
            id,
            webhook_endpoint_id: delivery.endpoint_id,
            event_id: delivery.message.event_id(),
            r#type: delivery.message.type_name().to_owned(),
            status: delivery.state.into(),
            next_attempt_at,
            tries: delivery.attempts.into_iter().map(WebhookTry::from).collect(),
            created_at: delivery.created_at,
        }
    }
}

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct WebhookTry {
    /// When it began.
    pub at: DateTime<Utc>,
    /// The status of the answer, if there was one.
    #[schema(required, minimum = 100, maximum = 999)]
    pub status: Option<u16>,
    /// How long it took.
    #[schema(minimum = 0)]
    pub milliseconds: u32,
    /// The first 1,024 bytes of the answer, as far as they are text.
    #[schema(example = "ok")]
    pub response: String,
    /// What went wrong, if there was no answer.
    #[schema(required, example = json!(null))]
    pub error: Option<String>,
}

impl From<DeliveryAttempt> for WebhookTry {
    fn from(attempt: DeliveryAttempt) -> Self {
        let DeliveryAttempt { at, status, milliseconds, response, error } = attempt;
        Self { at, status, milliseconds, response, error }
    }
}
