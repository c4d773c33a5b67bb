//! Every field of every filter, alone and in some combinations, compared with the same condition applied to all rows.
//!
//! Rule 6.5.

use std::fmt::Debug;
use std::sync::Arc;

use super::build::*;
use super::world::World;
use crate::id::{CustomerId, Stored, VehicleId};
use crate::model::*;
use crate::repository::*;
use crate::text::{Search, comparison_key};

/// Asserts that a list contains exactly the rows that meet the condition. A filter that finds nothing or everything proves
/// nothing, so it fails.
pub(super) fn assert_finds<R: PartialEq + Clone + Debug, F: Debug>(
    all: &[R],
    filter: &F,
    found: &[R],
    keep: impl Fn(&R) -> bool,
) {
    let expected: Vec<R> = all.iter().filter(|row| keep(row)).cloned().collect();
    assert_eq!(found, expected, "{filter:?}");
    assert!(!found.is_empty() && found.len() < all.len(), "{filter:?} finds {} of {}", found.len(), all.len());
}

/// Filters, each with the condition on rows that it expresses.
pub(super) struct Conditions<F, R>(pub(super) Vec<(F, Keep<R>)>);

type Keep<R> = Box<dyn Fn(&R) -> bool>;

impl<F, R> Conditions<F, R> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn push(&mut self, filter: F, keep: impl Fn(&R) -> bool + 'static) {
        self.0.push((filter, Box::new(keep)));
    }
}

pub async fn users_are_filtered(store: Arc<dyn Repository>) {
    type Filter = UserFilter;
    let world = World::new(store);
    for (role, is_active) in [(Role::Customer, true), (Role::Customer, false), (Role::Staff, true), (Role::Superuser, true)] {
        world.register(User { is_active, ..user(world.number(), role) }).await;
    }
    let odd = User { first_name: "Žofie".into(), last_name: "Van Dyk".into(), ..user(world.number(), Role::Staff) };
    let odd = world.register(User { is_active: false, ..odd }).await.user.id;
    let all = world.list_users(&Filter::default()).await;
    let mut conditions = Conditions::<Filter, Account>::new();
    conditions.push(Filter { visible_to: Some(odd), ..Filter::default() }, move |row| row.user.id == odd);
    conditions.push(Filter { is_staff: Some(true), is_active: Some(false), ..Filter::default() }, |row| {
        row.user.role.is_staff() && !row.user.is_active
    });
    for flag in [true, false] {
        let filter = Filter { is_active: Some(flag), ..Filter::default() };
        conditions.push(filter, move |row| row.user.is_active == flag);
        let filter = Filter { is_staff: Some(flag), ..Filter::default() };
        conditions.push(filter, move |row| row.user.role.is_staff() == flag);
    }
    for role in [Role::Customer, Role::Staff, Role::Superuser] {
        let filter = Filter { role: Some(role), ..Filter::default() };
        conditions.push(filter, move |row| row.user.role == role);
    }
    for text in ["ŽOFIE", "dyk van", "ofi", "va", "user-1", "us lov"] {
        let filter = Filter { search: Some(Search::new(text)), ..Filter::default() };
        if text != "us lov" {
            assert!(world.list_users(&filter).await.len() < all.len(), "{text}");
        }
        let pattern = Search::new(text);
        conditions.push(filter, move |row| pattern.matches(&row.user.search_text()));
    }
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_users(&filter).await, keep);
    }
}

pub async fn customers_are_filtered(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let account = world.account(Role::Customer).await;
    world.account(Role::Customer).await;
    let all = world.list_customers(&CustomerFilter::default()).await;
    let by_user = CustomerFilter { user_id: Some(account.user.id), ..CustomerFilter::default() };
    let by_id = CustomerFilter { visible_to: account.customer_id, ..CustomerFilter::default() };
    for filter in [by_user, by_id] {
        let found = world.list_customers(&filter).await;
        assert_finds(&all, &filter, &found, |row| Some(row.id) == account.customer_id);
    }
    let stranger = CustomerFilter { visible_to: Some(all[0].id), user_id: Some(account.user.id), external_id: None };
    assert_eq!(world.list_customers(&stranger).await, [], "every condition must hold");
}

pub async fn cards_are_filtered(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, two) = (world.customer().await, world.customer().await);
    for customer in [one, two, one] {
        world.card(customer).await;
    }
    world.card_of(CreditCard { deleted_at: Some(base()), ..credit_card(one) }).await;
    let all = world.list_cards(&CardFilter::default()).await;
    assert_eq!(all.len(), 3, "a deleted card is not listed");
    let visible = CardFilter { visible_to: Some(one), ..CardFilter::default() };
    let owned = CardFilter { customer_id: Some(one), ..CardFilter::default() };
    for filter in [visible, owned] {
        assert_finds(&all, &filter, &world.list_cards(&filter).await, |row| row.customer_id == one);
    }
    assert_eq!(world.list_cards(&CardFilter { visible_to: Some(one), customer_id: Some(two) }).await, []);
}

