use async_trait::async_trait;

use super::RepositoryError;
use crate::id::{ContactId, CustomerId, LeadId, Stored, Versioned};
use crate::model::{Contact, Lead, LeadStatus};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Contacts and leads.
#[async_trait]
pub trait DirectoryRepository {
    /// One contact.
    async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError>;

    /// Lists contacts.
    async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError>;

    /// One lead.
    async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError>;

    /// Lists leads.
    async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError>;
}

/// The filter for a list of contacts; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Only contacts of this customer.
    pub visible_to: Option<CustomerId>,
    /// Of this customer.
    pub customer_id: Option<CustomerId>,
    /// Of this lead.
    pub lead_id: Option<LeadId>,
}

/// The filter for a list of leads; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeadFilter {
    /// With this status.
    pub status: Option<LeadStatus>,
    /// Converted to this customer.
    pub customer_id: Option<CustomerId>,
    /// Matching [`Lead::search_text`].
    pub search: Option<Search>,
}
