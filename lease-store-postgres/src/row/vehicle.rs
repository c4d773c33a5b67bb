use chrono::{DateTime, Utc};
use lease_core::id::Stored;
use lease_core::model::{Vehicle, Vin};
use lease_core::repository::RepositoryError;

use super::{At, Row};

/// A row of `vehicles`.
#[derive(sqlx::FromRow, sqlx::Type)]
#[sqlx(type_name = "record")]
pub(crate) struct VehicleRow {
    id: i64,
    customer_id: i64,
    vin: String,
    make: String,
    model: String,
    year: i32,
    color: String,
    mileage: Option<i64>,
    license_plate: String,
    description: String,
    created_at: DateTime<Utc>,
}

impl Row for VehicleRow {
    type Entity = Vehicle;

    fn parse(self) -> Result<Stored<Vehicle>, RepositoryError> {
        let at = At::new("vehicles", self.id);
        let value = Vehicle {
            customer_id: at.id("customer_id", self.customer_id)?,
            vin: Vin::parse(&self.vin).map_err(|_| at.corrupt("vin is none"))?,
            make: self.make,
            model: self.model,
            year: self.year,
            color: self.color,
            mileage: self.mileage,
            license_plate: self.license_plate,
            description: self.description,
            created_at: self.created_at,
        };
        Ok(Stored { id: at.id("id", self.id)?, value })
    }
}