pub async fn contacts_are_filtered(store: Arc<dyn Repository>) {
    type Filter = ContactFilter;
    let world = World::new(store);
    let (one, two, prospect) = (world.customer().await, world.customer().await, world.lead(lead()).await);
    let other = world.lead(lead()).await;
    let (owned, led) = (ContactOwner::Customer(one), ContactOwner::Lead(prospect));
    for owner in [owned, led, ContactOwner::Customer(two), ContactOwner::Lead(other), owned, led] {
        world.contact(owner).await;
    }
    let all = world.list_contacts(&Filter::default()).await;
    let filters = [
        (Filter { visible_to: Some(one), ..Filter::default() }, owned),
        (Filter { customer_id: Some(one), ..Filter::default() }, owned),
        (Filter { lead_id: Some(prospect), ..Filter::default() }, led),
    ];
    for (filter, owner) in filters {
        assert_finds(&all, &filter, &world.list_contacts(&filter).await, |row| row.owner == owner);
    }
    let hidden = Filter { visible_to: Some(one), lead_id: Some(prospect), ..Filter::default() };
    assert_eq!(world.list_contacts(&hidden).await, []);
    let both = Filter { customer_id: Some(one), lead_id: Some(prospect), ..Filter::default() };
    assert_eq!(world.list_contacts(&both).await, []);
}

pub async fn leads_are_filtered(store: Arc<dyn Repository>) {
    type Filter = LeadFilter;
    let world = World::new(store);
    let customer = world.customer().await;
    let other = world.customer().await;
    let converted = [LeadState::Converted(customer), LeadState::Converted(other)];
    for state in [LeadState::New, LeadState::Contacted, LeadState::Qualified, LeadState::Lost].into_iter().chain(converted) {
        world.lead(Lead { state, phone: "+49 30 1234".into(), ..lead() }).await;
    }
    world.lead(Lead { company: "Straße & Söhne".into(), first_name: "Ödön".into(), ..lead() }).await;
    let all = world.list_leads(&Filter::default()).await;
    let mut conditions = Conditions::<Filter, Stored<Lead>>::new();
    for row in &all {
        let status = LeadStatus::from(row.state);
        let filter = Filter { status: Some(status), ..Filter::default() };
        conditions.push(filter, move |row| LeadStatus::from(row.state) == status);
    }
    let filter = Filter { customer_id: Some(customer), ..Filter::default() };
    conditions.push(filter, move |row| row.customer_id() == Some(customer));
    let filter = Filter { status: Some(LeadStatus::Lost), search: Some(Search::new("1234")), ..Filter::default() };
    conditions.push(filter, |row| row.state == LeadState::Lost);
    for text in ["straße", "ÖDÖN", "söh gra grace".trim_end_matches(" grace"), "30", "&"] {
        let pattern = Search::new(text);
        let filter = Filter { search: Some(Search::new(text)), ..Filter::default() };
        let keep = move |row: &Stored<Lead>| pattern.matches(&row.search_text());
        if all.iter().any(&keep) {
            conditions.push(filter, keep);
        } else {
            assert_eq!(world.list_leads(&filter).await, [], "{text}");
        }
    }
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_leads(&filter).await, keep);
    }
}

/// Vehicles of several makes, models and years, which belong to the owners in turn.
pub(super) async fn vehicles(world: &World, owners: &[CustomerId]) -> Vec<VehicleId> {
    let sorts = [
        ("Škoda", "Octavia", 2019),
        ("ŠKODA", "Superb", 2020),
        ("Skoda", "Octavia", 2021),
        ("BMW", "i3", 2020),
        ("100%_sure", "octavia combi", 2022),
    ];
    let mut ids = Vec::new();
    for ((make, model, year), owner) in sorts.into_iter().zip(owners.iter().cycle()) {
        let color = if year == 2020 { "Red" } else { "" };
        let sort =
            Vehicle { make: make.into(), model: model.into(), year, color: color.into(), ..vehicle(*owner, world.number()) };
        ids.push(world.vehicle_of(sort).await);
    }
    ids
}

