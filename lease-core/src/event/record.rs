use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::event::{Event, EventType};
use crate::id::{CustomerId, Entity, EventId, NewIds, TradeId, UserId};
use crate::permission::Actor;

/// An event as it is stored. It never changes.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRecord {
    /// The type.
    pub event_type: EventType,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Whose act it was.
    pub actor: EventActor,
    /// The request in which it happened.
    pub request_id: Option<String>,
    /// The id of the object that it is about, whose kind is [`EventType::subject_kind`]; `None` for several
    /// tokens.
    pub subject_id: Option<i64>,
    /// The trade, for trades and what hangs on them.
    pub trade_id: Option<TradeId>,
    /// The facts.
    pub data: Map<String, Value>,
    /// What changed in an object that was there: each changed field as `{from, to}`.
    pub changes: Map<String, Value>,
}

impl Entity for EventRecord {
    type Id = EventId;
}

/// Whose act an event was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventActor {
    /// A user's.
    User {
        /// The user.
        user_id: UserId,
        /// The customer that belonged to the user.
        customer_id: Option<CustomerId>,
        /// Whether the user was administrative.
        is_staff: bool,
    },
    /// The program's own.
    System,
    /// The payment gateway's.
    Gateway,
    /// That of somebody who is not known, such as who registers.
    Anonymous,
}

impl From<&Actor> for EventActor {
    fn from(actor: &Actor) -> Self {
        match *actor {
            Actor::Anonymous => Self::Anonymous,
            Actor::Customer { user, customer } | Actor::Unverified { user, customer } => {
                Self::User { user_id: user, customer_id: Some(customer), is_staff: false }
            }
            Actor::Staff { user } | Actor::Superuser { user } => Self::User { user_id: user, customer_id: None, is_staff: true },
            Actor::System => Self::System,
            Actor::Gateway => Self::Gateway,
        }
    }
}

impl EventActor {
    /// The user, if it was one's act.
    #[must_use]
    pub const fn user_id(self) -> Option<UserId> {
        match self {
            Self::User { user_id, .. } => Some(user_id),
            Self::System | Self::Gateway | Self::Anonymous => None,
        }
    }
}

/// The user to whom a list of events is limited, and their customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The user.
    pub user: UserId,
    /// The customer that belongs to the user.
    pub customer: Option<CustomerId>,
}

impl Event {
    /// The event as it is stored, by this actor at this instant, with the ids that its commit gave out.
    #[must_use]
    pub fn record(&self, actor: &Actor, at: DateTime<Utc>, request_id: Option<&str>, ids: &NewIds) -> EventRecord {
        EventRecord {
            event_type: self.event_type,
            occurred_at: self.occurred_at.unwrap_or(at),
            actor: self.actor.unwrap_or_else(|| actor.into()),
            request_id: request_id.map(str::to_owned),
            subject_id: self.subject.and_then(|subject| subject.resolve(ids)),
            trade_id: self.trade.and_then(|trade| trade.resolve(ids)).and_then(TradeId::new),
            data: self.data.resolve(ids),
            changes: self.changes.resolve(ids),
        }
    }
}
