use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::event::{ConsumerName, EventRecord, Viewer};
use lease_core::id::{EventId, Stored};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{EventFilter, EventRepository, RepositoryError};

use crate::MemoryRepository;
use crate::state::event_query;

#[async_trait]
impl EventRepository for MemoryRepository {
    async fn list_events(&self, filter: &EventFilter, page: PageRequest) -> Result<Page<Stored<EventRecord>>, RepositoryError> {
        let query = event_query(filter);
        Ok(self.state.read(|state| state.events.rows.list(query, page, |_, row| filter.matches(&row.value))))
    }

    async fn events_after(
        &self,
        after: Option<EventId>,
        limit: u32,
        filter: &EventFilter,
    ) -> Result<Vec<Stored<EventRecord>>, RepositoryError> {
        Ok(self.state.read(|state| {
            let found = state.events.rows.find_after(event_query(filter), after);
            let found = found.filter(|(_, row)| filter.matches(&row.value)).take(limit as usize);
            found.map(|(id, row)| Stored { id, value: row.value.clone() }).collect()
        }))
    }

    async fn last_event(&self) -> Result<Option<EventId>, RepositoryError> {
        Ok(self.state.read(|state| state.events.rows.last_id()))
    }

    async fn place_events(&self, _: u32) -> Result<u64, RepositoryError> {
        Ok(0)
    }

    async fn clear_events(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        Ok(self.state.change(|state| state.events.clear(before, limit)))
    }

    async fn cleared_events(&self) -> Result<Option<EventId>, RepositoryError> {
        Ok(self.state.read(|state| state.events.cleared()))
    }

    async fn find_event(&self, id: EventId, visible_to: Option<Viewer>) -> Result<Option<Stored<EventRecord>>, RepositoryError> {
        Ok(self.state.read(|state| {
            let is_seen = visible_to.is_none_or(|viewer| state.events.is_seen_by(id, viewer));
            state.events.rows.stored(id).filter(|_| is_seen)
        }))
    }

    async fn consumer_position(&self, name: &ConsumerName) -> Result<Option<EventId>, RepositoryError> {
        Ok(self.state.read(|state| state.consumers.get(name).copied()))
    }

    async fn move_consumer(&self, name: &ConsumerName, to: EventId) -> Result<EventId, RepositoryError> {
        self.write_position(name, to)
    }

    async fn remove_consumer(&self, name: &ConsumerName) -> Result<bool, RepositoryError> {
        self.forget_position(name)
    }
}
