use async_trait::async_trait;

use super::RepositoryError;
use crate::catalog::VehicleSnapshot;
use crate::id::{CustomerId, Stored, VehicleId, Versioned};
use crate::model::{Vehicle, Vin};
use crate::page::{Page, PageRequest};
use crate::text::Search;

/// Vehicles. Opening a trade and completing a sale move the vehicle's version too.
#[async_trait]
pub trait VehicleRepository {
    /// What a decision about a vehicle reads; `viewer` is the customer who asks.
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError>;

    /// The vehicle that has this VIN.
    async fn find_vin(&self, vin: &Vin) -> Result<Option<VehicleId>, RepositoryError>;

    /// Lists vehicles.
    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError>;
}

/// Which vehicles to list; each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VehicleFilter {
    /// Only what this customer may see: their own, those in an open trade, those in a trade they are owner or counterparty
    /// of ([`can_view_vehicle`](crate::permission::can_view_vehicle)).
    pub visible_to: Option<CustomerId>,
    /// Of this owner.
    pub customer_id: Option<CustomerId>,
    /// Of this make: [`Vehicle::make_key`] is this key.
    pub make: Option<String>,
    /// Of this model: [`Vehicle::model_key`] is this key.
    pub model: Option<String>,
    /// Not before this model year.
    pub year_min: Option<i32>,
    /// Not after this model year.
    pub year_max: Option<i32>,
    /// With this VIN.
    pub vin: Option<Vin>,
    /// Matching [`Vehicle::search_text`].
    pub search: Option<Search>,
}
