use lease_core::catalog::FirstServices;
use lease_core::decision::RowChange;
use lease_core::directory::{ContactsOfLead, LeadChange};
use lease_core::id::{ContactId, LeadId, NewIds};
use lease_core::model::{Contact, ContactOwner, Lead, Service};
use lease_core::repository::{Guarantee, RepositoryError};

use super::{created, require};
use crate::state::{Indexed as _, State, contact_owner};

impl State {
    pub(super) fn check_contact(&self, change: &RowChange<Contact>) -> Result<NewIds, RepositoryError> {
        let id = self.contacts.target(change)?;
        match change.value().map(|contact| contact.owner) {
            Some(ContactOwner::Customer(owner)) => self.accounts.customers.require(owner).map(drop)?,
            Some(ContactOwner::Lead(owner)) => self.leads.require(owner).map(drop)?,
            None => {}
        }
        Ok(NewIds { contact: created(change, id), ..NewIds::default() })
    }

    pub(super) fn check_lead(&self, change: &LeadChange) -> Result<NewIds, RepositoryError> {
        let id = self.leads.target(&change.lead)?;
        if let Some(customer) = change.lead.value().and_then(Lead::customer_id) {
            self.accounts.customers.require(customer)?;
        }
        let leaves_contacts = match change.contacts {
            ContactsOfLead::Keep => matches!(change.lead, RowChange::Delete { .. }),
            ContactsOfLead::MoveTo(customer) => {
                self.accounts.customers.require(customer)?;
                false
            }
            ContactsOfLead::Delete => false,
        };
        require(!leaves_contacts || !self.contacts.index.any(contact_owner(ContactOwner::Lead(id))))?;
        Ok(NewIds { lead: created(&change.lead, id), ..NewIds::default() })
    }

    pub(super) fn change_lead(&mut self, change: &LeadChange, ids: NewIds) {
        if let RowChange::Update { id, .. } | RowChange::Delete { id, .. } = change.lead {
            self.change_contacts_of(id, change.contacts);
        }
        self.leads.write(&change.lead, ids.lead);
    }

    fn change_contacts_of(&mut self, lead: LeadId, change: ContactsOfLead) {
        if change == ContactsOfLead::Keep {
            return;
        }
        let contacts: Vec<ContactId> = self.contacts.index.rows(contact_owner(ContactOwner::Lead(lead))).collect();
        for contact in contacts {
            match change {
                ContactsOfLead::Keep => {}
                ContactsOfLead::MoveTo(customer) => self.move_contact(contact, ContactOwner::Customer(customer)),
                ContactsOfLead::Delete => self.contacts.erase(contact),
            }
        }
    }

    fn move_contact(&mut self, id: ContactId, to: ContactOwner) {
        let Some(row) = self.contacts.get_mut(id) else { return };
        let old = row.value.terms();
        row.value.owner = to;
        row.bump();
        let new = row.value.terms();
        self.contacts.retag(id, &old, &new);
    }

    pub(super) fn check_service(&self, change: &RowChange<Service>) -> Result<NewIds, RepositoryError> {
        if matches!(change, RowChange::Delete { .. }) {
            return Err(RepositoryError::Internal("services are never deleted".into()));
        }
        let id = self.services.target(change)?;
        Ok(NewIds { service: created(change, id), ..NewIds::default() })
    }

    pub(super) fn check_first_services(&self, FirstServices(services): &FirstServices) -> Result<NewIds, RepositoryError> {
        if self.services.len() > 0 {
            return Err(RepositoryError::Taken(Guarantee::FirstServices));
        }
        let service = if services.is_empty() { None } else { Some(self.services.next_id()?) };
        Ok(NewIds { service, ..NewIds::default() })
    }

    pub(super) fn create_services(&mut self, FirstServices(services): &FirstServices) {
        for service in services {
            if let Ok(id) = self.services.next_id() {
                self.services.insert(id, service.clone(), service.terms());
            }
        }
    }
}
