use chrono::{DateTime, Utc};
use lease_core::id::EventId;
use lease_core::repository::RepositoryError;
use sqlx::QueryBuilder;

use crate::database::Database;
use crate::row::Fields;

/// Takes the next events for each endpoint that is behind. Endpoints for which another server does so are left to it.
///
/// The ids of the events that a statement sees have no gaps, since `place_events` gives them one commit after the other. So a position
/// that moves to the last of those that were taken passes over none. One that was moved after the statement had begun is read as it is
/// when it is locked; then there may be nothing that the statement sees after it, and it stays.
pub(super) async fn queue(database: &Database, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
    let statement = || {
        let mut query = QueryBuilder::new(
            "with behind as materialized (\
             select e.id, e.event_types, p.last_event_id from webhook_endpoints e join webhook_positions p on p.endpoint_id = e.id \
             where e.is_active and p.last_event_id < (select last_id from event_log where id) \
             for key share of e skip locked for update of p skip locked\
             ), taken as materialized (\
             select behind.id as endpoint_id, next.id as event_id, next.event_type, cardinality(behind.event_types) = 0 \
             or next.event_type = any (behind.event_types) or next.subject_kind || '.*' = any (behind.event_types) as is_wanted \
             from behind cross join lateral (\
             select v.id, v.event_type, v.subject_kind from events v where v.id > behind.last_event_id order by v.id limit ",
        );
        query.push_bind(i64::from(limit));
        query.push(
            ") next), queued as (\
             insert into webhook_deliveries (\
             endpoint_id, event_id, event_type, status, next_attempt_at, tries, attempts, created_at) \
             select endpoint_id, event_id, event_type, 'pending', at, 0, '{}', at from taken, (select ",
        );
        query.push_bind(now).push(
            " as at) as present where is_wanted order by endpoint_id, event_id\
             ), moved as (\
             update webhook_positions p set last_event_id = reached.event_id \
             from (select endpoint_id, max(event_id) as event_id from taken group by endpoint_id) as reached \
             where p.endpoint_id = reached.endpoint_id\
             ) select count(*) from taken",
        );
        query
    };
    let rows = database.write(statement).await?;
    let taken: i64 = rows.first().map_or(Ok(0), |row| Fields::of(row).get())?;
    Ok(taken.unsigned_abs())
}

/// The first event after the position of an active endpoint, or of a pending delivery to one.
pub(super) async fn first_needed(database: &Database) -> Result<Option<EventId>, RepositoryError> {
    let statement = || {
        QueryBuilder::new(
            "select min(least(\
             (select v.id from events v where v.id > p.last_event_id order by v.id limit 1), \
             (select d.event_id from webhook_deliveries d where d.endpoint_id = e.id and d.status = 'pending' \
             order by d.event_id limit 1))) \
             from webhook_endpoints e join webhook_positions p on p.endpoint_id = e.id where e.is_active",
        )
    };
    let row = database.read_one(statement).await?;
    row.map_or(Ok(None), |row| Fields::of(&row).optional_id())
}
