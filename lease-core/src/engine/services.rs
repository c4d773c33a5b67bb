use super::command::{Outcome, no_row};
use super::{LeaseEngine, RequestContext};
use crate::catalog::{
    ServiceDraft, create_service, deactivate_service, require_visible_service, standard_services, update_service,
};
use crate::error::Error;
use crate::id::{ServiceId, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::Service;
use crate::money::Money;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::repository::ServiceFilter;

impl LeaseEngine {
    /// Creates the standard services *Lease* and *Sell* if the store has no services at all (rule 5.1). Returns whether it did.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ensure_standard_services(&self, lease_fee: Money, sell_fee: Money) -> Result<bool, Error> {
        let load = |_, _| async {
            let found = self.store().list_services(&ServiceFilter::default(), PageRequest::default()).await?;
            Ok(found.items.is_empty())
        };
        let decide = |has_none: &bool, _: &Actor, _| Ok(has_none.then(|| standard_services(lease_fee, sell_fee)));
        let outcome = self.execute_if_needed(Actor::System.into(), load, decide).await?;
        Ok(matches!(outcome, Outcome::Committed(_)))
    }

    /// Creates a service (rule 5.1).
    ///
    /// # Errors
    /// As [`create_service`]; [`Error::Unavailable`].
    pub async fn create_service(
        &self,
        context: impl Into<RequestContext>,
        draft: &ServiceDraft,
    ) -> Result<Stored<Service>, Error> {
        let load = |_, _| async { Ok(()) };
        let done = self.execute(context, load, |(), actor, _| create_service(actor, draft)).await?;
        done.changes.into_stored(done.ids.service).ok_or_else(no_row)
    }

    /// A service.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_service(&self, actor: &Actor, id: ServiceId) -> Result<Stored<Service>, Error> {
        let found = self.load_service(id).await?;
        require_visible_service(&found, actor)?;
        Ok(found.value)
    }

    /// Changes a service.
    ///
    /// # Errors
    /// As [`update_service`]; [`Error::Unavailable`].
    pub async fn update_service(
        &self,
        context: impl Into<RequestContext>,
        id: ServiceId,
        draft: &ServiceDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Service>, Error> {
        let load = |_, _| self.load_service(id);
        let done = self.execute(context, load, |found, actor, _| update_service(found, actor, draft, mode)).await?;
        done.changes.into_stored(None).ok_or_else(no_row)
    }

    /// Deactivates a service.
    ///
    /// # Errors
    /// As [`deactivate_service`]; [`Error::Unavailable`].
    pub async fn deactivate_service(&self, context: impl Into<RequestContext>, id: ServiceId) -> Result<(), Error> {
        let load = |_, _| self.load_service(id);
        self.execute(context, load, |found, actor, _| deactivate_service(found, actor)).await.map(drop)
    }

    /// The services that the actor may see: active services for everybody, all services for staff.
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
}
