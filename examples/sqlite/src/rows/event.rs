use lease_core::event::{EventActor, EventRecord};
use lease_core::repository::RepositoryError;

use super::join;
use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Json, Value, name, values};

impl Table for EventRecord {
    const NAME: &'static str = "events";
    const COLUMNS: &'static str = "event_type, occurred_at, actor_kind, actor_user_id, actor_customer_id, request_id, subject_id, \
                                   trade_id, data, changes";
    const DERIVED: &'static str = ", subject_kind";

    fn values(&self) -> Vec<Value> {
        join([
            values![name(self.event_type), self.occurred_at],
            actor_values(self.actor),
            values![self.request_id, self.subject_id, self.trade_id, Json(&self.data), Json(&self.changes)],
            values![name(self.event_type.subject_kind())],
        ])
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            event_type: fields.name()?,
            occurred_at: fields.get()?,
            actor: read_actor(fields)?,
            request_id: fields.get()?,
            subject_id: fields.get()?,
            trade_id: fields.get()?,
            data: fields.get().map(|Json(data)| data)?,
            changes: fields.get().map(|Json(changes)| changes)?,
        })
    }
}

/// The columns `actor_kind`, `actor_user_id` and `actor_customer_id`.
fn actor_values(actor: EventActor) -> Vec<Value> {
    match actor {
        EventActor::User { user_id, customer_id, .. } => values!["user", user_id, customer_id],
        EventActor::System => values!["system", Value::Null, Value::Null],
        EventActor::Gateway => values!["gateway", Value::Null, Value::Null],
        EventActor::Anonymous => values!["anonymous", Value::Null, Value::Null],
    }
}

/// Reads [`actor_values`]. A user without a customer was administrative.
fn read_actor(fields: &mut Fields<'_>) -> Result<EventActor, RepositoryError> {
    let (kind, user_id, customer_id): (String, _, Option<_>) = (fields.get()?, fields.get()?, fields.get()?);
    match (kind.as_str(), user_id) {
        ("user", Some(user_id)) => Ok(EventActor::User { user_id, customer_id, is_staff: customer_id.is_none() }),
        ("system", _) => Ok(EventActor::System),
        ("gateway", _) => Ok(EventActor::Gateway),
        ("anonymous", _) => Ok(EventActor::Anonymous),
        _ => Err(fields.fault("its actor makes no sense")),
    }
}
