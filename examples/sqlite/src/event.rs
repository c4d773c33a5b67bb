//! Events. They get their ids at the commit, which has the lock of the file: so the ids are in the order of the commits.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::event::{Audience, ConsumerName, Event, EventRecord, EventType, Viewer};
use lease_core::id::{CustomerId, EventId, NewIds, Stored, TradeId};
use lease_core::page::{Page, PageRequest, Place};
use lease_core::repository::{Envelope, EventFilter, EventRepository, RepositoryError};

use crate::SqliteRepository;
use crate::error::failure;
use crate::list::{self, Branch, Filters, Walk};
use crate::sql::{Db, sql};
use crate::table::{find_by, insert};
use crate::value::{Value, name, values};

#[async_trait]
impl EventRepository for SqliteRepository {
    async fn list_events(&self, filter: &EventFilter, page: PageRequest) -> Result<Page<Stored<EventRecord>>, RepositoryError> {
        let mut db = self.reading().await?;
        list::page(&mut db, &branches(filter), filters(filter), page).await
    }

    async fn events_after(
        &self,
        after: Option<EventId>,
        limit: u32,
        filter: &EventFilter,
    ) -> Result<Vec<Stored<EventRecord>>, RepositoryError> {
        after_event(&mut *self.reading().await?, after, limit, filter).await
    }

    async fn last_event(&self) -> Result<Option<EventId>, RepositoryError> {
        last(&mut *self.reading().await?).await
    }

    async fn place_events(&self, _: u32) -> Result<u64, RepositoryError> {
        Ok(0)
    }

