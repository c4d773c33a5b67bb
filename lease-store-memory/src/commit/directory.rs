use lease_core::id::{ContactId, LeadId, ServiceId};
use lease_core::model::{Contact, ContactOwner, Lead, Service};
use lease_core::repository::{Change, Claim, ContactsOfLead, LeadChange, RepositoryError};

use super::require;
use crate::MemoryRepository;
use crate::state::{Indexed as _, State, contact_owner, made, written};

impl State {
    fn check_contact(&self, change: &Change<Contact>) -> Result<ContactId, RepositoryError> {
        let id = self.contacts.target(change)?;
        match written(change).map(|contact| contact.owner) {
            Some(ContactOwner::Customer(owner)) => self.accounts.customers.require(owner).map(drop)?,
            Some(ContactOwner::Lead(owner)) => self.leads.require(owner).map(drop)?,
            None => {}
        }
        Ok(id)
    }

    fn check_lead(&self, change: &LeadChange) -> Result<LeadId, RepositoryError> {
        let id = self.leads.target(&change.lead)?;
        if let Some(customer) = written(&change.lead).and_then(Lead::customer_id) {
            self.accounts.customers.require(customer)?;
        }
        let leaves_contacts = match change.contacts {
            ContactsOfLead::Keep => matches!(change.lead, Change::Delete { .. }),
            ContactsOfLead::MoveTo(customer) => {
                self.accounts.customers.require(customer)?;
                false
            }
            ContactsOfLead::Erase => false,
        };
        require(!leaves_contacts || !self.contacts.index.any(contact_owner(ContactOwner::Lead(id))))?;
        Ok(id)
    }

    fn change_lead(&mut self, change: &LeadChange, id: LeadId) {
        let contacts: Vec<ContactId> = match change.contacts {
            ContactsOfLead::Keep => Vec::new(),
            _ => self.contacts.index.rows(contact_owner(ContactOwner::Lead(id))).collect(),
        };
        for contact in contacts {
            match change.contacts {
                ContactsOfLead::Keep => {}
                ContactsOfLead::MoveTo(customer) => self.move_contact(contact, ContactOwner::Customer(customer)),
                ContactsOfLead::Erase => self.contacts.erase(contact),
            }
        }
        self.leads.write(id, &change.lead);
    }

    fn move_contact(&mut self, id: ContactId, to: ContactOwner) {
        let Some(row) = self.contacts.get_mut(id) else { return };
        let old = row.value.terms();
        row.value.owner = to;
        row.bump();
        let new = row.value.terms();
        self.contacts.retag(id, &old, &new);
    }
}

impl MemoryRepository {
    pub(crate) fn write_contact(&self, change: &Change<Contact>, claim: Option<Claim>) -> Result<ContactId, RepositoryError> {
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                state.check_contact(change)
            },
            |state, id| {
                state.contacts.write(*id, change);
                state.claims.finish(claim, made(change, *id));
            },
        )
    }

    pub(crate) fn write_lead(&self, change: &LeadChange, claim: Option<Claim>) -> Result<LeadId, RepositoryError> {
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                state.check_lead(change)
            },
            |state, id| {
                state.change_lead(change, *id);
                state.claims.finish(claim, made(&change.lead, *id));
            },
        )
    }

    pub(crate) fn write_service(&self, change: &Change<Service>, claim: Option<Claim>) -> Result<ServiceId, RepositoryError> {
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                if matches!(change, Change::Delete { .. }) {
                    return Err(RepositoryError::Internal("services are never erased".into()));
                }
                state.services.target(change)
            },
            |state, id| {
                state.services.write(*id, change);
                state.claims.finish(claim, made(change, *id));
            },
        )
    }

    pub(crate) fn write_first_services(&self, services: &[Service]) -> Result<bool, RepositoryError> {
        self.state.write(
            |state| Ok(state.services.len() == 0 && !services.is_empty()),
            |state, is_due| {
                for service in services.iter().filter(|_| *is_due) {
                    if let Ok(id) = state.services.next_id() {
                        state.services.insert(id, service.clone(), service.terms());
                    }
                }
            },
        )
    }
}
