//! A commit can be read back, and a commit that was decided on an outdated state is refused.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::build::*;
use super::commits::Commits as _;
use super::world::World;
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::id::{Entity, Stored, Version, Versioned};
use crate::model::*;
use crate::money::{Currency, Money};
use crate::repository::*;
use crate::wallet::{CardChange, DefaultCard, WalletChange};

/// The result of loading a row.
pub(super) fn written<T: Entity>(version: i64, id: T::Id, value: T) -> Versioned<Stored<T>> {
    Versioned { version: Version(version), value: Stored { id, value } }
}

pub async fn a_ping_is_answered(store: Arc<dyn Repository>) {
    store.ping().await.unwrap();
}

pub async fn every_field_of_a_vehicle_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (owner, other) = (world.customer().await, world.customer().await);
    let made = Vehicle {
        make: "Citroën".into(),
        color: "Noir métallisé".into(),
        mileage: Some(i64::MAX),
        license_plate: "AB-123".into(),
        description: "line\nline\ttab 'quote' \"double\" \\ %_ 🚗".into(),
        ..vehicle(owner, 1)
    };
    let id = world.vehicle_of(made.clone()).await;
    let read = world.load_vehicle(id).await;
    assert_eq!((read.version, &read.vehicle.value), (Version::FIRST, &made));
    assert_eq!(world.vehicles().await, [Stored { id, value: made.clone() }]);

    let value = Vehicle {
        make: "Škoda".into(),
        model: "Superb".into(),
        year: 1886,
        color: String::new(),
        mileage: None,
        license_plate: String::new(),
        description: String::new(),
        created_at: base() - tick(),
        ..vehicle(other, 2)
    };
    let change = RowChange::Update { id, expected: Version::FIRST, value: value.clone() };
    assert_eq!(world.store.commit_vehicle(&change, None).await.unwrap(), id);
    let read = world.load_vehicle(id).await;
    assert_eq!((read.version, &read.vehicle.value), (Version::FIRST.next(), &value));

    let change = RowChange::Delete { id, expected: read.version };
    assert_eq!(world.store.commit_vehicle(&change, None).await.unwrap(), id);
    assert_eq!(world.store.load_vehicle(id, Some(owner), base()).await.unwrap(), None);
    assert_eq!(world.vehicles().await, []);
}

pub async fn every_field_of_a_service_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let yen = Money::parse("999999999999", Currency::parse("JPY").unwrap()).unwrap();
    let dinar = Money::parse("0.125", Currency::parse("KWD").unwrap()).unwrap();
    let made = Service {
        name: "Full service".into(),
        invoice_on: InvoiceOn::Acceptance,
        bill_to: BillTo::Counterparty,
        fee: yen,
        payment_due_days: 365,
        description: "About it".into(),
        is_active: false,
        ..service(ServiceKind::Custom)
    };
    let id = world.service_of(made.clone()).await;
    assert_eq!(world.store.find_service(id).await.unwrap(), Some(written(1, id, made)));
    let mut version = Version::FIRST;
    let stored = |amount, code| Money::from_stored(amount, Currency::from_stored(code).unwrap()).unwrap();
    let (withdrawn, unknown) = (stored(Decimal::new(49, 0), "HRK"), stored(Decimal::new(1_234, 4), "XQQ"));
    let others = [(ServiceKind::Custom, withdrawn), (ServiceKind::Custom, unknown)];
    for (kind, fee) in [(ServiceKind::Lease, dinar), (ServiceKind::Sell, Money::zero(Currency::USD))].into_iter().chain(others) {
        let value = Service { fee, is_used: true, payment_due_days: 0, ..service(kind) };
        let change = RowChange::Update { id, expected: version, value: value.clone() };
        assert_eq!(world.store.commit_service(&change, None).await.unwrap(), id);
        version = version.next();
        let expected = written(version.0, id, value);
        assert_eq!(world.store.find_service(id).await.unwrap(), Some(expected));
    }
}

