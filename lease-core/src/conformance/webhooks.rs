//! Webhook endpoints: written whole, and told of what happens after the place where they start.
//!
//! Rules 9.1 and 9.2.

use std::sync::Arc;

use super::build::*;
use super::commit::written;
use super::commits::Commits as _;
use super::world::World;
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::event::{Audience, Event, EventPattern, EventType, NewRow, SubjectKind};
use crate::id::{EventId, NewIds, Stored, Version, Versioned, WebhookEndpointId};
use crate::model::*;
use crate::permission::Actor;
use crate::repository::*;
use crate::webhook::{Start, WebhookEndpointChange};

/// A commit of a lead, with an event of each of these types.
pub(super) fn happening(types: &[EventType]) -> Commit {
    let events = types.iter().map(|event_type| Event::new(*event_type, NewRow::Lead, Audience::Staff)).collect();
    let change = LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep };
    Commit::new(Envelope { events, ..Envelope::new(Actor::System, base()) }, change)
}

impl World {
    /// Writes a change without an event, so that nobody is told of it.
    pub(super) async fn quietly(&self, change: impl Into<Change>) -> NewIds {
        self.store.commit(&Commit::new(Envelope::new(Actor::System, base()), change)).await.expect("commit")
    }

    /// An endpoint that is told of what happens from now on.
    pub(super) async fn endpoint(&self, endpoint: WebhookEndpoint) -> WebhookEndpointId {
        let start = Some(Start { after: self.store.last_event().await.expect("last_event") });
        let change = WebhookEndpointChange { endpoint: RowChange::Create(endpoint), start };
        self.quietly(change).await.webhook_endpoint.unwrap()
    }

    pub(super) async fn edit_endpoint(
        &self,
        id: WebhookEndpointId,
        start: Option<Start>,
        edit: impl FnOnce(&mut WebhookEndpoint),
    ) {
        let Versioned { version: expected, value: Stored { mut value, .. } } =
            self.store.find_endpoint(id).await.expect("find_endpoint").unwrap();
        edit(&mut value);
        self.quietly(WebhookEndpointChange { endpoint: RowChange::Update { id, expected, value }, start }).await;
    }

    /// Switches an endpoint on or off, and leaves its position.
    pub(super) async fn switch(&self, id: WebhookEndpointId, state: EndpointState) {
        self.edit_endpoint(id, None, |endpoint| endpoint.state = state).await;
    }

    pub(super) async fn happens(&self, types: &[EventType]) -> Vec<EventId> {
        let last = self.store.last_event().await.expect("last_event");
        self.store.commit(&happening(types)).await.expect("commit");
        let events = self.store.events_after(last, 100, &EventFilter::default()).await.expect("events_after");
        events.iter().map(|event| event.id).collect()
    }

    /// Queues what there is. Returns how many events were taken.
    pub(super) async fn queue(&self) -> u64 {
        self.store.queue_deliveries(at(1), 1_000).await.expect("queue_deliveries")
    }

    /// The events that are or were queued for an endpoint, in their order.
    pub(super) async fn told(&self, endpoint: WebhookEndpointId) -> Vec<EventId> {
        let filter = WebhookDeliveryFilter { endpoint_id: Some(endpoint), status: None };
        let deliveries = self.list_deliveries(&filter).await;
        let mut events: Vec<EventId> = deliveries.iter().filter_map(|row| row.message.event_id()).collect();
        events.sort_unstable();
        events
    }
}

pub async fn every_field_of_an_endpoint_is_kept(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let made = WebhookEndpoint {
        url: "https://example.com:8443/hooks/%C3%A9?a=b&c".into(),
        description: "line\nline 'quote' \"double\" \\ %_ 🚗".into(),
        event_types: vec![EventPattern::Kind(SubjectKind::Trade), EventPattern::Type(EventType::InvoicePaid)],
        state: EndpointState::Off(Some(DisabledReason::Failing)),
        secret: webhook_secret(2),
        previous: vec![
            PreviousSecret { secret: webhook_secret(3), until: at(7) + tick() },
            PreviousSecret { secret: webhook_secret(4), until: at(8) },
        ],
        created_at: at(3) + tick(),
    };
    let change = WebhookEndpointChange { endpoint: RowChange::Create(made.clone()), start: None };
    let id = world.store.commit_endpoint(&change, None).await.unwrap();
    assert_eq!(world.store.find_endpoint(id).await.unwrap(), Some(written(1, id, made.clone())));
    assert_eq!(world.list_endpoints(&WebhookEndpointFilter::default()).await, [Stored { id, value: made }]);

    let states = [EndpointState::Active, EndpointState::Off(None), EndpointState::Off(Some(DisabledReason::Gone))];
    for (version, state) in (1..).zip(states) {
        let value = WebhookEndpoint { state, created_at: at(-5), ..endpoint() };
        let change = RowChange::Update { id, expected: Version(version), value: value.clone() };
        let change = WebhookEndpointChange { endpoint: change, start: None };
        assert_eq!(world.store.commit_endpoint(&change, None).await.unwrap(), id);
        assert_eq!(world.store.find_endpoint(id).await.unwrap(), Some(written(version + 1, id, value)));
    }
    let change = WebhookEndpointChange { endpoint: RowChange::Delete { id, expected: Version(4) }, start: None };
    assert_eq!(world.store.commit_endpoint(&change, None).await.unwrap(), id);
    assert_eq!(world.store.find_endpoint(id).await.unwrap(), None);
    assert_eq!(world.list_endpoints(&WebhookEndpointFilter::default()).await, []);
    assert_eq!(world.store.find_delivery(nobody()).await.unwrap(), None);
}

