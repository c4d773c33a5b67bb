use chrono::{DateTime, Datelike, Utc};

use crate::error::{Error, Refusal};
use crate::id::{CustomerId, VehicleId, Versioned};
use crate::input::{Field, FieldErrors, Form, UpdateMode, draft};
use crate::model::{Vehicle, Vin};
use crate::permission::{Act, Actor, Grant, Resource, can_view_vehicle};
use crate::repository::{Change, VehicleSnapshot};
use crate::text;

/// The year of the first motor car.
const FIRST_YEAR: i64 = 1886;

draft! {
    /// The fields for creating or updating a vehicle.
    pub struct VehicleDraft as VehicleInput {
        /// Vehicle identification number; no other vehicle on the platform may have it.
        pub vin: Field<String> as required VinInput,
        /// Manufacturer.
        pub make: Field<String> as required Name,
        /// Model.
        pub model: Field<String> as required Name,
        /// Model year, from 1886 to next year.
        pub year: Field<i64> as required ModelYear,
        /// Colour.
        pub color: Field<String> as nullable Line,
        /// Odometer reading.
        pub mileage: Field<i64> as nullable Mileage,
        /// License plate.
        pub license_plate: Field<String> as nullable Line,
        /// Anything else worth knowing.
        pub description: Field<String> as nullable FreeText,
    }
}

impl VehicleDraft {
    /// The VIN that it asks for, as far as it can be read.
    #[must_use]
    pub fn wanted_vin(&self) -> Option<Vin> {
        self.vin.given().and_then(|vin| Vin::parse(vin).ok())
    }
}

/// Makes a vehicle of the actor's. `vin_taken_by` is the vehicle that has the draft's VIN.
///
/// # Errors
/// [`Error::PermissionDenied`]; wrong fields.
pub fn create_vehicle(
    actor: &Actor,
    draft: &VehicleDraft,
    vin_taken_by: Option<VehicleId>,
    now: DateTime<Utc>,
) -> Result<Change<Vehicle>, Error> {
    let owner = actor.require_customer(Resource::Vehicle, Act::Create)?;
    Ok(Change::Create(read(draft, UpdateMode::Full, owner, None, vin_taken_by.is_some(), now)?))
}

/// Changes a vehicle: its owner or staff. What identifies it stays while a trade is live (spec 6.2).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; wrong fields; [`Refusal::VehicleInTrade`].
pub fn update_vehicle(
    snapshot: &Versioned<VehicleSnapshot>,
    actor: &Actor,
    draft: &VehicleDraft,
    mode: UpdateMode,
    vin_taken_by: Option<VehicleId>,
    now: DateTime<Utc>,
) -> Result<Change<Vehicle>, Error> {
    require_right(snapshot, actor, Act::Update)?;
    let stored = &snapshot.vehicle;
    let is_taken = vin_taken_by.is_some_and(|other| other != stored.id);
    let value = read(draft, mode, stored.customer_id, Some(stored), is_taken, now)?;
    let identity = |vehicle: &Vehicle| (vehicle.vin, vehicle.make.clone(), vehicle.model.clone(), vehicle.year);
    if snapshot.has_live_trade && identity(&value) != identity(stored) {
        return Err(Refusal::VehicleInTrade.into());
    }
    Ok(Change::Update { id: stored.id, expected: snapshot.version, value })
}

/// Erases a vehicle that was never traded.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`Refusal::VehicleInUse`].
pub fn delete_vehicle(snapshot: &Versioned<VehicleSnapshot>, actor: &Actor) -> Result<Change<Vehicle>, Error> {
    require_right(snapshot, actor, Act::Delete)?;
    if snapshot.was_traded {
        return Err(Refusal::VehicleInUse.into());
    }
    Ok(Change::Delete { id: snapshot.vehicle.id, expected: snapshot.version })
}

/// Passes where the actor may see the vehicle.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn visible_vehicle(snapshot: &VehicleSnapshot, actor: &Actor) -> Result<(), Error> {
    let sees = |customer| can_view_vehicle(customer, &snapshot.vehicle, snapshot.has_open_trade, snapshot.viewer_is_party);
    match actor.require(Resource::Vehicle, Act::Read)? {
        Grant::Own if !actor.customer().is_some_and(sees) => Err(Error::NotFound),
        _ => Ok(()),
    }
}

fn require_right(snapshot: &VehicleSnapshot, actor: &Actor, act: Act) -> Result<(), Error> {
    visible_vehicle(snapshot, actor)?;
    match actor.require(Resource::Vehicle, act)? {
        Grant::Own if actor.customer() != Some(snapshot.vehicle.customer_id) => Err(Error::PermissionDenied),
        _ => Ok(()),
    }
}

fn read(
    draft: &VehicleDraft,
    mode: UpdateMode,
    owner: CustomerId,
    current: Option<&Vehicle>,
    vin_is_taken: bool,
    now: DateTime<Utc>,
) -> Result<Vehicle, FieldErrors> {
    let mut form = Form::new(mode);
    let vin = form.required("vin", &draft.vin, current.map(|now| &now.vin), |vin| {
        let vin = Vin::parse(vin)?;
        if vin_is_taken { Err("A vehicle with that VIN already exists.".to_owned()) } else { Ok(vin) }
    });
    let make = form.required("make", &draft.make, current.map(|now| &now.make), |make| text::name(make));
    let model = form.required("model", &draft.model, current.map(|now| &now.model), |model| text::name(model));
    let next_year = i64::from(now.year()) + 1;
    let year = form.required("year", &draft.year, current.map(|now| &now.year), |year| {
        let in_range = (FIRST_YEAR..=next_year).contains(year);
        i32::try_from(*year).ok().filter(|_| in_range).ok_or_else(|| format!("The year must be {FIRST_YEAR} to {next_year}."))
    });
    let color = form.optional("color", &draft.color, current.map(|now| &now.color), String::new(), |color| text::line(color));
    let mileage = form.optional("mileage", &draft.mileage, current.map(|now| &now.mileage), None, |mileage| {
        if *mileage >= 0 { Ok(Some(*mileage)) } else { Err("The mileage may not be negative.") }
    });
    let plate =
        form.optional("license_plate", &draft.license_plate, current.map(|now| &now.license_plate), String::new(), |plate| {
            text::line(plate)
        });
    let description =
        form.optional("description", &draft.description, current.map(|now| &now.description), String::new(), |words| {
            text::free(words)
        });
    let (Some(vin), Some(make), Some(model), Some(year)) = (vin, make, model, year) else { return Err(form.errors) };
    let (Some(color), Some(mileage), Some(license_plate), Some(description)) = (color, mileage, plate, description) else {
        return Err(form.errors);
    };
    let created_at = current.map_or(now, |now| now.created_at);
    Ok(Vehicle { customer_id: owner, vin, make, model, year, color, mileage, license_plate, description, created_at })
}
