use lease_core::id::NewIds;
use lease_core::repository::RepositoryError;
use lease_core::webhook::{DeliveryChange, WebhookEndpointChange};

use super::created;
use crate::state::State;

impl State {
    pub(super) fn check_endpoint(&self, change: &WebhookEndpointChange) -> Result<NewIds, RepositoryError> {
        let id = self.webhooks.endpoints.target(&change.endpoint)?;
        Ok(NewIds { webhook_endpoint: created(&change.endpoint, id), ..NewIds::default() })
    }

    pub(super) fn check_delivery(&self, change: &DeliveryChange) -> Result<NewIds, RepositoryError> {
        match change {
            DeliveryChange::Create(delivery) => {
                self.webhooks.endpoints.require(delivery.endpoint_id)?;
                Ok(NewIds { webhook_delivery: Some(self.webhooks.deliveries.next_id()?), ..NewIds::default() })
            }
            DeliveryChange::Retry { id, .. } => self.webhooks.deliveries.require(*id).map(|_| NewIds::default()),
        }
    }

    pub(super) fn change_delivery(&mut self, change: &DeliveryChange, ids: NewIds) {
        match (change, ids.webhook_delivery) {
            (DeliveryChange::Create(delivery), Some(id)) => self.webhooks.insert(id, delivery.clone()),
            (DeliveryChange::Create(_), None) => {}
            (DeliveryChange::Retry { id, at }, _) => self.webhooks.retry(*id, *at),
        }
    }
}
