use super::{LeaseEngine, own_only};
use crate::account::{ProfileDraft, require_readable_customer, update_profile};
use crate::error::Error;
use crate::id::{CustomerId, Stored};
use crate::model::Customer;
use crate::page::{Page, PageRequest};
use crate::permission::{Actor, Resource};
use crate::repository::CustomerFilter;

impl LeaseEngine {
    /// A customer (spec 6.1).
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_customer(&self, actor: &Actor, id: CustomerId) -> Result<Stored<Customer>, Error> {
        require_readable_customer(actor, id)?;
        let found = self.store().find_customer(id).await?.ok_or(Error::NotFound)?;
        Ok(found.value)
    }

    /// Changes what a customer tells of themselves.
    ///
    /// # Errors
    /// As [`update_profile`]; [`Error::Unavailable`].
    pub async fn update_customer(&self, actor: &Actor, id: CustomerId, draft: &ProfileDraft) -> Result<Stored<Customer>, Error> {
        require_readable_customer(actor, id)?;
        let mut retry = self.retry();
        loop {
            let found = self.store().find_customer(id).await?.ok_or(Error::NotFound)?;
            let change = update_profile(&found, actor, draft, self.today())?;
            match self.store().commit_customer(&change).await {
                Ok(id) => return change.into_stored(id).ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
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
        let visible_to = own_only(actor, Resource::Customer)?;
        Ok(self.store().list_customers(&CustomerFilter { visible_to, ..filter }, page).await?)
    }
}
