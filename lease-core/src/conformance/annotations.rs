//! What the company keeps with users, customers, vehicles and trades.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Handles;
use super::build::*;
use super::commits::Commits as _;
use super::race::{RACERS, ROUNDS, assert_one_took, together};
use super::world::World;
use crate::account::{AccountChange, CustomerChange};
use crate::decision::RowChange;
use crate::id::{CustomerId, Stored, TradeId, UserId, VehicleId};
use crate::lifecycle::TradeChanges;
use crate::model::*;
use crate::repository::*;

/// This external id, and metadata with every kind of value.
fn annotated(id: &str) -> Annotations {
    let everything = json!({
        "text": "line\n\"quoted\" \\ 🚗", "whole": -7, "large": u64::MAX, "part": 0.25, "yes": true, "nothing": null,
        "list": [1, [2, {"three": []}]], "": {"Straße": "ß"},
    });
    Annotations { external_id: Some(external_id(id)), metadata: metadata(&everything) }
}

fn external_id(text: &str) -> ExternalId {
    ExternalId::parse(text).unwrap()
}

fn metadata(value: &Value) -> Metadata {
    Metadata::parse(value.as_object().unwrap()).unwrap()
}

/// An object with which something is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Object {
    User(UserId),
    Customer(CustomerId),
    Vehicle(VehicleId),
    Trade(TradeId),
}

impl Object {
    /// A new user, and its customer.
    async fn user_and_customer(world: &World) -> [Self; 2] {
        let account = world.account(Role::Customer).await;
        [Self::User(account.user.id), Self::Customer(account.customer_id.unwrap())]
    }

    async fn vehicle(world: &World) -> Self {
        Self::Vehicle(world.vehicle(world.customer().await).await)
    }

    async fn trade(world: &World) -> Self {
        Self::Trade(world.trade(world.customer().await).await)
    }

    async fn set(self, world: &World, to: Annotations) -> Result<(), RepositoryError> {
        match self {
            Self::User(id) => set_user(world, id, to).await,
            Self::Customer(id) => {
                let row = world.store.find_customer(id).await?.unwrap();
                let value = Customer { annotations: to, ..row.value.value.clone() };
                world.store.commit_customer(&RowChange::update(&row, value)).await.map(drop)
            }
            Self::Vehicle(id) => {
                let row = world.load_vehicle(id).await;
                let value = Vehicle { annotations: to, ..row.value.vehicle.value };
                let change = RowChange::Update { id, expected: row.version, value };
                world.store.commit_vehicle(&change, None).await.map(drop)
            }
            Self::Trade(id) => {
                let version = world.load(TradeKey::Trade(id)).await.version;
                let changes = TradeChanges { annotations: Some(to), ..TradeChanges::default() };
                world.store.commit_trade(id, version, &changes, None).await.map(drop)
            }
        }
    }

    async fn read(self, world: &World) -> Annotations {
        match self {
            Self::User(id) => world.load_account(id).await.value.account.user.value.annotations,
            Self::Customer(id) => world.store.find_customer(id).await.unwrap().unwrap().value.value.annotations,
            Self::Vehicle(id) => world.load_vehicle(id).await.value.vehicle.value.annotations,
            Self::Trade(id) => world.load(TradeKey::Trade(id)).await.value.trade.value.annotations,
        }
    }

    /// The objects of this one's kind that a list finds by an external id.
    async fn found(self, world: &World, id: &str) -> Vec<Self> {
        let external_id = Some(external_id(id));
        match self {
            Self::User(_) => {
                let found = world.list_users(&UserFilter { external_id, ..UserFilter::default() }).await;
                found.iter().map(|row| Self::User(row.user.id)).collect()
            }
            Self::Customer(_) => {
                let found = world.list_customers(&CustomerFilter { external_id, ..CustomerFilter::default() }).await;
                found.iter().map(|row| Self::Customer(row.id)).collect()
            }
            Self::Vehicle(_) => {
                let found = world.list_vehicles(&VehicleFilter { external_id, ..VehicleFilter::default() }).await;
                found.iter().map(|row| Self::Vehicle(row.id)).collect()
            }
            Self::Trade(_) => {
                let found = world.list_trades(&TradeFilter { external_id, ..TradeFilter::default() }, base()).await;
                found.iter().map(|row| Self::Trade(row.id)).collect()
            }
        }
    }
}

