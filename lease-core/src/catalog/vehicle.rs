use chrono::{DateTime, Datelike, Utc};
use serde_json::{Map, Value};

use crate::annotating::AnnotationsDraft;
use crate::decision::{Decision, RowChange};
use crate::error::{Error, Refusal};
use crate::event::{Audience, Event, EventType, IdRef, NewRow};
use crate::id::{CustomerId, Stored, TradeId, VehicleId, Version, Versioned};
use crate::input::{Field, FieldErrors, Form, Invalid, UpdateMode, draft};
use crate::model::limits::FIRST_MODEL_YEAR;
use crate::model::{ChassisNumber, OfferedVehicle, Vehicle, VehicleIdentity, Vin};
use crate::permission::{Act, Actor, Resource, can_view_vehicle};
use crate::text;

/// The snapshot that a decision about a vehicle reads.
#[derive(Clone, Debug, PartialEq)]
pub struct VehicleSnapshot {
    /// The vehicle.
    pub vehicle: Stored<Vehicle>,
    /// Its trade that is open or agreed.
    pub live_trade: Option<LiveTrade>,
    /// Whether any trade of it was ever opened.
    pub was_traded: bool,
    /// Whether the viewer is a party of a trade of it, and its owner is a party of the same trade.
    pub viewer_is_party: bool,
}

/// The trade of a vehicle that is open or agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveTrade {
    /// The trade.
    pub id: TradeId,
    /// Its version.
    pub version: Version,
    /// Whether it is open to proposals.
    pub is_open: bool,
    /// Whether the user of its owner is active.
    pub owner_is_active: bool,
    /// Whether a proposal of another than its owner is pending in it, and has not expired at the load's `now`.
    pub has_bid: bool,
}

impl VehicleSnapshot {
    /// Whether this customer may see the vehicle.
    pub(crate) fn is_visible_to(&self, viewer: CustomerId) -> bool {
        let is_on_offer = self.live_trade.is_some_and(|trade| trade.is_open && trade.owner_is_active);
        can_view_vehicle(viewer, &self.vehicle, is_on_offer, self.viewer_is_party)
    }
}

/// A change to a vehicle.
#[derive(Clone, Debug, PartialEq)]
pub struct VehicleChange {
    /// The vehicle.
    pub vehicle: RowChange<Vehicle>,
    /// The trade that offers it, and the version on which the change was decided: it offers the new value from now on, and its
    /// version increases by one. So a proposal or an acceptance that was decided on what was offered before is a conflict.
    pub offered_in: Option<(TradeId, Version)>,
}

impl From<RowChange<Vehicle>> for VehicleChange {
    /// The change to a vehicle that no trade offers.
    fn from(vehicle: RowChange<Vehicle>) -> Self {
        Self { vehicle, offered_in: None }
    }
}

draft! {
    /// The fields for creating or updating a vehicle.
    pub struct VehicleDraft as VehicleInput {
        /// Vehicle identification number; no other vehicle on the platform may have it.
        pub vin: Field<String> as nullable VinInput like "1HGCM82633A004352",
        /// Chassis number, for a vehicle without a VIN; no other vehicle on the platform may have it.
        pub chassis_number: Field<String> as nullable ChassisNumberInput,
        /// Manufacturer.
        pub make: Field<String> as required Name like "Honda",
        /// Model.
        pub model: Field<String> as required Name like "Accord",
        /// Model year, from 1886 to next year.
        pub year: Field<i64> as required ModelYear like 2003,
        /// Colour.
        pub color: Field<String> as nullable Line like "Silver",
        /// Odometer reading.
        pub mileage: Field<i64> as nullable Mileage like 88_000,
        /// License plate.
        pub license_plate: Field<String> as nullable Line like "7ABC123",
        /// Anything else worth knowing.
        pub description: Field<String> as nullable FreeText like "One owner, serviced every year.",
        /// What another system calls the vehicle; unique.
        pub external_id: Field<String> as annotation ExternalIdInput,
        /// What the company keeps with the vehicle.
        pub metadata: Field<Map<String, Value>> as annotation MetadataInput,
    }
}

impl VehicleDraft {
    pub(crate) const fn annotations(&self) -> AnnotationsDraft<'_> {
        AnnotationsDraft { external_id: &self.external_id, metadata: &self.metadata }
    }

    /// The VIN or the chassis number in the draft, if it is given and valid.
    #[must_use]
    pub fn wanted_identity(&self) -> Option<VehicleIdentity> {
        let vin = self.vin.given().and_then(|vin| Vin::parse(vin).ok()).map(VehicleIdentity::Vin);
        vin.or_else(|| {
            self.chassis_number.given().and_then(|number| ChassisNumber::parse(number).ok()).map(VehicleIdentity::Chassis)
        })
    }
}

