use super::LeaseEngine;
use crate::directory::{ConversionDraft, LeadDraft, convert_lead, create_lead, delete_lead, update_lead};
use crate::error::Error;
use crate::id::{LeadId, Stored, Versioned};
use crate::input::UpdateMode;
use crate::model::Lead;
use crate::page::{Page, PageRequest};
use crate::permission::{Act, Actor, Resource};
use crate::repository::{LeadChange, LeadFilter, RepositoryError};

impl LeaseEngine {
    /// Makes a lead (spec 6.4).
    ///
    /// # Errors
    /// As [`create_lead`]; [`Error::Unavailable`].
    pub async fn create_lead(&self, actor: &Actor, draft: &LeadDraft) -> Result<Stored<Lead>, Error> {
        let mut retry = self.retry();
        loop {
            match self.commit_lead(create_lead(actor, draft, self.now())?).await {
                Ok(lead) => return lead.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// A lead.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`], [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn get_lead(&self, actor: &Actor, id: LeadId) -> Result<Stored<Lead>, Error> {
        Ok(self.load_lead(actor, id).await?.value)
    }

    /// Changes a lead.
    ///
    /// # Errors
    /// As [`update_lead`]; [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn update_lead(
        &self,
        actor: &Actor,
        id: LeadId,
        draft: &LeadDraft,
        mode: UpdateMode,
    ) -> Result<Stored<Lead>, Error> {
        let mut retry = self.retry();
        loop {
            let found = self.load_lead(actor, id).await?;
            match self.commit_lead(update_lead(&found, actor, draft, mode)?).await {
                Ok(lead) => return lead.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Erases a lead and its contacts.
    ///
    /// # Errors
    /// As [`delete_lead`]; [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn delete_lead(&self, actor: &Actor, id: LeadId) -> Result<(), Error> {
        let mut retry = self.retry();
        loop {
            let found = self.load_lead(actor, id).await?;
            match self.commit_lead(delete_lead(&found, actor)?).await {
                Ok(_) => return Ok(()),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Makes a lead a customer's, its contacts with it.
    ///
    /// # Errors
    /// As [`convert_lead`]; [`Error::NotFound`], [`Error::Unavailable`].
    pub async fn convert_lead(&self, actor: &Actor, id: LeadId, draft: &ConversionDraft) -> Result<Stored<Lead>, Error> {
        let mut retry = self.retry();
        loop {
            let found = self.load_lead(actor, id).await?;
            let customer_exists = match draft.customer_id.given() {
                Some(customer) => self.store().find_customer(*customer).await?.is_some(),
                None => false,
            };
            match self.commit_lead(convert_lead(&found, actor, draft, customer_exists)?).await {
                Ok(lead) => return lead.ok_or(Error::NotFound),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// The leads; staff only.
    ///
    /// # Errors
    /// [`Error::PermissionDenied`]; [`Error::Unavailable`].
    pub async fn list_leads(&self, actor: &Actor, filter: LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, Error> {
        actor.require(Resource::Lead, Act::Read)?;
        Ok(self.store().list_leads(&filter, page).await?)
    }

    async fn load_lead(&self, actor: &Actor, id: LeadId) -> Result<Versioned<Stored<Lead>>, Error> {
        actor.require(Resource::Lead, Act::Read)?;
        self.store().find_lead(id).await?.ok_or(Error::NotFound)
    }

    async fn commit_lead(&self, change: LeadChange) -> Result<Option<Stored<Lead>>, RepositoryError> {
        let id = self.store().commit_lead(&change, self.claim).await?;
        Ok(change.lead.into_stored(id))
    }
}
