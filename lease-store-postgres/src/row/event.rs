use lease_core::event::{EventActor, EventRecord};
use lease_core::id::CustomerId;
use lease_core::repository::RepositoryError;
use sqlx::types::Json;

use super::{Fields, Table};

impl Table for EventRecord {
    const NAME: &'static str = "events";
    const COLUMNS: &'static [&'static str] = &[
        "event_type",
        "occurred_at",
        "actor_kind",
        "actor_user_id",
        "actor_customer_id",
        "request_id",
        "subject_id",
        "trade_id",
        "data",
        "changes",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            event_type: fields.name()?,
            occurred_at: fields.get()?,
            actor: read_actor(fields)?,
            request_id: fields.get()?,
            subject_id: fields.get()?,
            trade_id: fields.optional_id()?,
            data: fields.get::<Json<_>>()?.0,
            changes: fields.get::<Json<_>>()?.0,
        })
    }
}

/// Reads `actor_kind`, `actor_user_id` and `actor_customer_id`. A user without a customer was administrative.
fn read_actor(fields: &mut Fields<'_>) -> Result<EventActor, RepositoryError> {
    let kind: String = fields.get()?;
    let (user_id, customer_id) = (fields.optional_id()?, fields.optional_id()?);
    match (kind.as_str(), user_id) {
        ("user", Some(user_id)) => Ok(EventActor::User { user_id, customer_id, is_staff: customer_id.is_none() }),
        ("system", _) => Ok(EventActor::System),
        ("gateway", _) => Ok(EventActor::Gateway),
        ("anonymous", _) => Ok(EventActor::Anonymous),
        _ => Err(fields.fault("its actor makes no sense")),
    }
}

/// The columns `actor_kind`, `actor_user_id` and `actor_customer_id` of an actor.
pub(crate) fn actor_columns(actor: EventActor) -> (&'static str, Option<i64>, Option<i64>) {
    match actor {
        EventActor::User { user_id, customer_id, .. } => ("user", Some(user_id.get()), customer_id.map(CustomerId::get)),
        EventActor::System => ("system", None, None),
        EventActor::Gateway => ("gateway", None, None),
        EventActor::Anonymous => ("anonymous", None, None),
    }
}
