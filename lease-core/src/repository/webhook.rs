use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::event::EventRecord;
use crate::id::{EventId, Stored, Versioned, WebhookDeliveryId, WebhookEndpointId};
use crate::model::{DeliveryAttempt, DeliveryState, DeliveryStatus, WebhookDelivery, WebhookEndpoint};
use crate::page::{Page, PageRequest};

/// Webhook endpoints and what is delivered to them (rules 9.1, 9.2).
///
/// An endpoint has a *position*, the last event up to which its deliveries were queued, which a
/// [`WebhookEndpointChange`](crate::webhook::WebhookEndpointChange) sets; and it is *failing since* the first of the tries that have
/// failed since one succeeded. Neither is part of the endpoint or moves its version.
#[async_trait]
pub trait WebhookRepository {
    /// One endpoint.
    async fn find_endpoint(&self, id: WebhookEndpointId) -> Result<Option<Versioned<Stored<WebhookEndpoint>>>, RepositoryError>;

    /// Lists endpoints.
    async fn list_endpoints(
        &self,
        filter: &WebhookEndpointFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookEndpoint>>, RepositoryError>;

    /// One delivery.
    async fn find_delivery(&self, id: WebhookDeliveryId) -> Result<Option<Stored<WebhookDelivery>>, RepositoryError>;

    /// Lists deliveries.
    async fn list_deliveries(
        &self,
        filter: &WebhookDeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookDelivery>>, RepositoryError>;

    /// For each active endpoint, takes at most `limit` events after its position, queues a delivery for each that it
    /// [wants](WebhookEndpoint::wants), due at `now`, and moves the position behind them: both, or neither. Several processes may do so
    /// at once, and an event is queued once for an endpoint. Returns how many events were taken for all endpoints together.
    async fn queue_deliveries(&self, now: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;

    /// Claims deliveries for the caller until `held_until`: for each active endpoint those that are pending, due at `now` and held by
    /// nobody, the longest due first; at most `per_endpoint`, less the number that `busy` has for the endpoint. A claim that has run out
    /// (`held_until` ≤ `now`) counts as held by nobody.
    async fn claim_deliveries(
        &self,
        now: DateTime<Utc>,
        held_until: DateTime<Utc>,
        per_endpoint: u32,
        busy: &[(WebhookEndpointId, u32)],
    ) -> Result<Vec<ClaimedDelivery>, RepositoryError>;

    /// Records tries of claimed deliveries, each only if its claim, run out or not, is still that of the caller: it adds the attempt, of
    /// which only the last [`KEPT_ATTEMPTS`](WebhookDelivery::KEPT_ATTEMPTS) are kept, counts it, sets the state and ends the claim. An
    /// endpoint that took one of them is failing no longer; otherwise, if it was not failing, it is since the earliest of them.
    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<(), RepositoryError>;

    /// The first event that an active endpoint still needs: the first that is there after its position, or that of a pending delivery.
    async fn first_needed_event(&self) -> Result<Option<EventId>, RepositoryError>;

    /// Deletes up to `limit` deliveries that were created before this instant and are not pending to an active endpoint. Returns how many.
    async fn purge_deliveries(&self, before: DateTime<Utc>, limit: u32) -> Result<u64, RepositoryError>;
}

/// A delivery that is to be tried now.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedDelivery {
    /// The delivery.
    pub delivery: Stored<WebhookDelivery>,
    /// Until when it is held.
    pub held_until: DateTime<Utc>,
    /// The endpoint.
    pub endpoint: Versioned<Stored<WebhookEndpoint>>,
    /// Since when the endpoint has taken nothing, if its last try failed.
    pub failing_since: Option<DateTime<Utc>>,
    /// The event; `None` if the delivery is a test, or the event was cleared.
    pub event: Option<Stored<EventRecord>>,
}

/// A try of a claimed delivery, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedAttempt {
    /// The delivery.
    pub delivery_id: WebhookDeliveryId,
    /// Until when it was held, which tells whether the claim is still that of the caller.
    pub held_until: DateTime<Utc>,
    /// The try.
    pub attempt: DeliveryAttempt,
    /// The state from now on: [`DeliveryState::Succeeded`] exactly if the endpoint took it.
    pub state: DeliveryState,
}

/// The filter for a list of endpoints; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookEndpointFilter {
    /// Switched on or not.
    pub is_active: Option<bool>,
}

/// The filter for a list of deliveries; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookDeliveryFilter {
    /// To this endpoint.
    pub endpoint_id: Option<WebhookEndpointId>,
    /// With this status.
    pub status: Option<DeliveryStatus>,
}
