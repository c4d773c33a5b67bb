use chrono::{DateTime, Utc};
use lease_core::event::EventType;
use lease_core::id::EventId;
use lease_core::model::{
    DeliveryState, DeliveryStatus, DisabledReason, EndpointState, PreviousSecret, WebhookDelivery, WebhookEndpoint,
    WebhookMessage, WebhookSecret,
};
use lease_core::repository::RepositoryError;

use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Json, Named, Value, name, values};

impl Table for WebhookEndpoint {
    const NAME: &'static str = "webhook_endpoints";
    const COLUMNS: &'static str =
        "url, description, event_types, is_active, disabled_reason, secret, previous_secrets, created_at";

    fn values(&self) -> Vec<Value> {
        let event_types: Vec<String> = self.event_types.iter().map(ToString::to_string).collect();
        let previous: Vec<(&str, DateTime<Utc>)> =
            self.previous.iter().map(|previous| (previous.secret.expose(), previous.until)).collect();
        values![
            self.url,
            self.description,
            Json(event_types),
            self.is_active(),
            self.disabled_reason().map(name),
            self.secret.expose(),
            Json(previous),
            self.created_at,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            url: fields.get()?,
            description: fields.get()?,
            event_types: read_patterns(fields)?,
            state: read_endpoint_state(fields)?,
            secret: WebhookSecret::from_stored(fields.get()?),
            previous: read_previous(fields)?,
            created_at: fields.get()?,
        })
    }
}

fn read_patterns(fields: &mut Fields<'_>) -> Result<Vec<lease_core::event::EventPattern>, RepositoryError> {
    let Json(patterns): Json<Vec<String>> = fields.get()?;
    fields.some(patterns.iter().map(|pattern| pattern.parse().ok()).collect())
}

fn read_endpoint_state(fields: &mut Fields<'_>) -> Result<EndpointState, RepositoryError> {
    let (is_active, reason): (bool, Option<Named<DisabledReason>>) = (fields.get()?, fields.get()?);
    Ok(if is_active { EndpointState::Active } else { EndpointState::Off(reason.map(|Named(reason)| reason)) })
}

fn read_previous(fields: &mut Fields<'_>) -> Result<Vec<PreviousSecret>, RepositoryError> {
    let Json(previous): Json<Vec<(String, DateTime<Utc>)>> = fields.get()?;
    let secret = |(secret, until)| PreviousSecret { secret: WebhookSecret::from_stored(secret), until };
    Ok(previous.into_iter().map(secret).collect())
}

impl Table for WebhookDelivery {
    const NAME: &'static str = "webhook_deliveries";
    const COLUMNS: &'static str = "endpoint_id, event_id, event_type, status, next_attempt_at, tries, attempts, created_at";

    fn values(&self) -> Vec<Value> {
        let event_type = match self.message {
            WebhookMessage::Event(_, event_type) => Some(name(event_type)),
            WebhookMessage::Test => None,
        };
        let next = match self.state {
            DeliveryState::Pending { next_attempt_at } => Some(next_attempt_at),
            DeliveryState::Succeeded | DeliveryState::Failed => None,
        };
        values![
            self.endpoint_id,
            self.message.event_id(),
            event_type,
            name(DeliveryStatus::from(self.state)),
            next,
            self.tries,
            Json(&self.attempts),
            self.created_at,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            endpoint_id: fields.get()?,
            message: read_message(fields)?,
            state: read_delivery_state(fields)?,
            tries: fields.get()?,
            attempts: fields.get().map(|Json(attempts)| attempts)?,
            created_at: fields.get()?,
        })
    }
}

fn read_message(fields: &mut Fields<'_>) -> Result<WebhookMessage, RepositoryError> {
    let message: (Option<EventId>, Option<Named<EventType>>) = (fields.get()?, fields.get()?);
    match message {
        (Some(event), Some(Named(event_type))) => Ok(WebhookMessage::Event(event, event_type)),
        (None, None) => Ok(WebhookMessage::Test),
        _ => Err(fields.fault("half of an event")),
    }
}

fn read_delivery_state(fields: &mut Fields<'_>) -> Result<DeliveryState, RepositoryError> {
    let (status, next): (_, Option<DateTime<Utc>>) = (fields.name()?, fields.get()?);
    Ok(match status {
        DeliveryStatus::Pending => DeliveryState::Pending { next_attempt_at: fields.some(next)? },
        DeliveryStatus::Succeeded => DeliveryState::Succeeded,
        DeliveryStatus::Failed => DeliveryState::Failed,
    })
}
