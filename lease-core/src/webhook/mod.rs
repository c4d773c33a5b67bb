//! Webhooks (rules 9.1, 9.2): the decisions about endpoints and deliveries, and the [`WebhookClient`], which sends them.

mod address;
mod body;
mod client;
mod delivery;
mod endpoint;

pub use address::{is_public, parse_url};
pub use body::message_body;
pub(crate) use body::{message_id, test_body};
#[cfg(feature = "mock")]
pub use client::MockWebhookClient;
pub use client::{WebhookAnswer, WebhookClient, WebhookRequest};
pub use delivery::{Verdict, judge_attempt, retry_delivery, test_endpoint};
pub use endpoint::{
    Start, WebhookEndpointChange, WebhookEndpointDraft, create_endpoint, delete_endpoint, disable_endpoint, rotate_secret,
    update_endpoint,
};

use chrono::{DateTime, Utc};

use crate::id::WebhookDeliveryId;
use crate::model::WebhookDelivery;

/// A change to a delivery that somebody asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum DeliveryChange {
    /// Queues a new one.
    Create(WebhookDelivery),
    /// Makes one pending, due at this instant and held by nobody, whatever its state, and counts its tries anew; its attempts stay, and
    /// a try under way is not recorded. One that is not there is a conflict.
    Retry {
        /// The delivery.
        id: WebhookDeliveryId,
        /// The instant.
        at: DateTime<Utc>,
    },
}
