//! Leads, and the contacts that belong to them.

use async_trait::async_trait;
use lease_core::directory::{ContactsOfLead, LeadChange};
use lease_core::id::{ContactId, CustomerId, LeadId, NewIds, Stored, Versioned};
use lease_core::model::{Contact, Lead};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{ContactFilter, DirectoryRepository, Envelope, LeadFilter, Named, RepositoryError, Words};

use crate::database::Database;
use crate::list::{self, Branch};
use crate::writing::{Writing, change_row};
use crate::{PostgresRepository, contact, names};

#[async_trait]
impl DirectoryRepository for PostgresRepository {
    async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError> {
        self.directory.find_versioned(id).await
    }

    async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError> {
        contact::list(&self.directory, filter, page).await
    }

    async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError> {
        self.directory.find_versioned(id).await
    }

    async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError> {
        list::page(
            &self.directory,
            &[Branch::all("leads t")],
            |query| {
                query.name("t.status", filter.status.map(Into::into));
                query.compare("t.customer_id =", filter.customer_id.map(CustomerId::get));
                query.search(filter.search.as_ref());
            },
            page,
        )
        .await
    }

    async fn names(&self, of: &[Named]) -> Result<Vec<(Named, Words)>, RepositoryError> {
        names::names(&self.directory, of).await
    }
}

pub(crate) async fn commit(database: &Database, change: &LeadChange, envelope: &Envelope) -> Result<NewIds, RepositoryError> {
    let lead = change_row(database, &change.lead, envelope, |writing| push_contacts(writing, change.contacts)).await?;
    Ok(NewIds { lead, ..NewIds::default() })
}

fn push_contacts(writing: &mut Writing<'_>, contacts: ContactsOfLead) {
    match contacts {
        ContactsOfLead::Keep => {}
        ContactsOfLead::MoveTo(customer) => {
            writing
                .write("contacts_moved")
                .push("update contacts set version = version + 1, lead_id = null, customer_id = ")
                .push_bind(customer.get())
                .push(" from root where contacts.lead_id = root.id");
        }
        ContactsOfLead::Delete => {
            writing.write("contacts_erased").push("delete from contacts using root where contacts.lead_id = root.id");
        }
    }
}
