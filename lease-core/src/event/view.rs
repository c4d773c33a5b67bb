use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{EventActor, EventRecord, EventType, SubjectKind};
use crate::id::{EventId, Stored, TradeId};

/// An event in JSON, as the API shows it and webhooks send it (rule 8.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// Its id.
    pub id: EventId,
    /// The type.
    pub r#type: EventType,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// Whose act it was.
    pub actor: EventActor,
    /// The request in which it happened.
    pub request_id: Option<String>,
    /// What it is about.
    pub subject: Subject,
    /// The trade, for trades and what hangs on them.
    pub trade_id: Option<TradeId>,
    /// The facts.
    pub data: Map<String, Value>,
    /// What changed in an object that was there: each changed field as `{from, to}`.
    pub changes: Map<String, Value>,
}

/// The object that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The kind of object.
    pub kind: SubjectKind,
    /// Its id; `None` for several tokens.
    pub id: Option<i64>,
}

impl From<Stored<EventRecord>> for EventView {
    fn from(Stored { id, value: event }: Stored<EventRecord>) -> Self {
        Self {
            id,
            r#type: event.event_type,
            occurred_at: event.occurred_at,
            actor: event.actor,
            request_id: event.request_id,
            subject: Subject { kind: event.event_type.subject_kind(), id: event.subject_id },
            trade_id: event.trade_id,
            data: event.data,
            changes: event.changes,
        }
    }
}
