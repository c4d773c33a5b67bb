use lease_core::decision::RowChange;
use lease_core::id::{NewIds, VehicleId};
use lease_core::model::Vehicle;
use lease_core::repository::{Guarantee, RepositoryError};

use super::{created, require};
use crate::index::{Kind, Term};
use crate::state::{Indexed as _, State, model_terms};

impl State {
    pub(super) fn check_vehicle(&self, change: &RowChange<Vehicle>) -> Result<NewIds, RepositoryError> {
        let id = self.vehicles.rows.target(change)?;
        let Some(vehicle) = change.value() else {
            require(!self.trades.rows.index.any(Term::id(Kind::Vehicle, id)))?;
            return Ok(NewIds::default());
        };
        self.accounts.customers.require(vehicle.customer_id)?;
        let holder = vehicle.identity.as_ref().and_then(|identity| self.vehicles.by_identity.get(identity));
        if holder.is_some_and(|other| *other != id) {
            return Err(RepositoryError::Taken(Guarantee::VehicleIdentity));
        }
        Ok(NewIds { vehicle: created(change, id), ..NewIds::default() })
    }

    pub(super) fn change_vehicle(&mut self, change: &RowChange<Vehicle>, ids: NewIds) {
        match (change, ids.vehicle) {
            (RowChange::Create(vehicle), Some(id)) => self.vehicles.insert(id, vehicle.clone(), &vehicle.terms()),
            (RowChange::Create(_), None) => {}
            (RowChange::Update { id, value, .. }, _) => {
                self.follow_model(*id, value);
                self.vehicles.replace(*id, value.clone(), &value.terms());
            }
            (RowChange::Delete { id, .. }, _) => self.vehicles.erase(*id),
        }
    }

    /// Trades are found by the make, model and year of their vehicle. These change only when a mistake is corrected.
    fn follow_model(&mut self, id: VehicleId, vehicle: &Vehicle) {
        let Some(row) = self.vehicles.rows.get(id) else { return };
        let (old, new) = (model_terms(&row.value), model_terms(vehicle));
        if old != new {
            let trades: Vec<_> = self.trades.rows.index.rows(Term::id(Kind::Vehicle, id)).collect();
            for trade in trades {
                self.trades.rows.retag(trade, &old, &new);
            }
        }
    }
}
