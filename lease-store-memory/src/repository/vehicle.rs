use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lease_core::catalog::{LiveTrade, VehicleSnapshot};
use lease_core::id::{CustomerId, Stored, TradeId, VehicleId, Versioned};
use lease_core::model::{Proposal, ProposalState, Vehicle, VehicleIdentity};
use lease_core::page::{Page, PageRequest};
use lease_core::repository::{RepositoryError, VehicleFilter, VehicleRepository};

use crate::MemoryRepository;
use crate::index::{Kind, Term};
use crate::state::{Annotated as _, State, called, in_open_trade, make, model, party};
use crate::walk::Query;

#[async_trait]
impl VehicleRepository for MemoryRepository {
    async fn load_vehicle(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Result<Option<Versioned<VehicleSnapshot>>, RepositoryError> {
        Ok(self.state.read(|state| state.vehicle_snapshot(id, viewer, now)))
    }

    async fn find_vehicle(&self, identity: &VehicleIdentity) -> Result<Option<VehicleId>, RepositoryError> {
        Ok(self.state.read(|state| state.vehicles.by_identity.get(identity).copied()))
    }

    async fn list_vehicles(&self, filter: &VehicleFilter, page: PageRequest) -> Result<Page<Stored<Vehicle>>, RepositoryError> {
        Ok(self.state.read(|state| state.vehicles(filter, page)))
    }
}

impl State {
    pub(super) fn vehicle_snapshot(
        &self,
        id: VehicleId,
        viewer: Option<CustomerId>,
        now: DateTime<Utc>,
    ) -> Option<Versioned<VehicleSnapshot>> {
        let Versioned { version, value: vehicle } = self.vehicles.rows.versioned(id)?;
        let index = &self.vehicles.rows.index;
        let value = VehicleSnapshot {
            live_trade: self.trades.live_of(id).and_then(|trade| self.live_trade(trade, now)),
            was_traded: self.trades.rows.index.any(Term::id(Kind::Vehicle, id)),
            viewer_is_party: viewer.is_some_and(|viewer| index.contains(party(viewer), id)),
            vehicle,
        };
        Some(Versioned { version, value })
    }

    fn live_trade(&self, id: TradeId, now: DateTime<Utc>) -> Option<LiveTrade> {
        let row = self.trades.rows.get(id)?;
        let pending = self.proposals.pending_in(id).into_iter().filter_map(|id| self.proposals.rows.get(id));
        let is_bid = |bid: &Proposal| bid.customer_id != row.value.customer_id && bid.state_at(now) == ProposalState::Pending;
        let has_bid = pending.map(|row| &row.value).any(is_bid);
        Some(LiveTrade {
            id,
            version: row.version,
            is_open: row.value.is_open(),
            owner_is_active: self.accounts.is_active(row.value.customer_id),
            has_bid,
        })
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
            .and(filter.external_id.as_ref().map(called))
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
                && row.value.is_called(filter.external_id.as_ref())
                && is_of_model(&row.value, filter.make.as_deref(), filter.model.as_deref())
                && filter.search.as_ref().is_none_or(|search| search.matches(&row.value.search_text()))
        })
    }
}

/// Whether a vehicle has the requested make and model. Terms of names are hashes, so only this check is exact.
fn is_of_model(vehicle: &Vehicle, make: Option<&str>, model: Option<&str>) -> bool {
    make.is_none_or(|make| vehicle.make_key() == make) && model.is_none_or(|model| vehicle.model_key() == model)
}
