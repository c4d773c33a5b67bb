use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::RepositoryError;
use crate::catalog::VehicleSnapshot;
use crate::id::{CustomerId, Stored, VehicleId, Versioned};
use crate::model::{ChassisNumber, ExternalId, Vehicle, VehicleIdentity, Vin};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Vehicles. Opening a trade and completing a sale increase the vehicle's version too.
#[async_trait]
pub trait VehicleRepository {
    /// The snapshot that a decision about a vehicle reads; `viewer` is the customer who asks, `now` the present instant.
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError>;

    /// The vehicle that has this VIN or chassis number.
    async fn find_vehicle(&self, identity: &VehicleIdentity) -> Result<Option<VehicleId>, RepositoryError>;

    /// Lists vehicles.
    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError>;
}

/// The filter for a list of vehicles; every condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VehicleFilter {
    /// Only vehicles that this customer may see: their own, those in an open trade, and those in a trade of which both they
    /// and the vehicle's owner are parties ([`can_view_vehicle`](crate::permission::can_view_vehicle)).
    pub visible_to: Option<CustomerId>,
    /// Of this owner.
    pub customer_id: Option<CustomerId>,
    /// Of this make: [`Vehicle::make_key`] is this key.
    pub make: Option<String>,
    /// Of this model: [`Vehicle::model_key`] is this key.
    pub model: Option<String>,
    /// Of this model year or later.
    pub year_min: Option<i32>,
    /// Of this model year or earlier.
    pub year_max: Option<i32>,
    /// With this VIN.
    pub vin: Option<Vin>,
    /// With this chassis number.
    pub chassis_number: Option<ChassisNumber>,
    /// With this external id; at most one has it.
    pub external_id: Option<ExternalId>,
    /// Matching [`Vehicle::search_text`].
    pub search: Option<Search>,
}
