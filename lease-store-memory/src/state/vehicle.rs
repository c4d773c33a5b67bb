use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use lease_core::id::{CustomerId, VehicleId};
use lease_core::model::{OfferedVehicle, Vehicle, VehicleIdentity};

use super::annotation::called;
use super::table::{Indexed, Table};
use crate::index::{Kind, Term, text_terms};

/// Vehicles. The term of everybody (`Public`) is set by those in an open trade, that of a customer (`Audience`) by those in
/// a trade the customer is a party of.
#[derive(Debug, Default)]
pub(crate) struct Vehicles {
    pub(crate) rows: Table<Vehicle>,
    pub(crate) by_identity: BTreeMap<VehicleIdentity, VehicleId>,
}

impl Indexed for Vehicle {
    fn terms(&self) -> Vec<Term> {
        let mut terms = vec![Term::id(Kind::Customer, self.customer_id)];
        terms.extend(model_terms(&self.into()));
        terms.extend(text_terms(&self.search_text()));
        terms.extend(self.annotations.external_id.as_ref().map(called));
        terms
    }
}

/// The terms of a vehicle that a trade which offers it has as well.
pub(crate) fn model_terms(vehicle: &OfferedVehicle) -> [Term; 3] {
    [make(&vehicle.make_key()), model(&vehicle.model_key()), Term::number(Kind::Year, vehicle.year.into())]
}

/// The term of a make, given as a comparison key.
pub(crate) fn make(key: &str) -> Term {
    Term::name(Kind::Make, key)
}

/// The term of a model, given as a comparison key.
pub(crate) fn model(key: &str) -> Term {
    Term::name(Kind::Model, key)
}

/// The terms of a range of model years.
pub(crate) fn years(min: Option<i32>, max: Option<i32>) -> RangeInclusive<Term> {
    Term::numbers(Kind::Year, min.map(i64::from), max.map(i64::from))
}

/// The term of vehicles in an open trade.
pub(crate) const fn in_open_trade() -> Term {
    Term::number(Kind::Public, 0)
}

/// The term of vehicles in a trade to which this customer and the vehicle's owner are parties.
pub(crate) fn party(customer: CustomerId) -> Term {
    Term::id(Kind::Audience, customer)
}

impl Vehicles {
    /// Inserts a new vehicle.
    pub(crate) fn insert(&mut self, id: VehicleId, vehicle: Vehicle, terms: &[Term]) {
        self.identify(id, &vehicle);
        self.rows.insert(id, vehicle, terms.iter().copied());
    }

    /// Replaces the value of a vehicle, and its terms.
    pub(crate) fn replace(&mut self, id: VehicleId, vehicle: Vehicle, terms: &[Term]) {
        self.forget_identity(id);
        self.identify(id, &vehicle);
        self.rows.replace_with(id, vehicle, terms);
    }

    /// Deletes a vehicle.
    pub(crate) fn erase(&mut self, id: VehicleId) {
        self.forget_identity(id);
        self.rows.erase(id);
    }

    fn identify(&mut self, id: VehicleId, vehicle: &Vehicle) {
        if let Some(identity) = &vehicle.identity {
            self.by_identity.insert(identity.clone(), id);
        }
    }

    fn forget_identity(&mut self, id: VehicleId) {
        if let Some(identity) = self.rows.get(id).and_then(|row| row.value.identity.as_ref()) {
            self.by_identity.remove(identity);
        }
    }

    /// Notes that a trade of the vehicle was opened.
    pub(crate) fn opened(&mut self, id: VehicleId, owner: CustomerId) {
        self.rows.index.insert(in_open_trade(), id);
        self.rows.index.insert(party(owner), id);
        self.rows.bump(id);
    }

    /// Notes that its trade is no longer open.
    pub(crate) fn closed(&mut self, id: VehicleId, counterparty: Option<CustomerId>) {
        self.rows.index.remove(in_open_trade(), id);
        if let Some(counterparty) = counterparty {
            self.rows.index.insert(party(counterparty), id);
        }
    }

    /// Changes its owner; `pairs` are the parties of each of its trades.
    pub(crate) fn transfer(&mut self, id: VehicleId, to: CustomerId, pairs: &[[CustomerId; 2]]) {
        let Some(row) = self.rows.get_mut(id) else { return };
        let from = std::mem::replace(&mut row.value.customer_id, to);
        row.bump();
        self.rows.retag(id, &[Term::id(Kind::Customer, from)], &[Term::id(Kind::Customer, to)]);
        let parties = |pair: &[CustomerId; 2]| pair.map(party);
        let all: Vec<Term> = pairs.iter().flat_map(parties).collect();
        let partners: Vec<Term> = pairs.iter().filter(|pair| pair.contains(&to)).flat_map(parties).collect();
        self.rows.retag(id, &all, &partners);
    }
}