async fn set_user(world: &World, id: UserId, to: Annotations) -> Result<(), RepositoryError> {
    let row = world.load_account(id).await;
    let change = AccountChange {
        id,
        expected: row.version,
        user: User { annotations: to, ..row.value.account.user.value },
        customer: CustomerChange::Keep,
        keep_token: None,
        needs_another_superuser: false,
    };
    world.store.commit_account(&change, None).await.map(drop)
}

/// Asserts that what is kept with a new object is read, replaced and removed.
async fn assert_kept(world: &World, object: Object) {
    assert_eq!(object.read(world).await, Annotations::default());
    let other = Annotations { external_id: None, metadata: metadata(&json!({"b": 1.5})) };
    for to in [annotated("Ä|1"), other, annotated("Ä|2"), Annotations::default()] {
        object.set(world, to.clone()).await.unwrap();
        assert_eq!(object.read(world).await, to);
    }
}

/// Asserts that of two objects of a kind one has an external id, by which a list finds it.
async fn assert_unique(world: &World, [first, second]: [Object; 2]) {
    first.set(world, annotated("one")).await.unwrap();
    assert_eq!(first.found(world, "One").await, [], "capitals and small letters differ");
    second.set(world, annotated("One")).await.unwrap();
    world.assert_taken(Guarantee::ExternalId, second.set(world, annotated("one"))).await;
    // It is free again once the first has another one.
    first.set(world, annotated("two")).await.unwrap();
    second.set(world, annotated("one")).await.unwrap();
    assert_eq!((first.found(world, "one").await, first.found(world, "two").await), (vec![second], vec![first]));
}

pub async fn what_is_kept_with_users_and_customers_is_read(store: Arc<dyn Repository>) {
    let world = World::new(store);
    for object in Object::user_and_customer(&world).await {
        assert_kept(&world, object).await;
    }
    let new = world.register(User { annotations: annotated("new"), ..user(world.number(), Role::Customer) }).await;
    assert_eq!(Object::User(new.user.id).read(&world).await, annotated("new"));
}

pub async fn what_is_kept_with_vehicles_is_read(store: Arc<dyn Repository>) {
    let world = World::new(store);
    assert_kept(&world, Object::vehicle(&world).await).await;
    let owner = world.customer().await;
    let new = world.vehicle_of(Vehicle { annotations: annotated("new"), ..vehicle(owner, world.number()) }).await;
    assert_eq!(Object::Vehicle(new).read(&world).await, annotated("new"));
}

pub async fn what_is_kept_with_trades_is_read(store: Arc<dyn Repository>) {
    let world = World::new(store);
    assert_kept(&world, Object::trade(&world).await).await;
    let (vehicle, service) = (world.vehicle(world.customer().await).await, world.service(ServiceKind::Sell).await);
    let mut opening = world.opening(vehicle, service).await;
    opening.trade.annotations = annotated("new");
    let new = world.store.open_trade(&opening, None).await.unwrap();
    assert_eq!(Object::Trade(new).read(&world).await, annotated("new"));
    let all: Vec<Stored<Trade>> = world.trades().await;
    assert_eq!(all[0].annotations, annotated("new"));
}

/// Users have external ids of their own, and customers too.
pub async fn an_external_id_belongs_to_one_user_and_to_one_customer(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let ([user_1, customer_1], [user_2, customer_2]) =
        (Object::user_and_customer(&world).await, Object::user_and_customer(&world).await);
    assert_unique(&world, [user_1, user_2]).await;
    assert_unique(&world, [customer_1, customer_2]).await;
    let again = new_user(User { annotations: annotated("one"), ..user(90, Role::Customer) });
    world.assert_taken(Guarantee::ExternalId, world.store.create_account(&again, None)).await;
}

