use chrono::{DateTime, Utc};

use super::command::no_row;
use super::{LeaseEngine, RequestContext, visible_to};
use crate::account::{ProfileDraft, require_visible_customer, update_profile};
use crate::error::Error;
use crate::id::{CustomerId, Stored, Versioned};
use crate::model::{Customer, ExternalId};
use crate::page::{Page, PageRequest};
use crate::permission::{Actor, Resource};
use crate::repository::CustomerFilter;

impl LeaseEngine {
    /// A customer (rule 6.1).
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_customer(&self, actor: &Actor, id: CustomerId) -> Result<Stored<Customer>, Error> {
        require_visible_customer(actor, id)?;
        let found = self.store().find_customer(id).await?.ok_or(Error::NotFound)?;
        Ok(found.value)
    }

    /// Changes a customer's profile.
    ///
    /// # Errors
    /// As [`update_profile`]; [`Error::Unavailable`].
    pub async fn update_customer(
        &self,
        context: impl Into<RequestContext>,
        id: CustomerId,
        draft: &ProfileDraft,
    ) -> Result<Stored<Customer>, Error> {
        let load = |actor: Actor, _| async move {
            require_visible_customer(&actor, id)?;
            let found = self.store().find_customer(id).await?.ok_or(Error::NotFound)?;
            Ok((found, self.customer_with(draft.annotations().wanted_id()).await?))
        };
        let decide =
            |(found, taken_by): &(Versioned<Stored<Customer>>, Option<CustomerId>), actor: &Actor, now: DateTime<Utc>| {
                update_profile(found, actor, draft, *taken_by, now.date_naive())
            };
        let done = self.execute(context, load, decide).await?;
        done.changes.into_stored(None).ok_or_else(no_row)
    }

    /// The customers that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_customers(
        &self,
        actor: &Actor,
        filter: CustomerFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Customer>>, Error> {
        let visible_to = visible_to(actor, Resource::Customer)?;
        Ok(self.store().list_customers(&CustomerFilter { visible_to, ..filter }, page).await?)
    }

    /// The customer that has this external id.
    async fn customer_with(&self, external_id: Option<ExternalId>) -> Result<Option<CustomerId>, Error> {
        let Some(external_id) = external_id else { return Ok(None) };
        let filter = CustomerFilter { external_id: Some(external_id), ..CustomerFilter::default() };
        Ok(self.store().list_customers(&filter, PageRequest::default()).await?.items.first().map(|found| found.id))
    }
}
