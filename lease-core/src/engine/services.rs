use super::LeaseEngine;
use crate::catalog::{ServiceDraft, create_service, deactivate_service, standard_services, update_service, visible_service};
use crate::error::Error;
use crate::id::{ServiceId, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::Service;
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::repository::{Change, RepositoryError, ServiceFilter};

impl LeaseEngine {
    /// Makes the standard services *Lease* and *Sell* where the store has no service at all (spec 5.1). Returns whether it did.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ensure_standard_services(&self, lease_fee: Money, sell_fee: Money) -> Result<bool, Error> {
        Ok(self.store().seed_services(&standard_services(lease_fee, sell_fee)).await?)
    }

    /// Makes a service (spec 5.1).
    ///
    /// # Errors
    /// As [`create_service`]; [`Error::Unavailable`].
    pub async fn create_service(&self, actor: &Actor, draft: &ServiceDraft) -> Result<Stored<Service>, Error> {
        let mut retry = self.retry();
        loop {
            match self.commit_service(create_service(actor, draft)?).await {
                Ok(service) => return service.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A service.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_service(&self, actor: &Actor, id: ServiceId) -> Result<Stored<Service>, Error> {
        let found = self.load_service(id).await?;
        visible_service(&found, actor)?;
        Ok(found.value)
    }

    /// Changes a service.
    ///
    /// # Errors
    /// As [`update_service`]; [`Error::Unavailable`].
    pub async fn update_service(
        &self,
        actor: &Actor,
        id: ServiceId,
        draft: &ServiceDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Service>, Error> {
        let mut retry = self.retry();
        loop {
            let found = self.load_service(id).await?;
            match self.commit_service(update_service(&found, actor, draft, mode)?).await {
                Ok(service) => return service.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Deactivates a service.
    ///
    /// # Errors
    /// As [`deactivate_service`]; [`Error::Unavailable`].
    pub async fn deactivate_service(&self, actor: &Actor, id: ServiceId) -> Result<(), Error> {
        let mut retry = self.retry();
        loop {
            let found = self.load_service(id).await?;
            match self.commit_service(deactivate_service(&found, actor)?).await {
                Ok(_) => return Ok(()),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// The services that the actor may see: everybody the active ones, staff all.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn list_services(
        &self,
        actor: &Actor,
        filter: ServiceFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Service>>, Error> {
        if actor.require(Resource::Service, Act::Read)? == Grant::Active {
            if filter.is_active == Some(false) {
                return Ok(Page { items: Vec::new(), next: None, previous: None });
            }
            let filter = ServiceFilter { is_active: Some(true), ..filter };
            return Ok(self.store().list_services(&filter, page).await?);
        }
        Ok(self.store().list_services(&filter, page).await?)
    }

    async fn load_service(&self, id: ServiceId) -> Result<Versioned<Stored<Service>>, Error> {
        self.store().find_service(id).await?.ok_or(Error::NotFound)
    }

    async fn commit_service(&self, change: Change<Service>) -> Result<Option<Stored<Service>>, RepositoryError> {
        let id = self.store().commit_service(&change, self.claim).await?;
        Ok(change.into_stored(id))
    }
}