pub async fn vehicles_are_filtered(store: Arc<dyn Repository>) {
    type Filter = VehicleFilter;
    let world = World::new(store);
    let owners = [world.customer().await, world.customer().await];
    vehicles(&world, &owners).await;
    let identity = Some(VehicleIdentity::Chassis(chassis(5)));
    world
        .vehicle_of(Vehicle {
            identity,
            make: "一汽大众GTI".into(),
            model: "ΣΙΣΥΦΟΣ".into(),
            ..vehicle(owners[0], world.number())
        })
        .await;
    let all = world.vehicles().await;
    let (owner, number) = (owners[0], all[1].vin().unwrap());
    let key = Some(comparison_key("škoda"));
    let mut conditions = Conditions::<Filter, Stored<Vehicle>>::new();
    conditions.push(Filter { customer_id: Some(owner), ..Filter::default() }, move |row| row.customer_id == owner);
    conditions.push(Filter { make: key.clone(), ..Filter::default() }, |row| row.make_key() == comparison_key("škoda"));
    conditions.push(Filter { model: Some("octavia".into()), ..Filter::default() }, |row| row.model == "Octavia");
    conditions.push(Filter { vin: Some(number), ..Filter::default() }, move |row| row.vin() == Some(number));
    let chassis_number = Some(chassis(5));
    conditions.push(Filter { chassis_number, ..Filter::default() }, |row| row.chassis_number() == Some(&chassis(5)));
    conditions.push(Filter { make: key, year_min: Some(2020), ..Filter::default() }, |row| row.model == "Superb");
    conditions.push(Filter { year_min: Some(2020), year_max: Some(2020), ..Filter::default() }, |row| row.year == 2020);
    for year in [2020, 2021] {
        let filter = Filter { year_min: Some(year), ..Filter::default() };
        conditions.push(filter, move |row| row.year >= year);
        let filter = Filter { year_max: Some(year), ..Filter::default() };
        conditions.push(filter, move |row| row.year <= year);
    }
    // Characters that are special in SQL patterns match themselves; short words match at the start of a word.
    for text in [
        "oct",
        "gj7-000005",
        "7-00",
        "CTAV",
        "i3",
        "oc",
        "0%_s",
        "red bmw",
        "octavia combi",
        "大众",
        "众",
        "汽大众g",
        "gti",
        "σισυφος",
    ] {
        let pattern = Search::new(text);
        let filter = Filter { search: Some(Search::new(text)), ..Filter::default() };
        conditions.push(filter, move |row| pattern.matches(&row.search_text()));
    }
    for (filter, keep) in conditions.0 {
        assert_finds(&all, &filter, &world.list_vehicles(&filter).await, keep);
    }
    let backwards = Filter { year_min: Some(2021), year_max: Some(2020), ..Filter::default() };
    assert_eq!(world.list_vehicles(&backwards).await, [], "no year");
    for text in ["ct", "众大", "大众ti", "red octavia", "___", "s%a", "skodax"] {
        assert_eq!(world.list_vehicles(&Filter { search: Some(Search::new(text)), ..Filter::default() }).await, [], "{text}");
    }
    assert_eq!(
        world.list_vehicles(&Filter { search: Some(Search::new("  ")), ..Filter::default() }).await,
        all,
        "a query without words matches everything"
    );
    // Years in reverse order are not an error, and find nothing.
    let backwards = Filter { year_min: Some(2021), year_max: Some(2020), ..Filter::default() };
    assert_eq!(world.list_vehicles(&backwards).await, []);
}

pub async fn services_are_filtered(store: Arc<dyn Repository>) {
    let world = World::new(store);
    for kind in [ServiceKind::Lease, ServiceKind::Sell, ServiceKind::Custom] {
        for is_active in [true, false] {
            world.service_of(Service { is_active, ..service(kind) }).await;
        }
    }
    let all = world.services().await;
    for kind in [None, Some(ServiceKind::Lease), Some(ServiceKind::Sell), Some(ServiceKind::Custom)] {
        for is_active in [None, Some(true), Some(false)].into_iter().filter(|flag| kind.is_some() || flag.is_some()) {
            let filter = ServiceFilter { is_active, kind };
            assert_finds(&all, &filter, &world.list_services(&filter).await, |row| {
                is_active.is_none_or(|flag| row.is_active == flag) && kind.is_none_or(|kind| row.kind == kind)
            });
        }
    }
}

pub async fn endpoints_are_filtered(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let states = [EndpointState::Active, EndpointState::Off(None), EndpointState::Off(Some(DisabledReason::Gone))];
    for state in states {
        world.endpoint(WebhookEndpoint { state, ..endpoint() }).await;
    }
    let all = world.list_endpoints(&WebhookEndpointFilter::default()).await;
    for is_active in [true, false] {
        let filter = WebhookEndpointFilter { is_active: Some(is_active) };
        assert_finds(&all, &filter, &world.list_endpoints(&filter).await, |row| row.is_active() == is_active);
    }
}

pub async fn deliveries_are_filtered(store: Arc<dyn Repository>) {
    type Filter = WebhookDeliveryFilter;
    let world = World::new(store);
    let to = [world.endpoint(endpoint()).await, world.endpoint(endpoint()).await];
    let states = [DeliveryState::Pending { next_attempt_at: at(9) }, DeliveryState::Succeeded, DeliveryState::Failed];
    for (endpoint_id, state) in to.into_iter().flat_map(|endpoint| states.map(|state| (endpoint, state))) {
        world.deliver(WebhookDelivery { state, ..delivery(endpoint_id) }).await;
    }
    let all = world.list_deliveries(&Filter::default()).await;
    for endpoint_id in [None, Some(to[0]), Some(to[1])] {
        for state in [None, Some(states[0]), Some(states[1]), Some(states[2])] {
            let filter = Filter { endpoint_id, status: state.map(DeliveryStatus::from) };
            if filter != Filter::default() {
                assert_finds(&all, &filter, &world.list_deliveries(&filter).await, |row| {
                    endpoint_id.is_none_or(|id| row.endpoint_id == id) && state.is_none_or(|state| row.state == state)
                });
            }
        }
    }
    let nowhere = Filter { endpoint_id: Some(nobody()), status: None };
    assert_eq!(world.list_deliveries(&nowhere).await, []);
}
