//! Customers, leads and contacts.

use std::collections::BTreeSet;

use lease_core::id::{ContactId, CustomerId, LeadId, Stored, UserId};
use lease_core::model::{Annotations, Contact, ContactOwner, Customer, Lead, LeadState, Profile, Role, User};
use lease_core::text::{FREE_TEXT_MAX, NAME_MAX};

use super::metadata::Metadata;
use super::{Mapping, date, find, find_mut, last_id};
use crate::report::{Fate, Table};
use crate::rows::{ContactRow, CustomerRow, Rows};
use crate::text;

impl Mapping {
    pub(super) fn customers(&mut self, rows: &Rows) {
        let rows = self.notes.by_id(Table::Customers, &rows.customers, |row| row.id);
        let mut next_id = rows.last_key_value().map_or(1, |(id, _)| id + 1);
        let mut owners = BTreeSet::new();
        for (id, row) in rows {
            let user = row.user.and_then(UserId::new).and_then(|id| find_mut(&mut self.import.users, id));
            let (Some(customer_id), Some(user)) = (CustomerId::new(id), user) else {
                self.notes.dropped(Table::Customers, id, "it has no user, or one that is not taken");
                continue;
            };
            if user.role != Role::Customer {
                self.notes.dropped(Table::Customers, id, "its user administers");
                continue;
            }
            if !owners.insert(user.id) {
                self.notes.dropped(Table::Customers, id, "its user has an earlier one");
                continue;
            }
            let (user_id, annotations) = (user.id, names(user, row).annotations());
            let value = Customer { user_id, profile: self.profile(id, row), created_at: self.past(row.created_at), annotations };
            self.import.customers.push(Stored { id: customer_id, value });
        }
        for user in self.import.users.iter().filter(|user| user.role == Role::Customer && !owners.contains(&user.id)) {
            let Some(id) = CustomerId::new(next_id) else { break };
            self.notes.add(Table::Customers, Fate::Added, next_id, "a user who does not administer had none");
            let annotations = Annotations::default();
            let value = Customer { user_id: user.id, profile: Profile::default(), created_at: user.date_joined, annotations };
            self.import.customers.push(Stored { id, value });
            next_id += 1;
        }
        self.import.last_ids.customer = CustomerId::new(next_id - 1);
    }

    fn profile(&mut self, id: i64, row: &CustomerRow) -> Profile {
        let dob = date(row.dob).filter(|dob| *dob < self.terms.now.date_naive());
        if dob != row.dob {
            self.notes.changed(Table::Customers, id, "its date of birth is not in the past");
        }
        Profile {
            job: self.notes.text(Table::Customers, id, text::line(row.job.as_deref(), NAME_MAX)),
            dob,
            notes: self.notes.text(Table::Customers, id, text::free(row.notes.as_deref(), FREE_TEXT_MAX)),
        }
    }

    /// The customer with this id, if it is taken.
    pub(super) fn customer(&self, id: Option<i64>) -> Option<CustomerId> {
        find(&self.import.customers, id).map(|customer| customer.id)
    }

    pub(super) fn leads(&mut self, rows: &Rows) {
        let rows = self.notes.by_id(Table::Leads, &rows.leads, |row| row.id);
        self.import.last_ids.lead = last_id(&rows);
        for (id, row) in rows {
            let mut line = |text: Option<&str>| self.notes.text(Table::Leads, id, text::line(text, NAME_MAX));
            let (first_name, last_name) = (line(row.first_name.as_deref()), line(row.last_name.as_deref()));
            let source = line(row.source.as_deref());
            if first_name.is_empty() && last_name.is_empty() {
                self.notes.dropped(Table::Leads, id, "it has no name");
                continue;
            }
            let born = date(row.dob).map(|dob| format!("Date of birth: {dob}"));
            let notes = [row.notes.clone(), born].into_iter().flatten().collect::<Vec<_>>().join("\n");
            let value = Lead {
                first_name,
                last_name,
                email: String::new(),
                phone: String::new(),
                company: String::new(),
                source,
                state: LeadState::New,
                notes: self.notes.text(Table::Leads, id, text::free(Some(&notes), FREE_TEXT_MAX)),
                created_at: self.past(row.created_at),
            };
            self.import.leads.extend(LeadId::new(id).map(|id| Stored { id, value }));
        }
    }

    pub(super) fn contacts(&mut self, rows: &Rows) {
        let rows = self.notes.by_id(Table::Contacts, &rows.contacts, |row| row.id);
        self.import.last_ids.contact = last_id(&rows);
        for (id, row) in rows {
            let Some(owner) = self.contact_owner(row) else {
                self.notes.dropped(Table::Contacts, id, "it belongs to no customer and no lead that is taken");
                continue;
            };
            if row.customer.is_some() && row.lead.is_some() {
                self.notes.changed(Table::Contacts, id, "it named a customer and a lead");
            }
            let mut line = |text: Option<&str>| self.notes.text(Table::Contacts, id, text::line(text, NAME_MAX));
            let (email, phone) = (line(row.email.as_deref()), line(row.phone.as_deref()));
            let label = line(row.note.as_deref());
            if email.is_empty() && phone.is_empty() {
                self.notes.dropped(Table::Contacts, id, "it has neither an e-mail address nor a phone number");
                continue;
            }
            let value = Contact {
                owner,
                label,
                name: String::new(),
                email,
                phone,
                address_line1: String::new(),
                address_line2: String::new(),
                city: String::new(),
                state: String::new(),
                postal_code: String::new(),
                country: String::new(),
                created_at: self.past(row.created_at),
            };
            self.import.contacts.extend(ContactId::new(id).map(|id| Stored { id, value }));
        }
    }

    fn contact_owner(&self, row: &ContactRow) -> Option<ContactOwner> {
        let lead = || find(&self.import.leads, row.lead).map(|lead| ContactOwner::Lead(lead.id));
        self.customer(row.customer).map(ContactOwner::Customer).or_else(lead)
    }
}

/// A user without names gets those of the customer. Names that differ, and the status, are kept in the metadata.
fn names(user: &mut User, row: &CustomerRow) -> Metadata {
    let mut metadata = Metadata::default();
    let (first_name, last_name) =
        (text::line(row.first_name.as_deref(), NAME_MAX), text::line(row.last_name.as_deref(), NAME_MAX));
    if user.first_name.is_empty() && user.last_name.is_empty() {
        (user.first_name, user.last_name) = (first_name.text, last_name.text);
    } else {
        for (name, of_customer, of_user) in
            [("first_name", first_name, &user.first_name), ("last_name", last_name, &user.last_name)]
        {
            if of_customer.text != *of_user {
                metadata.put_text(name, Some(&of_customer.text));
            }
        }
    }
    metadata.put_number("status", row.status);
    metadata
}
