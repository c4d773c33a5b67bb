//! Vehicles (rule 6.2), and who may see them (chapter 2).

use lease_core::Error;
use lease_core::catalog::{
    LiveTrade, TakenBy, VehicleDraft, create_vehicle, delete_vehicle, require_visible_vehicle, update_vehicle,
};
use lease_core::decision::RowChange;
use lease_core::id::{VehicleId, Version};
use lease_core::input::UpdateMode;
use lease_core::model::{ChassisNumber, Vehicle, VehicleIdentity, Vin};
use lease_core::permission::Actor;
use serde_json::{Value, json};

use crate::support::*;

fn a_vehicle(fields: Value) -> Value {
    let json = json!({"vin": VIN, "make": "Skoda", "model": "Octavia", "year": 2020});
    with(json, fields)
}

fn create(fields: Value) -> Result<Vehicle, Error> {
    match create_vehicle(&customer(OWNER), &draft::<VehicleDraft>(a_vehicle(fields)), TakenBy::default(), now())?.changes.vehicle
    {
        RowChange::Create(vehicle) => Ok(vehicle),
        other => panic!("{other:?}"),
    }
}

fn taken(identity: Option<VehicleId>) -> TakenBy {
    TakenBy { identity, ..TakenBy::default() }
}

/// Rule 6.2: a vehicle belongs to the customer who creates it.
#[test]
fn a_vehicle_belongs_to_the_customer_who_creates_it() {
    let made = create(json!({"vin": VIN.to_lowercase(), "mileage": 5, "customer_id": 77, "id": 5})).unwrap();
    assert_eq!((made.vin().unwrap().as_str(), made.customer_id, made.mileage, made.created_at), (VIN, id(OWNER), Some(5), now()));
}

/// Rule 6.2: a VIN has 17 characters of its alphabet.
#[test]
fn a_vin_has_seventeen_characters_of_its_alphabet() {
    for good in [
        VIN,
        " wvwzzz1jzxw000001 ",
        "11111111111111111",
        "WVW ZZZ 1JZ XW 000001",
        "wvw-zzz-1jz-xw-000001",
        "*WVWZZZ1JZXW000001*",
        " * WVW-ZZZ1JZXW000001 * ",
        "WVWZZZ1JZ\u{a0}XW000001",
    ] {
        assert_eq!(Vin::parse(good).unwrap().as_str().len(), 17, "{good}");
    }
    let bad = [
        "",
        "WVWZZZ1JZXW00000",
        "WVWZZZ1JZXW0000011",
        "WVWZZZ1JZXW00000I",
        "OVWZZZ1JZXW000001",
        "WVWZZZ1JZXWQ00001",
        "WVWZZZ1JZ-W000001",
        "WVWZZZ1JZ*XW000001",
        "WVWZZZ1JZ/XW000001",
        "**",
        "WVWZZZ1JZ W000001",
        "ÄVWZZZ1JZXW00001",
        "WVWZZZ1JZXW00000\u{1}",
        "ſVWZZZ1JZXW00001",
    ];
    for vin in bad {
        assert!(Vin::parse(vin).is_err(), "{vin}");
        assert_eq!(wrong_fields(create(json!({"vin": vin}))), ["vin"], "{vin}");
    }
}

/// Rule 6.2: a VIN that is taken is a wrong field. The tests of the stores show that deleting the vehicle frees it.
#[test]
fn a_vin_belongs_to_one_vehicle() {
    let draft: VehicleDraft = draft(a_vehicle(json!({})));
    assert_eq!(draft.wanted_identity(), Some(VehicleIdentity::Vin(Vin::parse(VIN).unwrap())));
    assert_eq!(wrong_fields(create_vehicle(&customer(OWNER), &draft, taken(Some(id(9))), now())), ["vin"]);
    let update = |owner: Option<VehicleId>| {
        update_vehicle(&vehicle_snapshot(), &customer(OWNER), &draft, UpdateMode::Full, taken(owner), now())
    };
    assert_eq!(code(update(Some(id(1)))), "ok");
    assert_eq!(wrong_fields(update(Some(id(2)))), ["vin"]);
}

