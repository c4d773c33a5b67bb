use lease_core::catalog::VehicleChange;
use lease_core::decision::RowChange;
use lease_core::id::NewIds;
use lease_core::repository::{Guarantee, RepositoryError};

use super::{created, require};
use crate::index::{Kind, Term};
use crate::state::{Indexed as _, State};

impl State {
    pub(super) fn check_vehicle(&self, change: &VehicleChange) -> Result<NewIds, RepositoryError> {
        let id = self.vehicles.rows.target(&change.vehicle)?;
        if let Some((trade, version)) = change.offered_in {
            require(self.trades.rows.expect(trade, version)?.value.vehicle_id == id)?;
        }
        let change = &change.vehicle;
        let Some(vehicle) = change.value() else {
            require(!self.trades.rows.index.any(Term::id(Kind::Vehicle, id)))?;
            return Ok(NewIds::default());
        };
        self.accounts.customers.require(vehicle.customer_id)?;
        let holder = vehicle.identity.as_ref().and_then(|identity| self.vehicles.by_identity.get(identity));
        if holder.is_some_and(|other| *other != id) {
            return Err(RepositoryError::Taken(Guarantee::VehicleIdentity));
        }
        self.vehicles.rows.external_id_free(id, &vehicle.annotations)?;
        Ok(NewIds { vehicle: created(change, id), ..NewIds::default() })
    }

    pub(super) fn change_vehicle(&mut self, VehicleChange { vehicle, offered_in }: &VehicleChange, ids: NewIds) {
        if let (Some((trade, _)), Some(vehicle)) = (offered_in, vehicle.value()) {
            self.trades.offer(*trade, vehicle.into());
        }
        match (vehicle, ids.vehicle) {
            (RowChange::Create(vehicle), Some(id)) => self.vehicles.insert(id, vehicle.clone(), &vehicle.terms()),
            (RowChange::Create(_), None) => {}
            (RowChange::Update { id, value, .. }, _) => {
                self.vehicles.replace(*id, value.clone(), &value.terms());
            }
            (RowChange::Delete { id, .. }, _) => self.vehicles.erase(*id),
        }
    }
}
