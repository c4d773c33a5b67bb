use super::{LeaseEngine, own_only};
use crate::directory::{ContactDraft, create_contact, delete_contact, update_contact, visible_contact};
use crate::error::Error;
use crate::id::{ContactId, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::Contact;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{Change, ContactFilter, RepositoryError};

impl LeaseEngine {
    /// Makes a contact (spec 6.3).
    ///
    /// # Errors
    /// As [`create_contact`]; [`Error::Unavailable`].
    pub async fn create_contact(&self, actor: &Actor, draft: &ContactDraft) -> Result<Stored<Contact>, Error> {
        actor.require(Resource::Contact, Act::Create)?;
        let mut retry = self.retry();
        loop {
            let owner_exists = self.contact_owner_exists(actor, draft).await?;
            let change = create_contact(actor, draft, owner_exists, self.now())?;
            match self.commit_contact(change).await {
                Ok(contact) => return contact.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A contact.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_contact(&self, actor: &Actor, id: ContactId) -> Result<Stored<Contact>, Error> {
        let found = self.load_contact(actor, id).await?;
        visible_contact(&found, actor)?;
        Ok(found.value)
    }

    /// Changes a contact.
    ///
    /// # Errors
    /// As [`update_contact`]; [`Error::Unavailable`].
    pub async fn update_contact(
        &self,
        actor: &Actor,
        id: ContactId,
        draft: &ContactDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Contact>, Error> {
        let mut retry = self.retry();
        loop {
            let found = self.load_contact(actor, id).await?;
            let owner_exists = self.contact_owner_exists(actor, draft).await?;
            match self.commit_contact(update_contact(&found, actor, draft, mode, owner_exists)?).await {
                Ok(contact) => return contact.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Erases a contact.
    ///
    /// # Errors
    /// As [`delete_contact`]; [`Error::Unavailable`].
    pub async fn delete_contact(&self, actor: &Actor, id: ContactId) -> Result<(), Error> {
        let mut retry = self.retry();
        loop {
            let found = self.load_contact(actor, id).await?;
            match self.commit_contact(delete_contact(&found, actor)?).await {
                Ok(_) => return Ok(()),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// The contacts that the actor may see.
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`]; [`Error::Unavailable`].
    pub async fn list_contacts(
        &self,
        actor: &Actor,
        filter: ContactFilter,
        page: PageRequest,
    ) -> Result<Page<Stored<Contact>>, Error> {
        let visible_to = own_only(actor, Resource::Contact)?;
        Ok(self.store().list_contacts(&ContactFilter { visible_to, ..filter }, page).await?)
    }

    async fn load_contact(&self, actor: &Actor, id: ContactId) -> Result<Versioned<Stored<Contact>>, Error> {
        actor.require(Resource::Contact, Act::Read)?;
        self.store().find_contact(id).await?.ok_or(Error::NotFound)
    }

    /// Whether the owner that the draft names exists, so far as staff name one.
    async fn contact_owner_exists(&self, actor: &Actor, draft: &ContactDraft) -> Result<bool, Error> {
        if !actor.is_staff() {
            return Ok(true);
        }
        Ok(match (draft.customer_id.given(), draft.lead_id.given()) {
            (Some(customer), None) => self.store().find_customer(*customer).await?.is_some(),
            (None, Some(lead)) => self.store().find_lead(*lead).await?.is_some(),
            (None, None) | (Some(_), Some(_)) => false,
        })
    }

    async fn commit_contact(&self, change: Change<Contact>) -> Result<Option<Stored<Contact>>, RepositoryError> {
        let id = self.store().commit_contact(&change, self.claim).await?;
        Ok(change.into_stored(id))
    }
}
