use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use chrono::{DateTime, Utc};

use crate::event::{EventPattern, EventType};
use crate::id::{Entity, EventId, WebhookDeliveryId, WebhookEndpointId};

/// An address of another system that is told of events (rule 9.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct WebhookEndpoint {
    /// The address, as it was checked.
    pub url: String,
    /// What it is for, or empty.
    pub description: String,
    /// The events that it is told of; all if there is none.
    pub event_types: Vec<EventPattern>,
    /// Whether it is told of anything.
    pub state: EndpointState,
    /// The secret that signs what is sent.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub secret: WebhookSecret,
    /// The secrets before the last rotations, each of which signs as well for a while; the newest first, and at most
    /// [`PREVIOUS_SECRETS`](Self::PREVIOUS_SECRETS).
    #[cfg_attr(feature = "serde", serde(skip))]
    pub previous: Vec<PreviousSecret>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
}

impl Entity for WebhookEndpoint {
    type Id = WebhookEndpointId;
}

impl WebhookEndpoint {
    /// The most secrets that sign beside the present one.
    pub const PREVIOUS_SECRETS: usize = 5;

    /// Whether it is told of events of this type while it is switched on.
    #[must_use]
    pub fn wants(&self, event_type: EventType) -> bool {
        self.event_types.is_empty() || self.event_types.iter().any(|pattern| pattern.matches(event_type))
    }

    /// The secrets that sign what is sent at this instant, the present one first.
    pub fn secrets(&self, now: DateTime<Utc>) -> impl Iterator<Item = &WebhookSecret> {
        let previous = self.previous.iter().filter(move |previous| now < previous.until);
        std::iter::once(&self.secret).chain(previous.map(|previous| &previous.secret))
    }

    /// The reason why it was switched off by itself, if it was.
    #[must_use]
    pub const fn disabled_reason(&self) -> Option<DisabledReason> {
        match self.state {
            EndpointState::Off(reason) => reason,
            EndpointState::Active => None,
        }
    }

    /// Whether it is told of events.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self.state, EndpointState::Active)
    }
}

/// Whether an endpoint is told of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", content = "reason", rename_all = "snake_case"))]
pub enum EndpointState {
    /// It is.
    Active,
    /// It is not: staff switched it off, or it was switched off by itself for this reason.
    Off(Option<DisabledReason>),
}

/// The reason why an endpoint was switched off by itself (rule 9.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum DisabledReason {
    /// It answered that it is gone for good (410).
    Gone,
    /// It has taken nothing for too long.
    Failing,
}

/// A secret before a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// The secret.
    pub secret: WebhookSecret,
    /// Until when it signs as well.
    pub until: DateTime<Utc>,
}

/// The secret that signs what is sent to an endpoint: `whsec_` and 32 random bytes in base64 (Standard Webhooks 1.0). `Debug` does
/// not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// The text before the base64 of a secret.
    pub const PREFIX: &str = "whsec_";

    /// A secret of 32 random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(format!("{}{}", Self::PREFIX, BASE64_STANDARD.encode(bytes)))
    }

    /// Wraps a stored secret.
    #[must_use]
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The secret as its receiver knows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// What an endpoint is to be told, and how that went (rule 9.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WebhookDelivery {
    /// The endpoint.
    pub endpoint_id: WebhookEndpointId,
    /// What it is told.
    pub message: WebhookMessage,
    /// How far it has come.
    pub state: DeliveryState,
    /// The tries since it was last queued, those that are no longer kept included.
    pub tries: u32,
    /// The last tries, oldest first; at most [`KEPT_ATTEMPTS`](Self::KEPT_ATTEMPTS).
    pub attempts: Vec<DeliveryAttempt>,
    /// When it was queued for the first time.
    pub created_at: DateTime<Utc>,
}

impl WebhookDelivery {
    /// The most attempts that are kept of a delivery.
    pub const KEPT_ATTEMPTS: usize = 20;
}

impl Entity for WebhookDelivery {
    type Id = WebhookDeliveryId;
}

/// What an endpoint is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum WebhookMessage {
    /// An event.
    Event(EventId, EventType),
    /// That this is a test.
    Test,
}

impl WebhookMessage {
    /// The type of a test.
    pub const TEST: &str = "webhook_endpoint.test";

    /// The event, unless it is a test.
    #[must_use]
    pub const fn event_id(self) -> Option<EventId> {
        match self {
            Self::Event(id, _) => Some(id),
            Self::Test => None,
        }
    }

    /// The type, as it is sent.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Event(_, event_type) => event_type.into(),
            Self::Test => Self::TEST,
        }
    }
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(DeliveryStatus),
    doc = "The names of the states of a delivery.",
    derive(Hash, strum::Display, strum::EnumString, strum::IntoStaticStr, strum::VariantArray),
    strum(serialize_all = "snake_case")
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "status", rename_all = "snake_case"))]
pub enum DeliveryState {
    /// It is tried at this instant.
    Pending {
        /// The instant.
        next_attempt_at: DateTime<Utc>,
    },
    /// The endpoint has taken it.
    Succeeded,
    /// It was given up.
    Failed,
}

impl DeliveryAttempt {
    /// The most bytes that are kept of an answer, and of what went wrong.
    pub const KEPT_BYTES: usize = 1_024;
}

/// One try of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeliveryAttempt {
    /// When it began.
    pub at: DateTime<Utc>,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// How long it took, in milliseconds.
    pub milliseconds: u32,
    /// The first 1,024 bytes of the answer, as far as they are text.
    pub response: String,
    /// What went wrong, if there was no answer.
    pub error: Option<String>,
}