/// Rule 6.2: a chassis number has 5 to 20 letters, digits and hyphens, in capitals.
#[test]
fn a_chassis_number_has_five_to_twenty_characters() {
    let with_chassis = |number: &str| create(json!({"vin": null, "chassis_number": number}));
    for (good, kept) in [
        ("GJ7-123456", "GJ7-123456"),
        (" gj7-123456 ", "GJ7-123456"),
        ("12345", "12345"),
        ("A1234567890123456789", "A1234567890123456789"),
    ] {
        let made = with_chassis(good).unwrap();
        assert_eq!((made.vin(), made.chassis_number().map(ChassisNumber::as_str)), (None, Some(kept)), "{good}");
        assert!(made.search_text().starts_with(&format!(" {}", kept.to_lowercase())));
    }
    for bad in ["", "1234", "A12345678901234567890", "GJ7 123456", "GJ7*123456", "GJ7_123456", "ÄÄÄÄÄÄ", "GJ7–123456"] {
        assert_eq!(wrong_fields(with_chassis(bad)), ["chassis_number"], "{bad}");
    }
    let draft: VehicleDraft = draft(a_vehicle(json!({"vin": null, "chassis_number": "gj7-123456"})));
    assert_eq!(draft.wanted_identity(), Some(VehicleIdentity::Chassis(ChassisNumber::parse("GJ7-123456").unwrap())));
    assert_eq!(wrong_fields(create_vehicle(&customer(OWNER), &draft, taken(Some(id(9))), now())), ["chassis_number"]);
}

/// Rule 6.2: a vehicle has exactly one of VIN and chassis number, and may switch from one to the other.
#[test]
fn a_vehicle_has_either_a_vin_or_a_chassis_number() {
    let mut chassis = vehicle_snapshot();
    chassis.value.vehicle.value.identity = Some(VehicleIdentity::Chassis(ChassisNumber::parse("GJ7-123456").unwrap()));
    let mut neither = vehicle_snapshot();
    neither.value.vehicle.value.identity = None;
    let number = "GJ7-123456";
    let cases = [
        (None, json!({"vin": null}), vec!["vin"]),
        (None, json!({"vin": null, "chassis_number": null}), vec!["vin"]),
        (None, json!({"vin": VIN, "chassis_number": number}), vec!["chassis_number"]),
        (None, json!({"vin": "x", "chassis_number": number}), vec!["vin"]),
        (None, json!({"vin": VIN, "chassis_number": "x"}), vec!["chassis_number"]),
        (Some(vehicle_snapshot()), json!({"vin": null}), vec!["vin"]),
        (Some(vehicle_snapshot()), json!({"chassis_number": number}), vec!["chassis_number"]),
        (Some(vehicle_snapshot()), json!({"vin": null, "chassis_number": number}), vec![]),
        (Some(vehicle_snapshot()), json!({"chassis_number": null}), vec![]),
        (Some(chassis.clone()), json!({"vin": VIN}), vec!["chassis_number"]),
        (Some(chassis.clone()), json!({"vin": VIN, "chassis_number": null}), vec![]),
        (Some(chassis.clone()), json!({"chassis_number": null}), vec!["vin"]),
        (Some(chassis), json!({"color": "blue"}), vec![]),
        (Some(neither.clone()), json!({"color": "blue"}), vec![]),
        (Some(neither.clone()), json!({"vin": VIN}), vec![]),
        (Some(neither.clone()), json!({"chassis_number": number}), vec![]),
    ];
    for (stored, json, wrong) in cases {
        let outcome = match stored {
            None => create(json.clone()),
            Some(stored) => {
                let changed = update_vehicle(
                    &stored,
                    &customer(OWNER),
                    &draft(json.clone()),
                    UpdateMode::Partial,
                    TakenBy::default(),
                    now(),
                );
                changed.map(|decision| decision.changes.vehicle.value().unwrap().clone())
            }
        };
        match outcome {
            Ok(_) if wrong.is_empty() => {}
            outcome => assert_eq!(wrong_fields(outcome), wrong, "{json}"),
        }
    }
    let replaced = update_vehicle(
        &neither,
        &customer(OWNER),
        &draft(json!({"make": "VW", "model": "Golf", "year": 1999})),
        UpdateMode::Full,
        TakenBy::default(),
        now(),
    );
    assert_eq!(wrong_fields(replaced), ["vin"], "PUT names one");
}

