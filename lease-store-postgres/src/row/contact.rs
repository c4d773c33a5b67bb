use lease_core::event::NewRow;
use lease_core::id::{CustomerId, LeadId};
use lease_core::model::{Contact, ContactOwner};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values, WriteTable};

impl Table for Contact {
    const NAME: &'static str = "contacts";
    const COLUMNS: &'static [&'static str] = &[
        "customer_id",
        "lead_id",
        "label",
        "name",
        "email",
        "phone",
        "address_line1",
        "address_line2",
        "city",
        "state",
        "postal_code",
        "country",
        "created_at",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            owner: read_owner(fields)?,
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

fn read_owner(fields: &mut Fields<'_>) -> Result<ContactOwner, RepositoryError> {
    match (fields.optional_id()?, fields.optional_id()?) {
        (Some(id), None) => Ok(ContactOwner::Customer(id)),
        (None, Some(id)) => Ok(ContactOwner::Lead(id)),
        _ => Err(fields.fault("it does not have exactly one owner")),
    }
}

impl WriteTable for Contact {
    const WRITTEN: &'static str = "customer_id, lead_id, label, name, email, phone, address_line1, address_line2, city, state, \
                                   postal_code, country, created_at";
    const NEW_ROW: Option<NewRow> = Some(NewRow::Contact);

    fn write(&self, values: &mut Values<'_>) {
        let (customer, lead) = match self.owner {
            ContactOwner::Customer(id) => (Some(id), None),
            ContactOwner::Lead(id) => (None, Some(id)),
        };
        values
            .push_bind(customer.map(CustomerId::get))
            .push_bind(lead.map(LeadId::get))
            .push_bind(&self.label)
            .push_bind(&self.name)
            .push_bind(&self.email)
            .push_bind(&self.phone)
            .push_bind(&self.address_line1)
            .push_bind(&self.address_line2)
            .push_bind(&self.city)
            .push_bind(&self.state)
            .push_bind(&self.postal_code)
            .push_bind(&self.country)
            .push_bind(self.created_at);
    }
}