pub async fn a_stale_version_of_an_endpoint_is_a_conflict(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.endpoint(endpoint()).await;
    world.test(id, base()).await;
    let told = world.happens(&[EventType::LeadCreated]).await;
    world.switch(id, EndpointState::Active).await;
    let start = Some(Start { after: told.last().copied() });
    for (id, expected) in [(id, Version(1)), (id, Version(3)), (nobody(), Version(1))] {
        let update = RowChange::Update { id, expected, value: WebhookEndpoint { url: "https://x.org".into(), ..endpoint() } };
        for change in [update, RowChange::Delete { id, expected }] {
            let change = WebhookEndpointChange { endpoint: change, start };
            world.assert_conflict(world.store.commit_endpoint(&change, None)).await;
        }
    }
    world.queue().await;
    assert_eq!(world.told(id).await, told, "it has its position still");
}

pub async fn an_endpoint_is_deleted_with_its_deliveries_and_no_others(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (gone, other) = (world.endpoint(endpoint()).await, world.endpoint(endpoint()).await);
    let told = world.happens(&[EventType::LeadCreated]).await;
    world.queue().await;
    for id in [gone, other] {
        world.deliver(WebhookDelivery { state: DeliveryState::Succeeded, ..delivery(id) }).await;
    }
    let held = world.claim_at(1, 60).await;
    assert_eq!(held.len(), 2);
    let kept = WebhookDeliveryFilter { endpoint_id: Some(other), status: None };
    let kept = world.list_deliveries(&kept).await;

    world
        .quietly(WebhookEndpointChange { endpoint: RowChange::Delete { id: gone, expected: Version::FIRST }, start: None })
        .await;
    assert_eq!(world.list_deliveries(&WebhookDeliveryFilter::default()).await, kept);
    for claimed in &held {
        let is_kept = claimed.endpoint.id == other;
        assert_eq!(world.store.find_delivery(claimed.delivery.id).await.unwrap().is_some(), is_kept);
        world.record(claimed, attempt(at(2)), DeliveryState::Succeeded).await;
    }
    assert_eq!(world.told(other).await, told);
    assert_eq!(world.store.first_needed_event().await.unwrap(), None);
    let next = world.happens(&[EventType::LeadCreated]).await;
    assert_eq!(world.queue().await, 1, "only for the other");
    assert_eq!(world.told(other).await, [told, next].concat());
    assert_eq!(world.told(gone).await, []);
}

pub async fn an_endpoint_starts_where_it_is_told_to(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let first = world.happens(&[EventType::LeadCreated; 3]).await;
    let starting = async |after| {
        let change = WebhookEndpointChange { endpoint: RowChange::Create(endpoint()), start: Some(Start { after }) };
        world.quietly(change).await.webhook_endpoint.unwrap()
    };
    let (from_the_first, from_the_second) = (starting(None).await, starting(Some(first[0])).await);
    let (from_now, far_ahead) = (starting(Some(first[2])).await, starting(Some(nobody())).await);
    let second = world.happens(&[EventType::LeadCreated]).await;
    assert_eq!(world.queue().await, 4 + 3 + 1);
    assert_eq!(world.told(from_the_first).await, [first.clone(), second.clone()].concat());
    assert_eq!(world.told(from_the_second).await, [first[1..].to_vec(), second.clone()].concat());
    assert_eq!(world.told(from_now).await, second);
    assert_eq!(world.told(far_ahead).await, []);

    world.edit_endpoint(far_ahead, Some(Start { after: Some(first[1]) }), |_| ()).await;
    assert_eq!(world.queue().await, 2, "back");
    assert_eq!(world.told(far_ahead).await, [first[2], second[0]]);
    let third = world.happens(&[EventType::LeadCreated; 2]).await;
    world.edit_endpoint(far_ahead, Some(Start { after: Some(third[0]) }), |_| ()).await;
    world.queue().await;
    assert_eq!(world.told(far_ahead).await, [first[2], second[0], third[1]], "and ahead");
}

pub async fn an_update_without_a_start_leaves_the_position(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.endpoint(endpoint()).await;
    let told = world.happens(&[EventType::LeadCreated; 2]).await;
    world.store.queue_deliveries(at(1), 1).await.unwrap();
    world.edit_endpoint(id, None, |endpoint| endpoint.description = "Other".into()).await;
    assert_eq!(world.queue().await, 1);
    assert_eq!(world.told(id).await, told);
    world.switch(id, EndpointState::Off(None)).await;
    let meanwhile = world.happens(&[EventType::LeadCreated]).await;
    world.switch(id, EndpointState::Active).await;
    assert_eq!(world.queue().await, 1);
    assert_eq!(world.told(id).await, [told, meanwhile].concat());
}

pub async fn a_start_ends_that_an_endpoint_is_failing(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.endpoint(endpoint()).await;
    world.fails(id, 10).await;
    world.edit_endpoint(id, None, |endpoint| endpoint.description = "Other".into()).await;
    assert_eq!(world.failing_since(id, 20).await, Some(at(10)), "an update alone does not");
    world.edit_endpoint(id, Some(Start { after: None }), |_| ()).await;
    assert_eq!(world.failing_since(id, 30).await, None);
    world.fails(id, 40).await;
    assert_eq!(world.failing_since(id, 50).await, Some(at(40)));
}

/// Neither its position nor whether it is failing is part of an endpoint.
pub async fn deliveries_do_not_move_the_version_of_an_endpoint(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.endpoint(endpoint()).await;
    world.happens(&[EventType::LeadCreated]).await;
    world.queue().await;
    world.fails(id, 10).await;
    assert_eq!(world.store.find_endpoint(id).await.unwrap(), Some(written(1, id, endpoint())));
}
