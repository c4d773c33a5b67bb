use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::event::{EventRecord, EventView};
use crate::id::{Stored, WebhookDeliveryId, WebhookEndpointId};
use crate::model::WebhookMessage;

/// What is sent (rule 9.2).
#[derive(Serialize)]
struct Body<D> {
    r#type: &'static str,
    timestamp: DateTime<Utc>,
    data: D,
}

/// The body that tells of an event, in JSON: its type, when it happened, and the event as the API shows it.
///
/// # Errors
/// Those of the serialiser, which has none for such values.
pub fn message_body(event: &Stored<EventRecord>) -> serde_json::Result<String> {
    let body = Body { r#type: event.event_type.into(), timestamp: event.occurred_at, data: EventView::from(event.clone()) };
    serde_json::to_string(&body)
}

/// The body of a test.
pub(crate) fn test_body(endpoint: WebhookEndpointId, at: DateTime<Utc>) -> serde_json::Result<String> {
    let data: Value = json!({ "webhook_endpoint_id": endpoint });
    serde_json::to_string(&Body { r#type: WebhookMessage::TEST, timestamp: at, data })
}

/// `webhook-id`: the same for each try of a delivery, and for each endpoint that is told of the event.
pub(crate) fn message_id(delivery: WebhookDeliveryId, message: WebhookMessage) -> String {
    match message {
        WebhookMessage::Event(id, _) => format!("event_{id}"),
        WebhookMessage::Test => format!("test_{delivery}"),
    }
}
