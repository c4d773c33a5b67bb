//! Webhook endpoints and their deliveries (rules 9.1, 9.2).

mod courier;

pub(super) use courier::Courier;

use super::command::no_row;
use super::{LeaseEngine, RequestContext};
use crate::error::Error;
use crate::id::{Stored, Versioned, WebhookDeliveryId, WebhookEndpointId};
use crate::model::{WebhookDelivery, WebhookEndpoint, WebhookSecret};
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{WebhookDeliveryFilter, WebhookEndpointFilter};
use crate::webhook::{
    DeliveryChange, WebhookEndpointChange, WebhookEndpointDraft, create_endpoint, delete_endpoint, retry_delivery, rotate_secret,
    test_endpoint, update_endpoint,
};

impl LeaseEngine {
    /// Creates a webhook endpoint (rule 9.1), with a secret of its own.
    ///
    /// # Errors
    /// As [`create_endpoint`]; [`Error::Unavailable`].
    pub async fn create_webhook_endpoint(
        &self,
        context: impl Into<RequestContext>,
        draft: &WebhookEndpointDraft,
    ) -> Result<Stored<WebhookEndpoint>, Error> {
        let secret = WebhookSecret::from_random(self.random()?);
        let load = |actor: Actor, _| async move {
            actor.require(Resource::WebhookEndpoint, Act::Create)?;
            let others =
                self.store().list_endpoints(&WebhookEndpointFilter::default(), PageRequest::largest()).await?.items.len();
            Ok((others, self.store().last_event().await?))
        };
        let decide = |(others, last): &_, actor: &Actor, now| {
            create_endpoint(actor, draft, secret.clone(), *others, *last, self.policy(), now)
        };
        let done = self.execute(context, load, decide).await?;
        done.changes.endpoint.into_stored(done.ids.webhook_endpoint).ok_or_else(no_row)
    }

    /// A webhook endpoint; staff only.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_webhook_endpoint(&self, actor: &Actor, id: WebhookEndpointId) -> Result<Stored<WebhookEndpoint>, Error> {
        Ok(self.load_endpoint(*actor, id).await?.value)
    }

    /// The webhook endpoints; staff only.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`]; [`Error::Unavailable`].
    pub async fn list_webhook_endpoints(
        &self,
        actor: &Actor,
        filter: WebhookEndpointFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookEndpoint>>, Error> {
        actor.require(Resource::WebhookEndpoint, Act::Read)?;
        Ok(self.store().list_endpoints(&filter, page).await?)
    }

    /// Changes a webhook endpoint (rule 9.1).
    ///
    /// # Errors
    /// As [`update_endpoint`]; [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn update_webhook_endpoint(
        &self,
        context: impl Into<RequestContext>,
        id: WebhookEndpointId,
        draft: &WebhookEndpointDraft,
    ) -> Result<Stored<WebhookEndpoint>, Error> {
        let load = |actor, _| async move { Ok((self.load_endpoint(actor, id).await?, self.store().last_event().await?)) };
        let decide = |(found, last): &(Versioned<Stored<WebhookEndpoint>>, _), actor: &Actor, _| {
            update_endpoint(found, actor, draft, *last, self.policy())
        };
        changed(self.execute(context, load, decide).await?.changes)
    }

    /// Deletes a webhook endpoint, with its deliveries.
    ///
    /// # Errors
    /// As [`delete_endpoint`]; [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn delete_webhook_endpoint(&self, context: impl Into<RequestContext>, id: WebhookEndpointId) -> Result<(), Error> {
        let load = |actor, _| self.load_endpoint(actor, id);
        self.execute(context, load, |found, actor, _| delete_endpoint(found, actor)).await.map(drop)
    }

    /// Gives a webhook endpoint another secret (rule 9.1).
    ///
    /// # Errors
    /// As [`rotate_secret`]; [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn rotate_webhook_secret(
        &self,
        context: impl Into<RequestContext>,
        id: WebhookEndpointId,
    ) -> Result<Stored<WebhookEndpoint>, Error> {
        let secret = WebhookSecret::from_random(self.random()?);
        let load = |actor, _| self.load_endpoint(actor, id);
        let decide = |found: &_, actor: &Actor, now| rotate_secret(found, actor, secret.clone(), now);
        changed(self.execute(context, load, decide).await?.changes)
    }

    /// Sends a test to a webhook endpoint (rule 9.1), in the background.
    ///
    /// # Errors
    /// As [`test_endpoint`]; [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn test_webhook_endpoint(
        &self,
        context: impl Into<RequestContext>,
        id: WebhookEndpointId,
    ) -> Result<Stored<WebhookDelivery>, Error> {
        let load = |actor, _| self.load_endpoint(actor, id);
        let done = self.execute(context, load, |found, actor, now| test_endpoint(found, actor, now)).await?;
        match done.changes {
            DeliveryChange::Create(value) => Ok(Stored { id: done.ids.webhook_delivery.ok_or_else(no_row)?, value }),
            DeliveryChange::Retry { .. } => Err(no_row()),
        }
    }

    /// A webhook delivery; staff only.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_webhook_delivery(&self, actor: &Actor, id: WebhookDeliveryId) -> Result<Stored<WebhookDelivery>, Error> {
        actor.require(Resource::WebhookEndpoint, Act::Read)?;
        self.store().find_delivery(id).await?.ok_or(Error::NotFound)
    }

    /// The deliveries to a webhook endpoint (rule 9.2); staff only.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn list_webhook_deliveries(
        &self,
        actor: &Actor,
        endpoint: WebhookEndpointId,
        filter: WebhookDeliveryFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<WebhookDelivery>>, Error> {
        self.load_endpoint(*actor, endpoint).await?;
        let filter = WebhookDeliveryFilter { endpoint_id: Some(endpoint), ..filter };
        Ok(self.store().list_deliveries(&filter, page).await?)
    }

    /// Queues a webhook delivery once more (rule 9.2). Returns it as it is then.
    ///
    /// # Errors
    /// As [`retry_delivery`]; [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn redeliver_webhook(
        &self,
        context: impl Into<RequestContext>,
        id: WebhookDeliveryId,
    ) -> Result<Stored<WebhookDelivery>, Error> {
        let load = |actor: Actor, _| async move { self.get_webhook_delivery(&actor, id).await };
        self.execute(context, load, retry_delivery).await?;
        self.store().find_delivery(id).await?.ok_or(Error::NotFound)
    }

    async fn load_endpoint(&self, actor: Actor, id: WebhookEndpointId) -> Result<Versioned<Stored<WebhookEndpoint>>, Error> {
        actor.require(Resource::WebhookEndpoint, Act::Read)?;
        self.store().find_endpoint(id).await?.ok_or(Error::NotFound)
    }
}

fn changed(change: WebhookEndpointChange) -> Result<Stored<WebhookEndpoint>, Error> {
    change.endpoint.into_stored(None).ok_or_else(no_row)
}