    async fn clear_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let mut db = self.writing().await?;
        let oldest = "select id, occurred_at from events order by id limit ?";
        let past = format!(
            "delete from events where id in (select id from ({oldest})) \
             and id < coalesce((select min(id) from ({oldest}) where occurred_at >= ?), 9223372036854775807)"
        );
        let cleared = sql(past, values![limit, limit, before]).run(&mut db).await?;
        db.commit().await.map_err(failure)?;
        Ok(cleared)
    }

    async fn cleared_events(&self) -> Result<Option<EventId>, RepositoryError> {
        let mut db = self.reading().await?;
        // Events are cleared from the first on, and no id is left out.
        let first: Option<i64> = sql("select min(id) from events", values![]).value(&mut db).await?.flatten();
        match first {
            Some(first) => Ok(EventId::new(first - 1)),
            None => last(&mut db).await,
        }
    }

    async fn find_event(&self, id: EventId, visible_to: Option<Viewer>) -> Result<Option<Stored<EventRecord>>, RepositoryError> {
        let mut db = self.reading().await?;
        let Some(viewer) = visible_to else { return find_by(&mut db, "id = ?", values![id]).await };
        let seen = "id = ? and exists (select 1 from event_readers r where r.event_id = events.id \
                    and (r.is_user, r.reader_id) in (values (1, ?), (0, ?)))";
        find_by(&mut db, seen, values![id, viewer.user, viewer.customer]).await
    }

    async fn consumer_position(&self, name: &ConsumerName) -> Result<Option<EventId>, RepositoryError> {
        let position = sql("select last_event_id from event_consumers where name = ?", values![name.as_str()]);
        position.value(&mut *self.reading().await?).await
    }

    async fn move_consumer(&self, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError> {
        let mut db = self.writing().await?;
        let forward = "insert into event_consumers (name, last_event_id) values (?, ?) \
                       on conflict do update set last_event_id = max(last_event_id, excluded.last_event_id) \
                       returning last_event_id";
        let position = sql(forward, values![name.as_str(), to]).value(&mut db).await?;
        db.commit().await.map_err(failure)?;
        Ok(position.unwrap_or(to))
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, RepositoryError> {
        let mut db = self.writing().await?;
        let removed = sql("delete from event_consumers where name = ?", values![name.as_str()]).run(&mut db).await?;
        db.commit().await.map_err(failure)?;
        Ok(removed > 0)
    }
}

/// The first events after this one, or all, that a filter wants, oldest first.
pub(crate) async fn after_event(
    db: &mut Db,
    after: Option<EventId>,
    limit: u32,
    filter: &EventFilter,
) -> Result<Vec<Stored<EventRecord>>, RepositoryError> {
    let after = after.map(|id| Place::from(id.get()));
    let walk = Walk { key: None, is_ascending: true, after, limit: limit as usize };
    let ids: Vec<EventId> = list::ids(db, &branches(filter), &filters(filter), walk).await?;
    list::rows(db, &ids, true).await
}

/// The last id that was given to an event, which the database remembers even if all are cleared.
async fn last(db: &mut Db) -> Result<Option<EventId>, RepositoryError> {
    let given: Option<i64> = sql("select seq from sqlite_sequence where name = 'events'", values![]).value(db).await?;
    Ok(given.and_then(EventId::new))
}

/// The events that a user and their customer may see, each type by itself if only some are wanted.
fn branches(filter: &EventFilter) -> Vec<Branch> {
    let seen = filter.visible_to.map_or_else(Branch::all::<EventRecord>, seen_by);
    if filter.types.is_empty() {
        return seen;
    }
    let plus = if filter.visible_to.is_some() { "+" } else { "" };
    let is_type = format!("{plus}t.event_type = ?");
    let of_type = |branch: Branch, event_type: EventType| branch.and(&is_type, values![name(event_type)]);
    let of_types = |branch: Branch| filter.types.iter().map(move |event_type| of_type(branch.clone(), *event_type));
    seen.into_iter().flat_map(of_types).collect()
}

fn seen_by(viewer: Viewer) -> Vec<Branch> {
    let read_by = |is_user: bool, reader: Value| {
        let from = "event_readers r join events t on t.id = r.event_id where r.is_user = ? and r.reader_id = ?";
        Branch::new("r.event_id", from, values![is_user, reader])
    };
    let user = read_by(true, Value::Integer(viewer.user.get()));
    let customer = viewer.customer.map(|customer| read_by(false, Value::Integer(customer.get())));
    std::iter::once(user).chain(customer).collect()
}

fn filters(filter: &EventFilter) -> Filters {
    Filters::default()
        .compare("t.subject_kind =", filter.subject.map(|(kind, _)| name(kind)))
        .compare("t.subject_id =", filter.subject.map(|(_, id)| id))
        .compare("t.trade_id =", filter.trade_id)
        .compare("t.actor_user_id =", filter.actor_user_id)
        .compare("t.occurred_at >=", filter.since)
        .compare("t.occurred_at <", filter.until)
}

/// Stores the events of a commit, once its change is written, and shows them to those who may see them.
pub(crate) async fn write(db: &mut Db, envelope: &Envelope, events: &[Event], ids: &NewIds) -> Result<(), RepositoryError> {
    for event in events {
        let record = envelope.record(event, ids);
        let id = insert(db, &record).await?;
        match &event.audience {
            Audience::Staff => {}
            Audience::User(user) => show(db, id, true, user.resolve(ids)).await?,
            Audience::Customers(customers) => {
                for customer in customers {
                    show(db, id, false, customer.resolve(ids)).await?;
                }
            }
            Audience::Members => show_to_members(db, id, record.trade_id).await?,
        }
    }
    Ok(())
}

async fn show(db: &mut Db, event: EventId, is_user: bool, reader: Option<i64>) -> Result<(), RepositoryError> {
    let Some(reader) = reader else { return Ok(()) };
    let show = "insert or ignore into event_readers (is_user, reader_id, event_id) values (?, ?, ?)";
    sql(show, values![is_user, reader, event]).run(db).await.map(drop)
}

/// Shows an event to the owner of its trade, its counterparty and everybody who has made a proposal in it.
async fn show_to_members(db: &mut Db, event: EventId, trade: Option<TradeId>) -> Result<(), RepositoryError> {
    sql("update events set is_for_members = 1 where id = ?", values![event]).run(db).await?;
    let show = "insert or ignore into event_readers (is_user, reader_id, event_id) \
                select 0, customer_id, ?1 from trades where id = ?2 \
                union select 0, counterparty_id, ?1 from trades where id = ?2 and counterparty_id is not null \
                union select 0, customer_id, ?1 from proposals where trade_id = ?2";
    sql(show, values![event, trade]).run(db).await.map(drop)
}

/// Shows the earlier events of a trade to a new member.
pub(crate) async fn admit(db: &mut Db, trade: TradeId, member: CustomerId) -> Result<(), RepositoryError> {
    let show = "insert or ignore into event_readers (is_user, reader_id, event_id) \
                select 0, ?, id from events where trade_id = ? and is_for_members";
    sql(show, values![member, trade]).run(db).await.map(drop)
}
