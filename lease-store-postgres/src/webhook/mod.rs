//! Webhook endpoints (`endpoint`), the deliveries that they are queued from events (`queue`), and how these are tried (`delivery`).

pub(crate) mod delivery;
pub(crate) mod endpoint;
mod queue;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::id::{EventId, Stored, Versioned, WebhookDeliveryId, WebhookEndpointId};
use lease_core::model::{WebhookDelivery, WebhookEndpoint};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{
    ClaimedDelivery, RecordedAttempt, RepositoryError, WebhookDeliveryFilter, WebhookEndpointFilter, WebhookRepository,
};

use crate::PostgresRepository;

#[async_trait]
impl WebhookRepository for PostgresRepository {
    async fn find_endpoint(&self, id: WebhookEndpointId) -> Result<Option<Versioned<Stored<WebhookEndpoint>>>, RepositoryError> {
        self.directory.find_versioned(id).await
    }

    async fn list_endpoints(
        &self,
        filter: &WebhookEndpointFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookEndpoint>>, RepositoryError> {
        endpoint::list(&self.directory, filter, page).await
    }

    async fn find_delivery(&self, id: WebhookDeliveryId) -> Result<Option<Stored<WebhookDelivery>>, RepositoryError> {
        self.directory.find(id).await
    }

    async fn list_deliveries(
        &self,
        filter: &WebhookDeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookDelivery>>, RepositoryError> {
        delivery::list(&self.directory, filter, page).await
    }

    async fn queue_deliveries(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        self.place_all_events().await?;
        queue::queue(&self.directory, now, limit).await
    }

    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        per_endpoint: u32,
        busy: &[(WebhookEndpointId, u32)],
    ) -> Result<Vec<ClaimedDelivery>, RepositoryError> {
        delivery::claim(&self.directory, now, held_until, per_endpoint, busy).await
    }

    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<(), RepositoryError> {
        delivery::record(&self.directory, attempts).await
    }

    async fn first_needed_event(&self) -> Result<Option<EventId>, RepositoryError> {
        self.place_all_events().await?;
        queue::first_needed(&self.directory).await
    }

    async fn purge_deliveries(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError> {
        delivery::purge(&self.directory, before, limit).await
    }
}
