use super::command::no_row;
use super::{LeaseEngine, RequestContext, visible_to};
use crate::directory::{ContactDraft, create_contact, delete_contact, require_visible_contact, update_contact};
use crate::error::Error;
use crate::id::{ContactId, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::Contact;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Grant, Resource};
use crate::repository::ContactFilter;

impl LeaseEngine {
    /// Creates a contact (rule 6.3).
    ///
    /// # Errors
    /// As [`create_contact`]; [`Error::Unavailable`].
    pub async fn create_contact(
        &self,
        context: impl Into<RequestContext>,
        draft: &ContactDraft,
    ) -> Result<Stored<Contact>, Error> {
        let load = |actor: Actor, _| async move { self.contact_owner_exists(actor, Act::Create, draft).await };
        let done = self.execute(context, load, |owner, actor, now| create_contact(actor, draft, *owner, now)).await?;
        done.changes.into_stored(done.ids.contact).ok_or_else(no_row)
    }

    /// A contact.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_contact(&self, actor: &Actor, id: ContactId) -> Result<Stored<Contact>, Error> {
        let found = self.load_contact(*actor, id).await?;
        require_visible_contact(&found, actor)?;
        Ok(found.value)
    }

    /// Changes a contact.
    ///
    /// # Errors
    /// As [`update_contact`]; [`Error::Unavailable`].
    pub async fn update_contact(
        &self,
        context: impl Into<RequestContext>,
        id: ContactId,
        draft: &ContactDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Contact>, Error> {
        let load = |actor: Actor, _| async move {
            let found = self.load_contact(actor, id).await?;
            Ok((found, self.contact_owner_exists(actor, Act::Update, draft).await?))
        };
        let decide = |(found, owner_exists): &(Versioned<Stored<Contact>>, bool), actor: &Actor, _| {
            update_contact(found, actor, draft, mode, *owner_exists)
        };
        let done = self.execute(context, load, decide).await?;
        done.changes.into_stored(None).ok_or_else(no_row)
    }

    /// Deletes a contact.
    ///
    /// # Errors
    /// As [`delete_contact`]; [`Error::Unavailable`].
    pub async fn delete_contact(&self, context: impl Into<RequestContext>, id: ContactId) -> Result<(), Error> {
        let load = |actor, _| self.load_contact(actor, id);
        self.execute(context, load, |found, actor, _| delete_contact(found, actor)).await.map(drop)
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
        let visible_to = visible_to(actor, Resource::Contact)?;
        Ok(self.store().list_contacts(&ContactFilter { visible_to, ..filter }, page).await?)
    }

    async fn load_contact(&self, actor: Actor, id: ContactId) -> Result<Versioned<Stored<Contact>>, Error> {
        actor.require(Resource::Contact, Act::Read)?;
        self.store().find_contact(id).await?.ok_or(Error::NotFound)
    }

    /// Whether the owner that the draft names exists, if the actor may name any owner.
    async fn contact_owner_exists(&self, actor: Actor, act: Act, draft: &ContactDraft) -> Result<bool, Error> {
        if actor.require(Resource::Contact, act)? != Grant::All {
            return Ok(true);
        }
        Ok(match (draft.customer_id.given(), draft.lead_id.given()) {
            (Some(customer), None) => self.store().find_customer(*customer).await?.is_some(),
            (None, Some(lead)) => self.store().find_lead(*lead).await?.is_some(),
            (None, None) | (Some(_), Some(_)) => false,
        })
    }
}