pub async fn ids_are_positive_and_ascend(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let owner = world.customer().await;
    let mut last = 0;
    for _ in 0..5 {
        let id = world.vehicle(owner).await;
        assert!(id.get() > last, "{id} follows {last}");
        last = id.get();
        // An id is never assigned twice, even if the newest row was deleted.
        let change = RowChange::Delete { id, expected: Version::FIRST };
        world.store.commit_vehicle(&change, None).await.unwrap();
    }
    let trade = world.trade(owner).await;
    let mut last = 0;
    for author in [owner, world.customer().await, world.customer().await] {
        let id = world.propose(trade, author).await.get();
        assert!(id > last, "{id} follows {last}");
        last = id;
    }
}

pub async fn a_row_that_does_not_exist_is_none(store: Arc<dyn Repository>) {
    assert_eq!(store.load_account(nobody()).await.unwrap(), None);
    assert_eq!(store.find_customer(nobody()).await.unwrap(), None);
    assert_eq!(store.load_wallet(WalletKey::Customer(nobody())).await.unwrap(), None);
    assert_eq!(store.load_wallet(WalletKey::Card(nobody())).await.unwrap(), None);
    assert_eq!(store.find_contact(nobody()).await.unwrap(), None);
    assert_eq!(store.find_lead(nobody()).await.unwrap(), None);
    assert_eq!(store.load_vehicle(nobody(), Some(nobody()), base()).await.unwrap(), None);
    assert_eq!(store.find_vehicle(&VehicleIdentity::Vin(vin(1))).await.unwrap(), None);
    assert_eq!(store.find_service(nobody()).await.unwrap(), None);
}

/// Versions that are outdated or in the future, and those of rows that never existed or were deleted.
pub async fn a_stale_version_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    let owner = account.customer_id.unwrap();
    let (car, work) = (world.vehicle(owner).await, world.service(ServiceKind::Sell).await);
    let (entry, prospect) = (world.contact(ContactOwner::Customer(owner)).await, world.lead(lead()).await);
    let gone = world.vehicle(owner).await;
    world.store.commit_vehicle(&RowChange::Delete { id: gone, expected: Version::FIRST }, None).await.unwrap();
    let (store, value) = (&world.store, vehicle(owner, 99));
    for id in [gone, nobody()] {
        let update = RowChange::Update { id, expected: Version::FIRST, value: value.clone() };
        world.assert_conflict(store.commit_vehicle(&update, None)).await;
        world.assert_conflict(store.commit_vehicle(&RowChange::Delete { id, expected: Version::FIRST }, None)).await;
    }
    for expected in [Version(0), Version(2)] {
        let update = RowChange::Update { id: car, expected, value: value.clone() };
        world.assert_conflict(store.commit_vehicle(&update, None)).await;
        world.assert_conflict(store.commit_vehicle(&RowChange::Delete { id: car, expected }, None)).await;

        let change = RowChange::Update { id: work, expected, value: service(ServiceKind::Lease) };
        world.assert_conflict(store.commit_service(&change, None)).await;

        let value = Contact { label: "new".into(), ..contact(ContactOwner::Customer(owner)) };
        let update = RowChange::Update { id: entry, expected, value };
        world.assert_conflict(store.commit_contact(&update, None)).await;
        world.assert_conflict(store.commit_contact(&RowChange::Delete { id: entry, expected }, None)).await;

        let update = RowChange::Update { id: prospect, expected, value: Lead { notes: "new".into(), ..lead() } };
        for lead in [update, RowChange::Delete { id: prospect, expected }] {
            let change = LeadChange { lead, contacts: ContactsOfLead::Keep };
            world.assert_conflict(store.commit_lead(&change, None)).await;
        }

        let card = CardChange::Create(credit_card(owner));
        let change = WalletChange { customer_id: owner, expected, card, others: DefaultCard::Keep };
        world.assert_conflict(store.commit_wallet(&change, None)).await;
    }
}

pub async fn services_are_seeded_into_an_empty_store_only(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let standard = [service(ServiceKind::Lease), service(ServiceKind::Sell)];
    assert!(!world.store.seed_services(&[]).await.unwrap(), "an empty list creates no services");
    assert!(world.store.seed_services(&standard).await.unwrap());
    assert!(!world.store.seed_services(&standard).await.unwrap());
    let mut names: Vec<_> = world.services().await.iter().map(|service| service.kind).collect();
    names.reverse();
    assert_eq!(names, [ServiceKind::Lease, ServiceKind::Sell]);
}
