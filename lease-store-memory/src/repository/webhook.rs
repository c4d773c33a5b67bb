use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{EventId, Stored, Versioned, WebhookDeliveryId, WebhookEndpointId};
use lease_core::model::{WebhookDelivery, WebhookEndpoint};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    ClaimedDelivery, RecordedAttempt, RepositoryError, WebhookDeliveryFilter, WebhookEndpointFilter, WebhookRepository,
};

use crate::MemoryRepository;
use crate::index::Term;
use crate::state::{delivery_status, to_endpoint};
use crate::walk::Query;

#[async_trait]
impl WebhookRepository for MemoryRepository {
    async fn find_endpoint(&self, id: WebhookEndpointId) -> Result<Option<Versioned<Stored<WebhookEndpoint>>>, RepositoryError> {
        Ok(self.state.read(|state| state.webhooks.endpoints.versioned(id)))
    }

    async fn list_endpoints(
        &self,
        filter: &WebhookEndpointFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookEndpoint>>, RepositoryError> {
        let query = Query::default().and(filter.is_active.map(Term::flag));
        Ok(self.state.read(|state| state.webhooks.endpoints.list(query, page, |_, _| true)))
    }

    async fn find_delivery(&self, id: WebhookDeliveryId) -> Result<Option<Stored<WebhookDelivery>>, RepositoryError> {
        Ok(self.state.read(|state| state.webhooks.deliveries.stored(id)))
    }

    async fn list_deliveries(
        &self,
        filter: &WebhookDeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookDelivery>>, RepositoryError> {
        let query = Query::default().and(filter.endpoint_id.map(to_endpoint)).and(filter.status.map(delivery_status));
        Ok(self.state.read(|state| state.webhooks.deliveries.list(query, page, |_, _| true)))
    }

    async fn queue_deliveries(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        Ok(self.state.change(|state| state.webhooks.queue(&state.events, now, limit)))
    }

    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        per_endpoint: u32,
        busy: &[(WebhookEndpointId, u32)],
    ) -> Result<Vec<ClaimedDelivery>, RepositoryError> {
        Ok(self.state.change(|state| state.webhooks.claim(&state.events, now, held_until, per_endpoint, busy)))
    }

    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<(), RepositoryError> {
        self.state.change(|state| state.webhooks.record(attempts));
        Ok(())
    }

    async fn first_needed_event(&self) -> Result<Option<EventId>, RepositoryError> {
        Ok(self.state.read(|state| state.webhooks.first_needed(&state.events)))
    }

    async fn purge_deliveries(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        Ok(self.state.change(|state| state.webhooks.purge(before, limit)))
    }
}
