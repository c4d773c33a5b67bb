use lease_core::event::NewRow;
use lease_core::model::{Customer, Profile};
use lease_core::repository::RepositoryError;

use super::annotation::read_annotations;
use super::{Fields, Table, Values, WriteTable, write_annotations};

impl Table for Customer {
    const NAME: &'static str = "customers";
    const COLUMNS: &'static [&'static str] = &["user_id", "job", "dob", "notes", "created_at", "external_id", "metadata"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            user_id: fields.id()?,
            profile: Profile { job: fields.get()?, dob: fields.get()?, notes: fields.get()? },
            created_at: fields.get()?,
            annotations: read_annotations(fields)?,
        })
    }
}

impl WriteTable for Customer {
    const WRITTEN: &'static str = "user_id, job, dob, notes, created_at, external_id, metadata";
    const NEW_ROW: Option<NewRow> = Some(NewRow::Customer);

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(self.user_id.get())
            .push_bind(&self.profile.job)
            .push_bind(self.profile.dob)
            .push_bind(&self.profile.notes)
            .push_bind(self.created_at);
        write_annotations(values, &self.annotations);
    }
}
