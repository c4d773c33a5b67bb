use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{EventActor, EventRecord};
use crate::id::{CustomerId, EventId, Stored, TradeId, UserId};

/// An event as the API shows it (rule 8.2), in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventView {
    id: EventId,
    r#type: &'static str,
    occurred_at: DateTime<Utc>,
    actor: ActorView,
    request_id: Option<String>,
    subject: SubjectView,
    trade_id: Option<TradeId>,
    data: Map<String, Value>,
    changes: Map<String, Value>,
}

impl From<Stored<EventRecord>> for EventView {
    fn from(Stored { id, value: event }: Stored<EventRecord>) -> Self {
        Self {
            id,
            r#type: event.event_type.into(),
            occurred_at: event.occurred_at,
            actor: event.actor.into(),
            request_id: event.request_id,
            subject: SubjectView { kind: event.event_type.subject_kind().into(), id: event.subject_id },
            trade_id: event.trade_id,
            data: event.data,
            changes: event.changes,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct SubjectView {
    kind: &'static str,
    id: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ActorView {
    User { user_id: UserId, customer_id: Option<CustomerId>, is_staff: bool },
    System,
    Gateway,
    Anonymous,
}

impl From<EventActor> for ActorView {
    fn from(actor: EventActor) -> Self {
        match actor {
            EventActor::User { user_id, customer_id, is_staff } => Self::User { user_id, customer_id, is_staff },
            EventActor::System => Self::System,
            EventActor::Gateway => Self::Gateway,
            EventActor::Anonymous => Self::Anonymous,
        }
    }
}
