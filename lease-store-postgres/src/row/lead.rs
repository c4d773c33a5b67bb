use lease_core::event::NewRow;
use lease_core::id::CustomerId;
use lease_core::model::{Lead, LeadState, LeadStatus};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values, WriteTable};

impl Table for Lead {
    const NAME: &'static str = "leads";
    const COLUMNS: &'static [&'static str] =
        &["first_name", "last_name", "email", "phone", "company", "source", "status", "customer_id", "notes", "created_at"];

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
    let status = fields.name()?;
    let customer: Option<CustomerId> = fields.optional_id()?;
    Ok(match status {
        LeadStatus::New => LeadState::New,
        LeadStatus::Contacted => LeadState::Contacted,
        LeadStatus::Qualified => LeadState::Qualified,
        LeadStatus::Converted => LeadState::Converted(fields.some("customer_id", customer)?),
        LeadStatus::Lost => LeadState::Lost,
    })
}

impl WriteTable for Lead {
    const WRITTEN: &'static str =
        "first_name, last_name, email, phone, company, source, status, customer_id, notes, created_at, search_text";
    const NEW_ROW: Option<NewRow> = Some(NewRow::Lead);

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(&self.first_name)
            .push_bind(&self.last_name)
            .push_bind(&self.email)
            .push_bind(&self.phone)
            .push_bind(&self.company)
            .push_bind(&self.source)
            .push_bind::<&str>(LeadStatus::from(self.state).into())
            .push_bind(self.customer_id().map(CustomerId::get))
            .push_bind(&self.notes)
            .push_bind(self.created_at)
            .push_bind(self.search_text());
    }
}
