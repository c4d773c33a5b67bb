use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::event::{ConsumerName, EventRecord, SubjectKind, Viewer};
use lease_core::id::{CustomerId, EventId, Stored, TradeId, UserId};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{EventFilter, EventRepository, RepositoryError};
use sqlx::QueryBuilder;

use super::consumer;
use crate::PostgresRepository;
use crate::list::{self, Branch, Filters};
use crate::row::{Fields, push_columns};

/// The most events that get their ids in one statement.
const PLACED_AT_ONCE: u32 = 1_000;

#[async_trait]
impl EventRepository for PostgresRepository {
    async fn list_events(&self, filter: &EventFilter, page: PageRequest) -> Result<Page<Stored<EventRecord>>, RepositoryError> {
        self.place_all_events().await?;
        list::page(&self.directory, &branches(filter.visible_to), |query| push_filter(query, filter), page).await
    }

    async fn events_after(
        &self,
        after: Option<EventId>,
        limit: u32,
        filter: &EventFilter,
    ) -> Result<Vec<Stored<EventRecord>>, RepositoryError> {
        self.place_all_events().await?;
        let branches = branches(filter.visible_to);
        list::forward(&self.directory, &branches, |query| push_filter(query, filter), after, limit).await
    }

    async fn last_event(&self) -> Result<Option<EventId>, RepositoryError> {
        self.place_all_events().await?;
        let row = self.directory.read_one(|| QueryBuilder::new("select last_id from event_log")).await?;
        let last: i64 = row.map_or(Ok(0), |row| Fields::of(&row).get())?;
        Ok(EventId::new(last))
    }

    async fn place_events(&self, limit: u32) -> Result<u64, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("select place_events(");
            query.push_bind(i64::from(limit)).push(") where exists (select from event_inbox)");
            query
        };
        let rows = self.directory.write(statement).await?;
        let placed: i64 = rows.first().map_or(Ok(0), |row| Fields::of(row).get())?;
        Ok(placed.unsigned_abs())
    }

    async fn clear_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        let statement = || {
            let mut query = QueryBuilder::new("select clear_events(");
            query.push_bind(before).push(", ").push_bind(i64::from(limit)).push(")");
            query
        };
        let rows = self.directory.write(statement).await?;
        let cleared: i64 = rows.first().map_or(Ok(0), |row| Fields::of(row).get())?;
        Ok(cleared.unsigned_abs())
    }

    async fn cleared_events(&self) -> Result<Option<EventId>, RepositoryError> {
        let log = self.directory.read_one(|| QueryBuilder::new("select nullif(cleared_id, 0) from event_log where id")).await?;
        log.map_or(Ok(None), |row| Fields::of(&row).optional_id())
    }

    async fn find_event(&self, id: EventId, visible_to: Option<Viewer>) -> Result<Option<Stored<EventRecord>>, RepositoryError> {
        self.place_all_events().await?;
        let statement = || {
            let mut query = QueryBuilder::new("select ");
            push_columns::<EventRecord>(&mut query, "t");
            query.push(" from events t where t.id = ").push_bind(id.get());
            if let Some(Viewer { user, customer }) = visible_to {
                query.push(" and exists (select from event_readers r where r.event_id = t.id and (r.is_user, r.reader_id) in (");
                query.push("(true, ").push_bind(user.get()).push("), (false, ");
                query.push_bind(customer.map(CustomerId::get)).push(")))");
            }
            query
        };
        let found = self.directory.read_one(statement).await?;
        found.map(|row| Fields::of(&row).row()).transpose()
    }

    async fn consumer_position(&self, name: &ConsumerName) -> Result<Option<EventId>, RepositoryError> {
        consumer::position(&self.directory, name).await
    }

    async fn move_consumer(&self, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError> {
        consumer::move_to(&self.directory, name, to).await
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, RepositoryError> {
        consumer::remove(&self.directory, name).await
    }
}

impl PostgresRepository {
    /// Gives ids to all events that were committed before, so that whoever reads next finds them. Where somebody else is doing so,
    /// waits for them.
    pub(crate) async fn place_all_events(&self) -> Result<(), RepositoryError> {
        while self.place_events(PLACED_AT_ONCE).await? >= u64::from(PLACED_AT_ONCE) {}
        Ok(())
    }
}

/// The events that a viewer may see.
fn branches(visible_to: Option<Viewer>) -> Vec<Branch> {
    const READ: &str = "event_readers r join events t on t.id = r.event_id";
    let Some(Viewer { user, customer }) = visible_to else { return vec![Branch::all("events t")] };
    let own = Branch::of_id(READ, "r.event_id", "r.is_user and r.reader_id = ", user.get());
    let customers =
        customer.map(|customer| Branch::of_id(READ, "r.event_id", "not r.is_user and r.reader_id = ", customer.get()));
    std::iter::once(own).chain(customers).collect()
}

fn push_filter(query: &mut Filters<'_>, filter: &EventFilter) {
    if !filter.types.is_empty() {
        let names: Vec<String> = filter.types.iter().map(|event_type| format!("'{event_type}'")).collect();
        query.holds(&format!("t.event_type in ({})", names.join(", ")));
    }
    if let Some((kind, id)) = filter.subject {
        query.name("t.subject_kind", Some(kind.into()));
        query.compare("t.subject_id =", Some(id));
        if let Some(trade) = trade_of(kind) {
            query.compare_found("t.trade_id =", trade, id);
        }
    }
    query.compare("t.trade_id =", filter.trade_id.map(TradeId::get));
    query.compare("t.actor_user_id =", filter.actor_user_id.map(UserId::get));
    query.compare_anew("t.occurred_at >=", filter.since);
    query.compare_anew("t.occurred_at <", filter.until);
}

/// The query for the trade of an object that hangs on one: its events are found by the trade, and have no index of their own.
const fn trade_of(kind: SubjectKind) -> Option<&'static str> {
    Some(match kind {
        SubjectKind::Trade => "select id from trades where id =",
        SubjectKind::Proposal => "select trade_id from proposals where id =",
        SubjectKind::Invoice => "select trade_id from invoices where id =",
        SubjectKind::Payment => "select i.trade_id from payments y join invoices i on i.id = y.invoice_id where y.id =",
        _ => return None,
    })
}