/// The vehicles that already have what a draft gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenBy {
    /// The one that has its VIN or chassis number.
    pub identity: Option<VehicleId>,
    /// The one that has its external id.
    pub external_id: Option<VehicleId>,
}

impl TakenBy {
    /// What is taken by others than this vehicle.
    fn others(self, own: VehicleId) -> Self {
        let other = |id: &VehicleId| *id != own;
        Self { identity: self.identity.filter(other), external_id: self.external_id.filter(other) }
    }
}

/// Creates a vehicle that belongs to the actor.
///
/// # Errors
/// [`Error::PermissionDenied`]; invalid fields.
pub fn create_vehicle(
    actor: &Actor,
    draft: &VehicleDraft,
    taken: TakenBy,
    now: DateTime<Utc>,
) -> Result<Decision<VehicleChange>, Error> {
    let owner = actor.require_customer(Resource::Vehicle, Act::Create)?;
    let vehicle = read(draft, UpdateMode::Full, owner, None, taken, now)?;
    let event = vehicle_event(EventType::VehicleCreated, NewRow::Vehicle, owner);
    Ok(Decision::new(RowChange::Create(vehicle).into(), [event]))
}

/// Changes a vehicle. Its owner and staff may do so. While a trade of it is open or agreed, the fields that identify it cannot
/// change (rule 6.2), and nothing at all while it is agreed or another customer's proposal is pending (rule 4.13).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; invalid fields; [`Refusal::VehicleInTrade`].
pub fn update_vehicle(
    snapshot: &Versioned<VehicleSnapshot>,
    actor: &Actor,
    draft: &VehicleDraft,
    mode: UpdateMode,
    taken: TakenBy,
    now: DateTime<Utc>,
) -> Result<Decision<VehicleChange>, Error> {
    require_act_on_vehicle(snapshot, actor, Act::Update)?;
    let stored = &snapshot.vehicle;
    let value = read(draft, mode, stored.customer_id, Some(stored), taken.others(stored.id), now)?;
    let changes_offer = OfferedVehicle::from(&value) != OfferedVehicle::from(&stored.value);
    let offered_in = snapshot.live_trade.filter(|_| changes_offer);
    if offered_in.is_some_and(|trade| is_fixed(trade, stored, &value)) {
        return Err(Refusal::VehicleInTrade.into());
    }
    let updated = || vehicle_event(EventType::VehicleUpdated, stored.id, stored.customer_id);
    let events =
        [updated().changing(&stored.value, &value).if_changed(), updated().annotating(&stored.annotations, &value.annotations)];
    let vehicle = RowChange::Update { id: stored.id, expected: snapshot.version, value };
    let change = VehicleChange { vehicle, offered_in: offered_in.map(|trade| (trade.id, trade.version)) };
    Ok(Decision::new(change, events.into_iter().flatten()))
}

/// Whether this trade of a vehicle forbids this change to it.
fn is_fixed(trade: LiveTrade, before: &Vehicle, after: &Vehicle) -> bool {
    let identity = |vehicle: &Vehicle| (vehicle.identity.clone(), vehicle.make.clone(), vehicle.model.clone(), vehicle.year);
    !trade.is_open || trade.has_bid || identity(before) != identity(after)
}

/// Deletes a vehicle that was never traded.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`]; [`Refusal::VehicleInUse`].
pub fn delete_vehicle(snapshot: &Versioned<VehicleSnapshot>, actor: &Actor) -> Result<Decision<VehicleChange>, Error> {
    require_act_on_vehicle(snapshot, actor, Act::Delete)?;
    if snapshot.was_traded {
        return Err(Refusal::VehicleInUse.into());
    }
    let vehicle = &snapshot.vehicle;
    let change = RowChange::Delete { id: vehicle.id, expected: snapshot.version };
    Ok(Decision::new(change.into(), [vehicle_event(EventType::VehicleDeleted, vehicle.id, vehicle.customer_id)]))
}

fn vehicle_event(event_type: EventType, id: impl Into<IdRef>, owner: CustomerId) -> Event {
    Event::new(event_type, id, Audience::customer(owner)).id("customer_id", owner)
}

