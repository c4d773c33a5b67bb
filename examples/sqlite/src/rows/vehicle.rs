use lease_core::model::{ChassisNumber, OfferedVehicle, Vehicle, VehicleIdentity, Vin};
use lease_core::repository::RepositoryError;

use super::{annotation_values, join, read_annotations};
use crate::sql::Fields;
use crate::table::Table;
use crate::value::{Value, values};

impl Table for Vehicle {
    const NAME: &'static str = "vehicles";
    const COLUMNS: &'static str = "customer_id, vin, chassis_number, make, model, year, color, mileage, license_plate, description, \
                                   created_at, external_id, metadata";
    const DERIVED: &'static str = ", make_key, model_key, search_text";

    fn values(&self) -> Vec<Value> {
        join([
            values![self.customer_id],
            offered_values(&self.into()),
            values![self.created_at],
            annotation_values(&self.annotations),
            values![self.make_key(), self.model_key(), self.search_text()],
        ])
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, RepositoryError> {
        let customer_id = fields.get()?;
        let OfferedVehicle { identity, make, model, year, color, mileage, license_plate, description } = read_offered(fields)?;
        Ok(Self {
            customer_id,
            identity,
            make,
            model,
            year,
            color,
            mileage,
            license_plate,
            description,
            created_at: fields.get()?,
            annotations: read_annotations(fields)?,
        })
    }
}

/// What a vehicle and a trade that offers it have in common: the VIN or the chassis number, make, model and so on.
pub(super) fn offered_values(offered: &OfferedVehicle) -> Vec<Value> {
    values![
        offered.vin().as_ref().map(Vin::as_str),
        offered.chassis_number().map(ChassisNumber::as_str),
        offered.make,
        offered.model,
        offered.year,
        offered.color,
        offered.mileage,
        offered.license_plate,
        offered.description,
    ]
}

/// Reads [`offered_values`].
pub(super) fn read_offered(fields: &mut Fields<'_>) -> Result<OfferedVehicle, RepositoryError> {
    let (vin, chassis): (Option<String>, Option<String>) = (fields.get()?, fields.get()?);
    let vin = vin.map(|vin| fields.some(Vin::parse(&vin).ok())).transpose()?;
    let chassis = chassis.map(ChassisNumber::from_stored).map(VehicleIdentity::Chassis);
    Ok(OfferedVehicle {
        identity: vin.map(VehicleIdentity::Vin).or(chassis),
        make: fields.get()?,
        model: fields.get()?,
        year: fields.get()?,
        color: fields.get()?,
        mileage: fields.get()?,
        license_plate: fields.get()?,
        description: fields.get()?,
    })
}