/// Rule 6.2: a model year is from 1886 to next year, in UTC.
#[test]
fn the_model_year_is_from_1886_to_next_year() {
    for (year, is_good) in
        [(1885, false), (1886, true), (2026, true), (2027, true), (2028, false), (i64::MAX, false), (-1, false)]
    {
        assert_eq!(create(json!({"year": year})).is_ok(), is_good, "{year}");
    }
    let new_year = |text| {
        let draft: VehicleDraft = draft(a_vehicle(json!({"year": 2028})));
        code(create_vehicle(&customer(OWNER), &draft, TakenBy::default(), instant(text)))
    };
    assert_eq!(new_year("2026-12-31T23:59:59.999999Z"), "validation_error");
    assert_eq!(new_year("2027-01-01T00:00:00Z"), "ok");
}

/// Rule 6.2: mileage is not negative.
#[test]
fn mileage_is_not_below_zero() {
    for (mileage, is_good) in
        [(json!(-1), false), (json!(0), true), (json!(null), true), (json!("5"), false), (json!(1.5), false)]
    {
        assert_eq!(create(json!({"mileage": mileage})).is_ok(), is_good, "{mileage}");
    }
}

/// Rule 6.2: VIN, make, model and year are fixed while a trade is open or agreed.
#[test]
fn the_identifying_fields_of_a_vehicle_are_fixed_while_a_trade_is_live() {
    let mut live = vehicle_snapshot();
    live.value.live_trade = Some(open_trade());
    let update =
        |json: Value| code(update_vehicle(&live, &customer(OWNER), &draft(json), UpdateMode::Partial, TakenBy::default(), now()));
    let other = "WVWZZZ1JZXW000002";
    let switched = json!({"vin": null, "chassis_number": "GJ7-123456"});
    for json in [json!({"vin": other}), switched, json!({"make": "VW"}), json!({"model": "Fabia"}), json!({"year": 2021})] {
        assert_eq!(update(json.clone()), "vehicle_in_trade", "{json}");
        let idle =
            update_vehicle(&vehicle_snapshot(), &customer(OWNER), &draft(json), UpdateMode::Partial, TakenBy::default(), now());
        assert_eq!(code(idle), "ok");
    }
    assert_eq!(update(json!({"mileage": 7, "color": "blue", "license_plate": "B", "description": "d"})), "ok");
    assert_eq!(update(a_vehicle(json!({"color": null}))), "ok", "the same again is no change");
    assert_eq!(update(json!({"make": "VW", "year": 1})), "validation_error", "fields before the state");
}

/// Rule 4.13: nothing of a vehicle changes under a bid, or once a trade of it is agreed; what changes nothing is no change.
#[test]
fn every_field_of_a_vehicle_is_fixed_under_a_bid() {
    let in_trade = |trade| {
        let mut vehicle = vehicle_snapshot();
        vehicle.value.live_trade = Some(trade);
        move |json: Value| {
            let changed =
                update_vehicle(&vehicle, &customer(OWNER), &draft(json.clone()), UpdateMode::Partial, TakenBy::default(), now());
            let by_staff = update_vehicle(&vehicle, &staff(), &draft(json), UpdateMode::Partial, TakenBy::default(), now());
            assert_eq!(changed.is_ok(), by_staff.is_ok(), "staff may no more than the owner");
            changed.map(|decision| decision.changes.offered_in)
        }
    };
    let free = in_trade(open_trade());
    let under_a_bid = in_trade(LiveTrade { has_bid: true, ..open_trade() });
    let agreed = in_trade(LiveTrade { is_open: false, ..open_trade() });
    for json in [json!({"mileage": 7}), json!({"color": "blue"}), json!({"license_plate": "B"}), json!({"description": "d"})] {
        assert_eq!(free(json.clone()).unwrap(), Some((id(1), Version::FIRST)), "the trade offers the new value");
        assert_eq!(code(under_a_bid(json.clone())), "vehicle_in_trade", "{json}");
        assert_eq!(code(agreed(json.clone())), "vehicle_in_trade", "{json}");
    }
    for trade in [free, under_a_bid, agreed] {
        assert_eq!(trade(json!({"color": "red", "mileage": 10_000})).unwrap(), None, "the trade is left alone");
    }
}

