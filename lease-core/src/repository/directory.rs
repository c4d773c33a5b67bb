use async_trait::async_trait;

use super::RepositoryError;
use crate::id::{ContactId, CustomerId, LeadId, ServiceId, Stored, TradeId, UserId, VehicleId, Versioned};
use crate::model::{Contact, Lead, LeadStatus};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Contacts and leads, and what other objects are called.
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

    /// What these objects are called, in the words that [`Named`] says. Those that are not there are left out.
    async fn names(&self, of: &[Named]) -> Result<Vec<(Named, Words)>, RepositoryError>;
}

/// An object that people know by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// A user: the user name.
    User(UserId),
    /// A customer: the first and the last name of the user.
    Customer(CustomerId),
    /// A vehicle: its make and its model.
    Vehicle(VehicleId),
    /// A service: its name.
    Service(ServiceId),
    /// A trade: its title, and the make and the model of its vehicle.
    Trade(TradeId),
}

/// The words of a name, in this order, any of which may be blank; there are no more than three.
pub type Words = [String; 3];

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
