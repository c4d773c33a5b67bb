//! The positions of consumers.

use lease_core::event::ConsumerName;
use lease_core::id::EventId;
use lease_core::repository::RepositoryError;
use sqlx::QueryBuilder;

use crate::database::{Database, fault};
use crate::row::Fields;

pub(super) async fn position(database: &Database, name: &ConsumerName) -> Result<Option<EventId>, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("select last_event_id from event_consumers where name = ");
        query.push_bind(name.as_str());
        query
    };
    database.read_one(statement).await?.map(|row| Fields::of(&row).id()).transpose()
}

pub(super) async fn move_to(database: &Database, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("insert into event_consumers as before (name, last_event_id) values (");
        query.separated(", ").push_bind(name.as_str()).push_bind(to.get());
        query.push(") on conflict (name) do update set last_event_id = greatest(before.last_event_id, excluded.last_event_id)");
        query.push(" returning last_event_id");
        query
    };
    let rows = database.write(statement).await?;
    rows.first().map_or_else(|| Err(fault("the position was not stored")), |row| Fields::of(row).id())
}

pub(super) async fn remove(database: &Database, name: &ConsumerName) -> Result<bool, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new("delete from event_consumers where name = ");
        query.push_bind(name.as_str()).push(" returning 1");
        query
    };
    Ok(!database.write(statement).await?.is_empty())
}
