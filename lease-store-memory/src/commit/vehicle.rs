use lease_core::id::VehicleId;
use lease_core::model::Vehicle;
use lease_core::repository::{Change, Claim, Guarantee, RepositoryError};

use super::require;
use crate::MemoryRepository;
use crate::index::{Kind, Term};
use crate::state::{Indexed, State, made, model_terms, written};

impl State {
    fn check_vehicle(&self, change: &Change<Vehicle>) -> Result<VehicleId, RepositoryError> {
        let id = self.vehicles.rows.target(change)?;
        let Some(vehicle) = written(change) else {
            require(!self.trades.rows.index.any(Term::id(Kind::Vehicle, id)))?;
            return Ok(id);
        };
        self.accounts.customers.require(vehicle.customer_id)?;
        if self.vehicles.by_vin.get(&vehicle.vin).is_some_and(|other| *other != id) {
            return Err(RepositoryError::Taken(Guarantee::VehicleVin));
        }
        Ok(id)
    }

    fn change_vehicle(&mut self, change: &Change<Vehicle>, id: VehicleId, terms: &[Term]) {
        match change {
            Change::Create(vehicle) => self.vehicles.insert(id, vehicle.clone(), terms),
            Change::Update { value, .. } => {
                self.follow_model(id, value);
                self.vehicles.replace(id, value.clone(), terms);
            }
            Change::Delete { .. } => self.vehicles.erase(id),
        }
    }

    /// Trades are found by their vehicle's make, model and year. These change when a mistake is put right, if ever.
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

impl MemoryRepository {
    pub(crate) fn write_vehicle(&self, change: &Change<Vehicle>, claim: Option<Claim>) -> Result<VehicleId, RepositoryError> {
        // Before the lock is taken: there are many.
        let terms = written(change).map(Indexed::terms).unwrap_or_default();
        self.state.write(
            |state| {
                state.claims.check(claim)?;
                state.check_vehicle(change)
            },
            |state, id| {
                state.change_vehicle(change, *id, &terms);
                state.claims.finish(claim, made(change, *id));
            },
        )
    }
}