/// Rule 6.2: a vehicle that has ever been in a trade cannot be deleted.
#[test]
fn a_vehicle_that_was_traded_is_not_deleted() {
    let mut snapshot = vehicle_snapshot();
    let deleted = delete_vehicle(&snapshot, &customer(OWNER)).unwrap().changes;
    assert_eq!(deleted.vehicle, RowChange::Delete { id: id(1), expected: snapshot.version });
    snapshot.value.was_traded = true;
    assert_eq!(code(delete_vehicle(&snapshot, &customer(OWNER))), "vehicle_in_use");
}

/// Chapter 2: customers see their own vehicles, those in an open trade, and those in a trade to which they are a party.
#[test]
fn a_vehicle_is_seen_and_changed_by_the_right_customers() {
    let hidden = vehicle_snapshot();
    let mut offered = vehicle_snapshot();
    offered.value.live_trade = Some(open_trade());
    let mut partys = vehicle_snapshot();
    partys.value.viewer_is_party = true;
    let cases = [
        (&hidden, Actor::Anonymous, "not_authenticated", "not_authenticated", "not_authenticated"),
        (&hidden, customer(OWNER), "ok", "ok", "ok"),
        (&hidden, customer(BUYER), "not_found", "not_found", "not_found"),
        (&offered, customer(BUYER), "ok", "permission_denied", "permission_denied"),
        (&partys, customer(BUYER), "ok", "permission_denied", "permission_denied"),
        (&hidden, staff(), "ok", "ok", "permission_denied"),
        (&hidden, superuser(), "ok", "ok", "permission_denied"),
    ];
    for (snapshot, actor, read, update, delete) in cases {
        assert_eq!(code(require_visible_vehicle(snapshot, &actor)), read, "{actor:?}");
        let new = draft(json!({"color": "blue"}));
        assert_eq!(
            code(update_vehicle(snapshot, &actor, &new, UpdateMode::Partial, TakenBy::default(), now())),
            update,
            "{actor:?}"
        );
        assert_eq!(code(delete_vehicle(snapshot, &actor)), delete, "{actor:?}");
    }
    for (actor, expected) in [(Actor::Anonymous, "not_authenticated"), (staff(), "permission_denied")] {
        assert_eq!(code(create_vehicle(&actor, &draft(a_vehicle(json!({}))), TakenBy::default(), now())), expected);
    }
}

/// A change by staff keeps the owner and the creation time of the vehicle.
#[test]
fn staff_change_a_vehicle_but_not_its_owner() {
    let snapshot = vehicle_snapshot();
    let json = json!({"color": "blue", "customer_id": 77});
    let RowChange::Update { value, .. } =
        update_vehicle(&snapshot, &staff(), &draft(json), UpdateMode::Partial, TakenBy::default(), now())
            .unwrap()
            .changes
            .vehicle
    else {
        panic!("an update")
    };
    assert_eq!(value, Vehicle { color: "blue".into(), ..snapshot.vehicle.value.clone() });
}

/// Rule 6.6: all wrong fields are reported at once.
#[test]
fn every_wrong_field_of_a_vehicle_is_named_at_once() {
    let json = json!({"vin": 1, "make": "", "model": null, "year": "x", "mileage": -1, "color": "a\u{0}", "license_plate": [],
        "description": "x".repeat(4_001)});
    let expected = ["color", "description", "license_plate", "make", "mileage", "model", "vin", "year"];
    assert_eq!(wrong_fields(create(json)), expected);
}