/// Succeeds if the actor may see the vehicle.
///
/// # Errors
/// [`Error::NotAuthenticated`], [`Error::NotFound`].
pub fn require_visible_vehicle(snapshot: &VehicleSnapshot, actor: &Actor) -> Result<(), Error> {
    actor.require_view(Resource::Vehicle, |customer| snapshot.is_visible_to(customer))
}

fn require_act_on_vehicle(snapshot: &VehicleSnapshot, actor: &Actor, act: Act) -> Result<(), Error> {
    require_visible_vehicle(snapshot, actor)?;
    actor.require_own(Resource::Vehicle, act, |customer| customer == snapshot.vehicle.customer_id)
}

fn read(
    draft: &VehicleDraft,
    mode: UpdateMode,
    owner: CustomerId,
    current: Option<&Vehicle>,
    taken: TakenBy,
    now: DateTime<Utc>,
) -> Result<Vehicle, FieldErrors> {
    let mut form = Form::new(mode);
    let identity = read_identity(&mut form, draft, current, taken.identity.is_some());
    let make = form.required("make", &draft.make, current.map(|now| &now.make), |make| text::name(make));
    let model = form.required("model", &draft.model, current.map(|now| &now.model), |model| text::name(model));
    let next_year = i64::from(now.year()) + 1;
    let year = form.required("year", &draft.year, current.map(|now| &now.year), |year| {
        let in_range = (FIRST_MODEL_YEAR..=next_year).contains(year);
        i32::try_from(*year).ok().filter(|_| in_range).ok_or(Invalid::ModelYear { min: FIRST_MODEL_YEAR, max: next_year })
    });
    let color = form.optional("color", &draft.color, current.map(|now| &now.color), String::new(), |color| text::line(color));
    let mileage = form.optional("mileage", &draft.mileage, current.map(|now| &now.mileage), None, |mileage| {
        if *mileage >= 0 { Ok(Some(*mileage)) } else { Err(Invalid::MileageNegative) }
    });
    let plate =
        form.optional("license_plate", &draft.license_plate, current.map(|now| &now.license_plate), String::new(), |plate| {
            text::line(plate)
        });
    let description =
        form.optional("description", &draft.description, current.map(|now| &now.description), String::new(), |words| {
            text::free(words)
        });
    let known = current.map(|now| &now.annotations);
    let annotations = draft.annotations().read(&mut form, known, "vehicle", taken.external_id.is_some());
    let (Some(identity), Some(make), Some(model), Some(year)) = (identity, make, model, year) else { return Err(form.errors) };
    let (Some(color), Some(mileage), Some(license_plate), Some(description), Some(annotations)) =
        (color, mileage, plate, description, annotations)
    else {
        return Err(form.errors);
    };
    Ok(Vehicle {
        customer_id: owner,
        identity,
        make,
        model,
        year,
        color,
        mileage,
        license_plate,
        description,
        created_at: current.map_or(now, |now| now.created_at),
        annotations,
    })
}

/// Reads the VIN or the chassis number: exactly one of them is given, or stays. A change that names neither leaves a vehicle that
/// has neither as it is.
#[expect(clippy::option_option, reason = "the outer one says whether the fields are valid, as for every field of a form")]
fn read_identity(
    form: &mut Form,
    draft: &VehicleDraft,
    current: Option<&Vehicle>,
    is_taken: bool,
) -> Option<Option<VehicleIdentity>> {
    let kept = current.filter(|_| form.mode == UpdateMode::Partial);
    let vin = form.optional("vin", &draft.vin, kept.map(Vehicle::vin).as_ref(), None, |vin| {
        let vin = Vin::parse(vin)?;
        if is_taken { Err(Invalid::Taken { kind: "vehicle", field: "vin" }) } else { Ok(Some(vin)) }
    });
    let chassis = kept.map(|now| now.chassis_number().cloned());
    let chassis = form.optional("chassis_number", &draft.chassis_number, chassis.as_ref(), None, |number| {
        let number = ChassisNumber::parse(number)?;
        if is_taken { Err(Invalid::Taken { kind: "vehicle", field: "chassis_number" }) } else { Ok(Some(number)) }
    });
    match (vin?, chassis?) {
        (Some(vin), None) => Some(Some(VehicleIdentity::Vin(vin))),
        (None, Some(number)) => Some(Some(VehicleIdentity::Chassis(number))),
        (Some(_), Some(_)) => form.wrong("chassis_number", Invalid::TwoIdentities),
        (None, None) if kept.is_some_and(|now| now.identity.is_none()) => Some(None),
        (None, None) => form.wrong("vin", Invalid::NoIdentity),
    }
}
