use lease_core::event::NewRow;
use lease_core::model::{Vehicle, Vin};
use lease_core::repository::RepositoryError;

use super::{Fields, Table, Values, WriteTable};

impl Table for Vehicle {
    const NAME: &'static str = "vehicles";
    const COLUMNS: &'static [&'static str] =
        &["customer_id", "vin", "make", "model", "year", "color", "mileage", "license_plate", "description", "created_at"];

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        Ok(Self {
            customer_id: fields.id()?,
            vin: {
                let vin = fields.get()?;
                fields.parsed(Vin::parse(vin))?
            },
            make: fields.get()?,
            model: fields.get()?,
            year: fields.get()?,
            color: fields.get()?,
            mileage: fields.get()?,
            license_plate: fields.get()?,
            description: fields.get()?,
            created_at: fields.get()?,
        })
    }
}

impl WriteTable for Vehicle {
    const WRITTEN: &'static str = "customer_id, vin, make, model, year, color, mileage, license_plate, description, created_at, \
                                   make_key, model_key, search_text";
    const NEW_ROW: NewRow = NewRow::Vehicle;

    fn write(&self, values: &mut Values<'_>) {
        values
            .push_bind(self.customer_id.get())
            .push_bind(self.vin.as_str())
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
    }
}
