use lease_core::event::NewRow;
use lease_core::model::{ChassisNumber, Vehicle, VehicleIdentity, Vin};
use lease_core::repository::RepositoryError;

use super::annotation::read_annotations;
use super::{Fields, Table, Values, WriteTable, write_annotations};

impl Table for Vehicle {
    const NAME: &'static str = "vehicles";
    const COLUMNS: &'static [&'static str] = &[
        "customer_id",
        "vin",
        "chassis_number",
        "make",
        "model",
        "year",
        "color",
        "mileage",
        "license_plate",
        "description",
        "created_at",
        "external_id",
        "metadata",
    ];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            customer_id: fields.id()?,
            identity: read_identity(fields)?,
            make: fields.get()?,
            model: fields.get()?,
            year: fields.get()?,
            color: fields.get()?,
            mileage: fields.get()?,
            license_plate: fields.get()?,
            description: fields.get()?,
            created_at: fields.get()?,
            annotations: read_annotations(fields)?,
        })
    }
}

/// Reads the columns `vin` and `chassis_number`, one of which is null.
pub(super) fn read_identity(fields: &mut Fields<'_>) -> Result<Option<VehicleIdentity>, RepositoryError> {
    let (vin, chassis_number): (Option<&str>, Option<String>) = (fields.get()?, fields.get()?);
    let vin = vin.map(|vin| fields.parsed(Vin::parse(vin)).map(VehicleIdentity::Vin)).transpose()?;
    Ok(vin.or_else(|| chassis_number.map(ChassisNumber::from_stored).map(VehicleIdentity::Chassis)))
}

impl WriteTable for Vehicle {
    const WRITTEN: &'static str = "customer_id, vin, chassis_number, make, model, year, color, mileage, license_plate, description, created_at, \
                                   make_key, model_key, search_text, external_id, metadata";
    const NEW_ROW: Option<NewRow> = Some(NewRow::Vehicle);

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(self.customer_id.get())
            .push_bind(self.vin().map(|vin| vin.as_str().to_owned()))
            .push_bind(self.chassis_number().map(ChassisNumber::as_str))
            .push_bind(&self.make)
            .push_bind(&self.model)
            .push_bind(self.year)
            .push_bind(&self.color)
            .push_bind(self.mileage)
            .push_bind(&self.license_plate)
            .push_bind(&self.description)
            .push_bind(self.created_at)
            .push_bind(self.make_key())
            .push_bind(self.model_key())
            .push_bind(self.search_text());
        write_annotations(values, &self.annotations);
    }
}
