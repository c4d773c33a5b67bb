use async_trait::async_trait;
use lease_core::id::{ContactId, LeadId, Stored, Versioned};
use lease_core::model::{Contact, ContactOwner, Lead};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{ContactFilter, DirectoryRepository, LeadFilter, Named, RepositoryError, Words};

use crate::MemoryRepository;
use crate::index::{Kind, Term};
use crate::state::{State, contact_owner, lead_status};
use crate::walk::Query;

#[async_trait]
impl DirectoryRepository for MemoryRepository {
    async fn find_contact(&self, id: ContactId) -> Result<Option<Versioned<Stored<Contact>>>, RepositoryError> {
        Ok(self.state.read(|state| state.contacts.versioned(id)))
    }

    async fn list_contacts(&self, filter: &ContactFilter, page: PageRequest) -> Result<Page<Stored<Contact>>, RepositoryError> {
        let owners = [
            filter.visible_to.map(ContactOwner::Customer),
            filter.customer_id.map(ContactOwner::Customer),
            filter.lead_id.map(ContactOwner::Lead),
        ];
        let query = owners.into_iter().fold(Query::default(), |query, owner| query.and(owner.map(contact_owner)));
        Ok(self.state.read(|state| state.contacts.list(query, page, |_, _| true)))
    }

    async fn find_lead(&self, id: LeadId) -> Result<Option<Versioned<Stored<Lead>>>, RepositoryError> {
        Ok(self.state.read(|state| state.leads.versioned(id)))
    }

    async fn list_leads(&self, filter: &LeadFilter, page: PageRequest) -> Result<Page<Stored<Lead>>, RepositoryError> {
        let search = filter.search.as_ref();
        let query = Query::default()
            .and(filter.status.map(lead_status))
            .and(filter.customer_id.map(|id| Term::id(Kind::Customer, id)))
            .and_search(search);
        let matches = |lead: &Lead| search.is_none_or(|search| search.matches(&lead.search_text()));
        Ok(self.state.read(|state| state.leads.list(query, page, |_, row| matches(&row.value))))
    }

    async fn names(&self, of: &[Named]) -> Result<Vec<(Named, Words)>, RepositoryError> {
        Ok(self.state.read(|state| of.iter().filter_map(|named| Some((*named, words(state, *named)?))).collect()))
    }
}

/// The words of the name of an object.
fn words(state: &State, named: Named) -> Option<Words> {
    let words = match named {
        Named::User(id) => [state.accounts.users.get(id)?.value.username.as_str(), "", ""],
        Named::Customer(id) => {
            let user = state.accounts.customers.get(id)?.value.user_id;
            let user = &state.accounts.users.get(user)?.value;
            [&*user.first_name, &user.last_name, ""]
        }
        Named::Vehicle(id) => {
            let vehicle = &state.vehicles.rows.get(id)?.value;
            [&*vehicle.make, &vehicle.model, ""]
        }
        Named::Service(id) => [&*state.services.get(id)?.value.name, "", ""],
        Named::Trade(id) => {
            let trade = &state.trades.rows.get(id)?.value;
            [&*trade.title, &trade.offered.make, &trade.offered.model]
        }
    };
    Some(words.map(str::to_owned))
}
