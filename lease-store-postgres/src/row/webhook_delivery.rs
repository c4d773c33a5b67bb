use chrono::{DateTime, Utc};
use lease_core::event::EventType;
use lease_core::id::EventId;
use lease_core::model::{DeliveryAttempt, DeliveryState, DeliveryStatus, WebhookDelivery, WebhookMessage};
use lease_core::repository::RepositoryError;
use sqlx::types::Json;

use super::{Fields, Table, Values};

impl Table for WebhookDelivery {
    const NAME: &'static str = "webhook_deliveries";
    const COLUMNS: &'static [&'static str] =
        &["endpoint_id", "event_id", "event_type", "status", "next_attempt_at", "tries", "attempts", "created_at"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            endpoint_id: fields.id()?,
            message: read_message(fields)?,
            state: read_state(fields)?,
            tries: fields.number()?,
            attempts: fields.get::<Vec<Json<_>>>()?.into_iter().map(|Json(attempt)| attempt).collect(),
            created_at: fields.get()?,
        })
    }
}

/// Reads `event_id` and `event_type`.
fn read_message(fields: &mut Fields<'_>) -> Result<WebhookMessage, RepositoryError> {
    let event: Option<EventId> = fields.optional_id()?;
    let event_type: Option<&str> = fields.get()?;
    match (event, event_type) {
        (Some(event), Some(event_type)) => Ok(WebhookMessage::Event(event, fields.parsed(event_type.parse())?)),
        (None, None) => Ok(WebhookMessage::Test),
        _ => Err(fields.fault("half of an event")),
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<DeliveryState, RepositoryError> {
    let status = fields.name()?;
    let next_attempt_at: Option<DateTime<Utc>> = fields.get()?;
    Ok(match status {
        DeliveryStatus::Pending => DeliveryState::Pending { next_attempt_at: fields.some("next_attempt_at", next_attempt_at)? },
        DeliveryStatus::Succeeded => DeliveryState::Succeeded,
        DeliveryStatus::Failed => DeliveryState::Failed,
    })
}

/// The columns `status` and `next_attempt_at` of a state.
pub(crate) fn delivery_state(state: DeliveryState) -> (&'static str, Option<DateTime<Utc>>) {
    let next_attempt_at = match state {
        DeliveryState::Pending { next_attempt_at } => Some(next_attempt_at),
        DeliveryState::Succeeded | DeliveryState::Failed => None,
    };
    (DeliveryStatus::from(state).into(), next_attempt_at)
}

/// An attempt as it is stored.
pub(crate) fn attempt_json(attempt: &DeliveryAttempt) -> Result<String, RepositoryError> {
    serde_json::to_string(attempt).map_err(|error| RepositoryError::Internal(error.into()))
}

/// The columns that [`write_delivery`] writes.
pub(crate) const DELIVERY_WRITTEN: &str =
    "endpoint_id, event_id, event_type, status, next_attempt_at, tries, created_at, attempts";

/// Writes the [`DELIVERY_WRITTEN`]; `attempts` are those of the delivery, [in JSON](attempt_json).
pub(crate) fn write_delivery(values: &mut Values<'_>, delivery: &WebhookDelivery, attempts: &[String]) {
    let (status, next_attempt_at) = delivery_state(delivery.state);
    let event_type: Option<EventType> = match delivery.message {
        WebhookMessage::Event(_, event_type) => Some(event_type),
        WebhookMessage::Test => None,
    };
    values
        .push_bind(delivery.endpoint_id.get())
        .push_bind(delivery.message.event_id().map(EventId::get))
        .push_bind(event_type.map(<&str>::from))
        .push_bind(status)
        .push_bind(next_attempt_at)
        .push_bind(i32::try_from(delivery.tries).unwrap_or(i32::MAX))
        .push_bind(delivery.created_at)
        .push_bind(attempts.to_vec())
        .push_unseparated("::json[]");
}
