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

/// One object of each kind.
struct Objects<'w> {
    world: &'w World,
    user: UserId,
    customer: CustomerId,
    vehicle: VehicleId,
    trade: TradeId,
}

impl<'w> Objects<'w> {
    async fn new(world: &'w World) -> Self {
        let account = world.account(Role::Customer).await;
        let customer = account.customer_id.unwrap();
        let vehicle = world.vehicle(customer).await;
        let service = world.service(ServiceKind::Sell).await;
        let trade = world.open(vehicle, service).await;
        Self { user: account.user.id, customer, vehicle, trade, world }
    }

    async fn set_user(&self, to: Annotations) -> Result<(), RepositoryError> {
        let row = self.world.load_account(self.user).await;
        let change = AccountChange {
            id: self.user,
            expected: row.version,
            user: User { annotations: to, ..row.value.account.user.value },
            customer: CustomerChange::Keep,
            keep_token: None,
            needs_another_superuser: false,
        };
        self.world.store.commit_account(&change, None).await.map(drop)
    }

    async fn set_customer(&self, to: Annotations) -> Result<(), RepositoryError> {
        let row = self.world.store.find_customer(self.customer).await?.unwrap();
        let value = Customer { annotations: to, ..row.value.value.clone() };
        self.world.store.commit_customer(&RowChange::update(&row, value)).await.map(drop)
    }

    async fn set_vehicle(&self, to: Annotations) -> Result<(), RepositoryError> {
        let row = self.world.load_vehicle(self.vehicle).await;
        let value = Vehicle { annotations: to, ..row.value.vehicle.value };
        let change = RowChange::Update { id: self.vehicle, expected: row.version, value };
        self.world.store.commit_vehicle(&change, None).await.map(drop)
    }

    async fn set_trade(&self, to: Annotations) -> Result<(), RepositoryError> {
        let row = self.world.load(TradeKey::Trade(self.trade)).await;
        let changes = TradeChanges { annotations: Some(to), ..TradeChanges::default() };
        self.world.store.commit_trade(self.trade, row.version, &changes, None).await.map(drop)
    }

    /// What is kept with the user, the customer, the vehicle and the trade.
    async fn read(&self) -> [Annotations; 4] {
        [
            self.world.load_account(self.user).await.value.account.user.value.annotations,
            self.world.store.find_customer(self.customer).await.unwrap().unwrap().value.value.annotations,
            self.world.load_vehicle(self.vehicle).await.value.vehicle.value.annotations,
            self.world.load(TradeKey::Trade(self.trade)).await.value.trade.value.annotations,
        ]
    }

    /// The ids of all that a list finds by an external id, of each kind.
    async fn found(&self, id: &str) -> [Vec<i64>; 4] {
        let (world, external_id) = (self.world, Some(external_id(id)));
        let users = UserFilter { external_id: external_id.clone(), ..UserFilter::default() };
        let customers = CustomerFilter { external_id: external_id.clone(), ..CustomerFilter::default() };
        let vehicles = VehicleFilter { external_id: external_id.clone(), ..VehicleFilter::default() };
        let trades = TradeFilter { external_id, ..TradeFilter::default() };
        [
            world.list_users(&users).await.iter().map(|row| row.user.id.get()).collect(),
            world.list_customers(&customers).await.iter().map(|row| row.id.get()).collect(),
            world.list_vehicles(&vehicles).await.iter().map(|row| row.id.get()).collect(),
            world.list_trades(&trades, base()).await.iter().map(|row| row.id.get()).collect(),
        ]
    }

    fn ids(&self) -> [Vec<i64>; 4] {
        [vec![self.user.get()], vec![self.customer.get()], vec![self.vehicle.get()], vec![self.trade.get()]]
    }
}

pub async fn annotations_are_kept_replaced_and_removed(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let objects = Objects::new(&world).await;
    assert_eq!(objects.read().await, std::array::from_fn(|_| Annotations::default()));
    let other = Annotations { external_id: None, metadata: metadata(&json!({"b": 1.5})) };
    for to in [annotated("Ä|1"), other, annotated("Ä|2"), Annotations::default()] {
        objects.set_user(to.clone()).await.unwrap();
        objects.set_customer(to.clone()).await.unwrap();
        objects.set_vehicle(to.clone()).await.unwrap();
        objects.set_trade(to.clone()).await.unwrap();
        assert_eq!(objects.read().await, std::array::from_fn(|_| to.clone()));
    }
}