/// A vehicle may have the one that a customer has.
pub async fn an_external_id_belongs_to_one_vehicle(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let [_, customer] = Object::user_and_customer(&world).await;
    customer.set(&world, annotated("one")).await.unwrap();
    assert_unique(&world, [Object::vehicle(&world).await, Object::vehicle(&world).await]).await;
    let again = RowChange::Create(Vehicle { annotations: annotated("one"), ..vehicle(world.customer().await, 90) });
    world.assert_taken(Guarantee::ExternalId, world.store.commit_vehicle(&again, None)).await;
}

/// A trade may have the one that a vehicle has.
pub async fn an_external_id_belongs_to_one_trade(store: Arc<dyn Repository>) {
    let world = World::new(store);
    Object::vehicle(&world).await.set(&world, annotated("one")).await.unwrap();
    assert_unique(&world, [Object::trade(&world).await, Object::trade(&world).await]).await;
}

pub async fn an_external_id_finds_what_the_viewer_may_see(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (owner, other) = (world.customer().await, world.customer().await);
    let trade = world.trade(owner).await;
    let vehicle = world.load(TradeKey::Trade(trade)).await.trade.vehicle_id;
    for object in [Object::Vehicle(vehicle), Object::Trade(trade)] {
        object.set(&world, annotated("one")).await.unwrap();
    }
    // Every condition must hold.
    let id = Some(external_id("one"));
    let vehicles =
        |customer_id, visible_to| VehicleFilter { customer_id, visible_to, external_id: id.clone(), ..VehicleFilter::default() };
    assert_eq!(world.list_vehicles(&vehicles(Some(other), None)).await, []);
    assert_eq!(world.list_vehicles(&vehicles(None, Some(other))).await.len(), 1, "it is on offer");
    assert_eq!(world.list_vehicles(&vehicles(Some(owner), Some(other))).await.len(), 1);
    world.cancel(trade).await;
    assert_eq!(world.list_vehicles(&vehicles(None, Some(other))).await, []);
    let trades = |visible_to| TradeFilter { visible_to, external_id: id.clone(), ..TradeFilter::default() };
    assert_eq!(world.list_trades(&trades(Some(other)), base()).await, []);
    assert_eq!(world.list_trades(&trades(Some(owner)), base()).await.len(), 1);
}

pub async fn a_user_may_have_no_address(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let without = |number| User { email: None, email_verified_at: None, ..user(number, Role::Customer) };
    let (first, second) = (world.register(without(1)).await, world.register(without(2)).await);
    assert_eq!(world.load_account(first.user.id).await.value.account.user.value, without(1));
    assert_eq!(world.store.find_login(&LoginName::new("")).await.unwrap(), None);
    // One can come later, and go.
    let change = |user, expected| AccountChange {
        id: second.user.id,
        expected,
        user,
        customer: CustomerChange::Keep,
        keep_token: None,
        needs_another_superuser: false,
    };
    let named = User { username: Username::parse("user-2").unwrap(), ..user(3, Role::Customer) };
    let version = world.load_account(second.user.id).await.version;
    world.store.commit_account(&change(named.clone(), version), None).await.unwrap();
    assert_eq!(world.store.find_login(&named.email.clone().unwrap().key()).await.unwrap().unwrap().user.id, second.user.id);
    world.store.commit_account(&change(without(2), version.next()), None).await.unwrap();
    assert_eq!(world.store.find_login(&named.email.unwrap().key()).await.unwrap(), None);
}

pub async fn one_of_many_gets_an_external_id(handles: Handles) {
    let world = World::new(handles);
    for round in 0..ROUNDS {
        let racers = (0..RACERS).map(|_| {
            let (store, user) = (world.handle(), user(world.number(), Role::Customer));
            let new = new_user(User { annotations: annotated(&format!("shared-{round}")), ..user });
            async move { store.create_account(&new, None).await }
        });
        assert_one_took(&together(racers).await, Guarantee::ExternalId);
    }
}
