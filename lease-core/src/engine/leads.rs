use super::command::no_row;
use super::{LeaseEngine, RequestContext};
use crate::directory::{ConversionDraft, LeadDraft, convert_lead, create_lead, delete_lead, update_lead};
use crate::error::Error;
use crate::id::{LeadId, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::Lead;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::LeadFilter;

impl LeaseEngine {
    /// Creates a lead (rule 6.4).
    ///
    /// # Errors
    /// As [`create_lead`]; [`Error::Unavailable`].
    pub async fn create_lead(&self, context: impl Into<RequestContext>, draft: &LeadDraft) -> Result<Stored<Lead>, Error> {
        let load = |_, _| async { Ok(()) };
        let done = self.execute(context, load, |(), actor, now| create_lead(actor, draft, now)).await?;
        done.changes.lead.into_stored(done.ids.lead).ok_or_else(no_row)
    }

    /// A lead.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_lead(&self, actor: &Actor, id: LeadId) -> Result<Stored<Lead>, Error> {
        Ok(self.load_lead(*actor, id).await?.value)
    }

    /// Changes a lead.
    ///
    /// # Errors
    /// As [`update_lead`]; [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn update_lead(
        &self,
        context: impl Into<RequestContext>,
        id: LeadId,
        draft: &LeadDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Lead>, Error> {
        let load = |actor, _| self.load_lead(actor, id);
        let done = self.execute(context, load, |found, actor, _| update_lead(found, actor, draft, mode)).await?;
        done.changes.lead.into_stored(None).ok_or_else(no_row)
    }

    /// Deletes a lead and its contacts.
    ///
    /// # Errors
    /// As [`delete_lead`]; [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn delete_lead(&self, context: impl Into<RequestContext>, id: LeadId) -> Result<(), Error> {
        let load = |actor, _| self.load_lead(actor, id);
        self.execute(context, load, |found, actor, _| delete_lead(found, actor)).await.map(drop)
    }

    /// Converts a lead to a customer; its contacts become the customer's.
    ///
    /// # Errors
    /// As [`convert_lead`]; [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn convert_lead(
        &self,
        context: impl Into<RequestContext>,
        id: LeadId,
        draft: &ConversionDraft,
    ) -> Result<Stored<Lead>, Error> {
        let load = |actor, _| async move {
            let found = self.load_lead(actor, id).await?;
            let customer_exists = match draft.customer_id.given() {
                Some(customer) => self.store().find_customer(*customer).await?.is_some(),
                None => false,
            };
            Ok((found, customer_exists))
        };
        let decide = |(found, customer_exists): &(Versioned<Stored<Lead>>, bool), actor: &Actor, _| {
            convert_lead(found, actor, draft, *customer_exists)
        };
        let done = self.execute(context, load, decide).await?;
        done.changes.lead.into_stored(None).ok_or_else(no_row)
    }

    /// The leads; staff only.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`]; [`Error::Unavailable`].
    pub async fn list_leads(&self, actor: &Actor, filter: LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, Error> {
        actor.require(Resource::Lead, Act::Read)?;
        Ok(self.store().list_leads(&filter, page).await?)
    }

    async fn load_lead(&self, actor: Actor, id: LeadId) -> Result<Versioned<Stored<Lead>>, Error> {
        actor.require(Resource::Lead, Act::Read)?;
        self.store().find_lead(id).await?.ok_or(Error::NotFound)
    }
}
