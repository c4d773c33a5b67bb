//! Contacts, and leads with the changes to their contacts.

use std::sync::Arc;

use super::build::*;
use super::commit::written;
use super::commits::Commits as _;
use super::world::World;
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::id::Version;
use crate::model::*;
use crate::repository::*;

pub async fn every_field_of_a_contact_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (customer, lead_id) = (world.customer().await, world.lead(lead()).await);
    let made = Contact {
        owner: ContactOwner::Lead(lead_id),
        label: "a".into(),
        name: "b".into(),
        email: "c".into(),
        phone: "d".into(),
        address_line1: "e".into(),
        address_line2: "f".into(),
        city: "g".into(),
        state: "h".into(),
        postal_code: "i".into(),
        country: "j".into(),
        created_at: at(1),
    };
    let id = world.store.commit_contact(&RowChange::Create(made.clone()), None).await.unwrap();
    assert_eq!(world.store.find_contact(id).await.unwrap(), Some(written(1, id, made)));

    let value = contact(ContactOwner::Customer(customer));
    let change = RowChange::Update { id, expected: Version::FIRST, value: value.clone() };
    assert_eq!(world.store.commit_contact(&change, None).await.unwrap(), id);
    assert_eq!(world.store.find_contact(id).await.unwrap(), Some(written(2, id, value)));

    let change = RowChange::Delete { id, expected: Version::FIRST.next() };
    assert_eq!(world.store.commit_contact(&change, None).await.unwrap(), id);
    assert_eq!(world.store.find_contact(id).await.unwrap(), None);
}

pub async fn every_field_of_a_lead_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let customer = world.customer().await;
    let made = Lead {
        first_name: "a".into(),
        last_name: "b".into(),
        email: "c".into(),
        phone: "d".into(),
        company: "e".into(),
        source: "f".into(),
        state: LeadState::Qualified,
        notes: "g".into(),
        created_at: at(1),
    };
    let id = world.lead(made.clone()).await;
    assert_eq!(world.store.find_lead(id).await.unwrap(), Some(written(1, id, made)));

    let states = [LeadState::New, LeadState::Contacted, LeadState::Lost, LeadState::Converted(customer)];
    let mut version = Version::FIRST;
    for state in states {
        let value = Lead { state, ..lead() };
        let update = RowChange::Update { id, expected: version, value: value.clone() };
        let change = LeadChange { lead: update, contacts: ContactsOfLead::Keep };
        assert_eq!(world.store.commit_lead(&change, None).await.unwrap(), id);
        version = version.next();
        let expected = written(version.0, id, value);
        assert_eq!(world.store.find_lead(id).await.unwrap(), Some(expected));
    }
    let change = LeadChange { lead: RowChange::Delete { id, expected: version }, contacts: ContactsOfLead::Delete };
    assert_eq!(world.store.commit_lead(&change, None).await.unwrap(), id);
    assert_eq!(world.store.find_lead(id).await.unwrap(), None);
}

pub async fn a_contact_needs_an_owner_that_exists(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.contact(ContactOwner::Customer(world.customer().await)).await;
    for owner in [ContactOwner::Customer(nobody()), ContactOwner::Lead(nobody())] {
        world.assert_conflict(world.store.commit_contact(&RowChange::Create(contact(owner)), None)).await;
        let update = RowChange::Update { id, expected: Version::FIRST, value: contact(owner) };
        world.assert_conflict(world.store.commit_contact(&update, None)).await;
    }
}

pub async fn converting_a_lead_moves_its_contacts_and_no_others(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (customer, id, other) = (world.customer().await, world.lead(lead()).await, world.lead(lead()).await);
    let moved = [world.contact(ContactOwner::Lead(id)).await, world.contact(ContactOwner::Lead(id)).await];
    let kept = world.contact(ContactOwner::Lead(other)).await;
    let value = Lead { state: LeadState::Converted(customer), ..lead() };
    let update = RowChange::Update { id, expected: Version::FIRST, value: value.clone() };
    let change = LeadChange { lead: update, contacts: ContactsOfLead::MoveTo(customer) };
    world.store.commit_lead(&change, None).await.unwrap();
    assert_eq!(world.store.find_lead(id).await.unwrap(), Some(written(2, id, value)));
    for contact_id in moved {
        let value = contact(ContactOwner::Customer(customer));
        assert_eq!(world.store.find_contact(contact_id).await.unwrap(), Some(written(2, contact_id, value)));
    }
    let value = contact(ContactOwner::Lead(other));
    assert_eq!(world.store.find_contact(kept).await.unwrap(), Some(written(1, kept, value)));
}

pub async fn a_lead_is_deleted_together_with_its_contacts_or_not_at_all(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (id, other) = (world.lead(lead()).await, world.lead(lead()).await);
    let erased = world.contact(ContactOwner::Lead(id)).await;
    let kept = world.contact(ContactOwner::Lead(other)).await;
    let delete = |contacts| LeadChange { lead: RowChange::Delete { id, expected: Version::FIRST }, contacts };
    world.assert_conflict(world.store.commit_lead(&delete(ContactsOfLead::Keep), None)).await;
    world.store.commit_lead(&delete(ContactsOfLead::Delete), None).await.unwrap();
    assert_eq!(world.store.find_contact(erased).await.unwrap(), None);
    assert!(world.store.find_contact(kept).await.unwrap().is_some());
}

/// Rule 10.2: what lists and histories refer to is shown by its name.
pub async fn objects_are_called_by_their_names(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let person = User { first_name: "Ada".into(), last_name: "Lovelace".into(), ..user(world.number(), Role::Customer) };
    let Account { user, customer_id } = world.register(person).await;
    let customer = customer_id.unwrap();
    let other = world.customer().await;
    let service = world.service(ServiceKind::Sell).await;
    let car = world.vehicle(customer).await;
    let trade = world.open(car, service).await;
    let (title, vehicle) =
        (world.load(TradeKey::Trade(trade)).await.value.trade.value.title, world.load_vehicle(car).await.value.vehicle.value);
    let name = world.store.find_service(service).await.unwrap().unwrap().value.value.name;
    let words = |words: [&str; 3]| words.map(str::to_owned);
    let expected = [
        (Named::User(user.id), words([user.username.as_str(), "", ""])),
        (Named::Customer(customer), words(["Ada", "Lovelace", ""])),
        (Named::Vehicle(car), words([&vehicle.make, &vehicle.model, ""])),
        (Named::Service(service), words([&name, "", ""])),
        (Named::Trade(trade), words([&title, &vehicle.make, &vehicle.model])),
    ];
    let asked: Vec<Named> = expected.iter().map(|(named, _)| *named).chain([Named::Trade(nobody())]).collect();
    let mut found = world.store.names(&asked).await.unwrap();
    found.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(world.store.names(&[Named::Customer(other)]).await.unwrap().len(), 1);
    assert_eq!(world.store.names(&[Named::Vehicle(nobody())]).await.unwrap(), []);
}
