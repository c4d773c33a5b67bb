use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, Stored, VehicleId};
use lease_core::model;
use lease_core::openapi::{Id, MetadataInput};
use lease_core::permission::Actor;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::annotations::{Seen, present};

/// A vehicle that a customer owns and may offer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[non_exhaustive]
pub struct Vehicle {
    /// Its id.
    #[schema(value_type = Id)]
    pub id: VehicleId,
    /// The owner.
    #[schema(value_type = Id)]
    pub customer_id: CustomerId,
    /// The VIN; null for a vehicle that has a chassis number instead.
    #[schema(required, min_length = 17, max_length = 17)]
    pub vin: Option<String>,
    /// The chassis number of a vehicle that has no VIN.
    #[schema(required, min_length = 5, max_length = 20, example = json!(null))]
    pub chassis_number: Option<String>,
    /// The manufacturer.
    pub make: String,
    /// The model.
    pub model: String,
    /// The model year.
    pub year: i32,
    /// The colour, or empty.
    pub color: String,
    /// The odometer reading, if it is known.
    #[schema(required, minimum = 0)]
    pub mileage: Option<i64>,
    /// The license plate, or empty.
    pub license_plate: String,
    /// Anything else, or empty.
    pub description: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// What another system calls it, or null. Shown to administrative users alone.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 255, example = "crm-1042")]
    pub external_id: Option<Option<String>>,
    /// What the company keeps with it. Shown to administrative users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = MetadataInput, required = false)]
    pub metadata: Option<Map<String, Value>>,
}

impl Vehicle {
    /// As this actor sees it.
    #[must_use]
    pub fn seen_by(actor: &Actor, vehicle: Stored<model::Vehicle>) -> Self {
        let Stored { id, value: mut vehicle } = vehicle;
        let Seen { external_id, metadata } = Seen::by(actor, std::mem::take(&mut vehicle.annotations));
        Self {
            id,
            customer_id: vehicle.customer_id,
            vin: vehicle.vin().map(|vin| vin.as_str().to_owned()),
            chassis_number: vehicle.chassis_number().map(|number| number.as_str().to_owned()),
            make: vehicle.make,
            model: vehicle.model,
            year: vehicle.year,
            color: vehicle.color,
            mileage: vehicle.mileage,
            license_plate: vehicle.license_plate,
            description: vehicle.description,
            created_at: vehicle.created_at,
            external_id,
            metadata,
        }
    }
}