pub async fn new_objects_have_their_annotations(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.register(User { annotations: annotated("u"), ..user(world.number(), Role::Customer) }).await;
    assert_eq!(world.load_account(account.user.id).await.value.account.user.value.annotations, annotated("u"));
    let owner = account.customer_id.unwrap();
    let vehicle = world.vehicle_of(Vehicle { annotations: annotated("v"), ..vehicle(owner, world.number()) }).await;
    assert_eq!(world.load_vehicle(vehicle).await.value.vehicle.value.annotations, annotated("v"));
    let service = world.service(ServiceKind::Sell).await;
    let mut opening = world.opening(vehicle, service).await;
    opening.trade.annotations = annotated("t");
    let trade = world.store.open_trade(&opening, None).await.unwrap();
    assert_eq!(world.load(TradeKey::Trade(trade)).await.value.trade.value.annotations, annotated("t"));
    let all: Vec<Stored<Trade>> = world.trades().await;
    assert_eq!(all[0].annotations, annotated("t"));
}

pub async fn an_external_id_belongs_to_one_object_of_a_kind(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (first, second) = (Objects::new(&world).await, Objects::new(&world).await);
    // Each kind has names of its own, and capitals and small letters differ.
    for objects in [&first, &second] {
        let id = if objects.user == first.user { "one" } else { "One" };
        objects.set_user(annotated(id)).await.unwrap();
        objects.set_customer(annotated(id)).await.unwrap();
        objects.set_vehicle(annotated(id)).await.unwrap();
        objects.set_trade(annotated(id)).await.unwrap();
    }
    world.assert_taken(Guarantee::ExternalId, second.set_user(annotated("one"))).await;
    world.assert_taken(Guarantee::ExternalId, second.set_customer(annotated("one"))).await;
    world.assert_taken(Guarantee::ExternalId, second.set_vehicle(annotated("one"))).await;
    world.assert_taken(Guarantee::ExternalId, second.set_trade(annotated("one"))).await;
    let again = new_user(User { annotations: annotated("one"), ..user(90, Role::Customer) });
    world.assert_taken(Guarantee::ExternalId, world.store.create_account(&again, None)).await;
    let again = RowChange::Create(Vehicle { annotations: annotated("one"), ..vehicle(first.customer, 90) });
    world.assert_taken(Guarantee::ExternalId, world.store.commit_vehicle(&again, None)).await;

    // It is free again once the object has another one.
    first.set_user(annotated("two")).await.unwrap();
    first.set_customer(annotated("two")).await.unwrap();
    first.set_vehicle(annotated("two")).await.unwrap();
    first.set_trade(annotated("two")).await.unwrap();
    second.set_user(annotated("one")).await.unwrap();
    second.set_customer(annotated("one")).await.unwrap();
    second.set_vehicle(annotated("one")).await.unwrap();
    second.set_trade(annotated("one")).await.unwrap();
    assert_eq!(first.found("one").await, second.ids());
    assert_eq!(first.found("two").await, first.ids());
}

pub async fn lists_find_an_object_by_its_external_id(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (objects, others) = (Objects::new(&world).await, Objects::new(&world).await);
    assert_eq!(objects.found("one").await, [const { Vec::<i64>::new() }; 4]);
    objects.set_user(annotated("one")).await.unwrap();
    objects.set_customer(annotated("one")).await.unwrap();
    objects.set_vehicle(annotated("one")).await.unwrap();
    objects.set_trade(annotated("one")).await.unwrap();
    others.set_vehicle(annotated("other")).await.unwrap();
    assert_eq!(objects.found("one").await, objects.ids());
    assert_eq!(objects.found("ONE").await, [const { Vec::<i64>::new() }; 4]);
    // Every condition must hold.
    let id = Some(external_id("one"));
    let vehicles =
        |customer_id, visible_to| VehicleFilter { customer_id, visible_to, external_id: id.clone(), ..VehicleFilter::default() };
    assert_eq!(world.list_vehicles(&vehicles(Some(others.customer), None)).await, []);
    assert_eq!(world.list_vehicles(&vehicles(None, Some(others.customer))).await.len(), 1, "it is on offer");
    assert_eq!(world.list_vehicles(&vehicles(Some(objects.customer), Some(others.customer))).await.len(), 1);
    world.cancel(objects.trade).await;
    assert_eq!(world.list_vehicles(&vehicles(None, Some(others.customer))).await, []);
    let trades = |visible_to| TradeFilter { visible_to, external_id: id.clone(), ..TradeFilter::default() };
    assert_eq!(world.list_trades(&trades(Some(others.customer)), base()).await, []);
    assert_eq!(world.list_trades(&trades(Some(objects.customer)), base()).await.len(), 1);
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
