use async_trait::async_trait;
use lease_core::catalog::VehicleSnapshot;
use lease_core::id::{CustomerId, Stored, VehicleId, Versioned};
use lease_core::model::{Vehicle, VehicleIdentity};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{RepositoryError, VehicleFilter, VehicleRepository};

use crate::MemoryRepository;
use crate::index::{Kind, Term};
use crate::state::{State, in_open_trade, make, model, party};
use crate::walk::Query;

#[async_trait]
impl VehicleRepository for MemoryRepository {
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
        Ok(self.state.read(|state| state.vehicle_snapshot(id, viewer)))
    }

    async fn find_vehicle(&self, identity: &VehicleIdentity) -> Result<Option<VehicleId>, RepositoryError> {
        Ok(self.state.read(|state| state.vehicles.by_identity.get(identity).copied()))
    }

    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError> {
        Ok(self.state.read(|state| state.vehicles(filter, page)))
    }
}

impl State {
    pub(super) fn vehicle_snapshot(&self, id: VehicleId, viewer: Option<CustomerId>) -> Option<Versioned<VehicleSnapshot>> {
        let Versioned { version, value: vehicle } = self.vehicles.rows.versioned(id)?;
        let index = &self.vehicles.rows.index;
        let value = VehicleSnapshot {
            is_on_offer: index.contains(in_open_trade(), id) && self.accounts.is_active(vehicle.customer_id),
            has_live_trade: self.trades.live_of(id).is_some(),
            was_traded: self.trades.rows.index.any(Term::id(Kind::Vehicle, id)),
            viewer_is_party: viewer.is_some_and(|viewer| index.contains(party(viewer), id)),
            vehicle,
        };
        Some(Versioned { version, value })
    }

    /// Whether a vehicle is hidden from others than its owner and its parties, though it may be in an open trade.
    fn hides_vehicle(&self, id: VehicleId, vehicle: &Vehicle, viewer: CustomerId) -> bool {
        !self.accounts.is_active(vehicle.customer_id)
            && vehicle.customer_id != viewer
            && !self.vehicles.rows.index.contains(party(viewer), id)
    }

    fn vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Page<Stored<Vehicle>> {
        let owner = |id| Term::id(Kind::Customer, id);
        let mut query = Query::default()
            .and(filter.customer_id.map(owner))
            .and(filter.make.as_deref().map(make))
            .and(filter.model.as_deref().map(model))
            .and_years(filter.year_min, filter.year_max)
            .and_search(filter.search.as_ref());
        if let Some(viewer) = filter.visible_to {
            query = query.and_any([owner(viewer), in_open_trade(), party(viewer)]);
        }
        let chassis_number = filter.chassis_number.clone().map(VehicleIdentity::Chassis);
        for identity in filter.vin.map(VehicleIdentity::Vin).into_iter().chain(chassis_number) {
            query = query.and_row(self.vehicles.by_identity.get(&identity).copied());
        }
        self.vehicles.rows.list(query, page, |id, row| {
            !filter.visible_to.is_some_and(|viewer| self.hides_vehicle(id, &row.value, viewer))
                && is_of_model(&row.value, filter.make.as_deref(), filter.model.as_deref())
                && filter.search.as_ref().is_none_or(|search| search.matches(&row.value.search_text()))
        })
    }
}

/// Whether a vehicle has the requested make and model. Terms of names are hashes, so only this check is exact.
pub(super) fn is_of_model(vehicle: &Vehicle, make: Option<&str>, model: Option<&str>) -> bool {
    make.is_none_or(|make| vehicle.make_key() == make) && model.is_none_or(|model| vehicle.model_key() == model)
}
