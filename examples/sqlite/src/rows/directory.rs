use lease_core::model::{Contact, ContactOwner, Lead, LeadState, LeadStatus};
use lease_core::repository::RepositoryError;

use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Value, name, values};

impl Table for Contact {
    const NAME: &'static str = "contacts";
    const COLUMNS: &'static str = "customer_id, lead_id, label, name, email, phone, address_line1, address_line2, city, state, \
                                   postal_code, country, created_at";

    fn values(&self) -> Vec<Value> {
        values![
            self.owner.customer(),
            self.owner.lead(),
            self.label,
            self.name,
            self.email,
            self.phone,
            self.address_line1,
            self.address_line2,
            self.city,
            self.state,
            self.postal_code,
            self.country,
            self.created_at,
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        let owner = match (fields.get()?, fields.get()?) {
            (Some(customer), None) => ContactOwner::Customer(customer),
            (None, Some(lead)) => ContactOwner::Lead(lead),
            _ => return Err(fields.fault("it does not have exactly one owner")),
        };
        Ok(Self {
            owner,
            label: fields.get()?,
            name: fields.get()?,
            email: fields.get()?,
            phone: fields.get()?,
            address_line1: fields.get()?,
            address_line2: fields.get()?,
            city: fields.get()?,
            state: fields.get()?,
            postal_code: fields.get()?,
            country: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

impl Table for Lead {
    const NAME: &'static str = "leads";
    const COLUMNS: &'static str = "first_name, last_name, email, phone, company, source, status, customer_id, notes, created_at";
    const DERIVED: &'static str = ", search_text";

    fn values(&self) -> Vec<Value> {
        values![
            self.first_name,
            self.last_name,
            self.email,
            self.phone,
            self.company,
            self.source,
            name(LeadStatus::from(self.state)),
            self.customer_id(),
            self.notes,
            self.created_at,
            self.search_text(),
        ]
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            first_name: fields.get()?,
            last_name: fields.get()?,
            email: fields.get()?,
            phone: fields.get()?,
            company: fields.get()?,
            source: fields.get()?,
            state: read_state(fields)?,
            notes: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

fn read_state(fields: &mut Fields<'_>) -> Result<LeadState, RepositoryError> {
    let (status, customer) = (fields.name()?, fields.get()?);
    Ok(match status {
        LeadStatus::New => LeadState::New,
        LeadStatus::Contacted => LeadState::Contacted,
        LeadStatus::Qualified => LeadState::Qualified,
        LeadStatus::Converted => LeadState::Converted(fields.some(customer)?),
        LeadStatus::Lost => LeadState::Lost,
    })
}
