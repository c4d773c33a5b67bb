use async_trait::async_trait;

use super::{Change, Claim, RepositoryError};
use crate::id::{ContactId, CustomerId, LeadId, Stored, Versioned};
use crate::model::{Contact, Lead, LeadStatus};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Contacts and leads.
#[async_trait]
pub trait DirectoryRepository {
    /// One contact.
    async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError>;

    /// Writes a contact. One whose owner does not exist is a [`RepositoryError::Conflict`].
    async fn commit_contact(&self, change: &Change<Contact>, claim: Option<Claim>) -> Result<ContactId, RepositoryError>;

    /// Lists contacts.
    async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError>;

    /// One lead.
    async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError>;

    /// Writes a lead and what becomes of its contacts: all or nothing.
    async fn commit_lead(&self, change: &LeadChange, claim: Option<Claim>) -> Result<LeadId, RepositoryError>;

    /// Lists leads.
    async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError>;
}

/// A change to a lead.
#[derive(Clone, Debug, PartialEq)]
pub struct LeadChange {
    /// The lead.
    pub lead: Change<Lead>,
    /// Its contacts. They change with the lead, so each of them moves on by a version.
    pub contacts: ContactsOfLead,
}

/// What becomes of a lead's contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactsOfLead {
    /// Nothing.
    Keep,
    /// They become this customer's.
    MoveTo(CustomerId),
    /// They are erased with the lead.
    Erase,
}

/// Which contacts to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Only this customer's.
    pub visible_to: Option<CustomerId>,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
    /// Of this lead.
    pub lead_id: Option<LeadId>,
}

/// Which leads to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// Of this status.
    pub status: Option<LeadStatus>,
    /// Converted to this customer.
    pub customer_id: Option<CustomerId>,
    /// Matching [`Lead::search_text`].
    pub search: Option<Search>,
}
