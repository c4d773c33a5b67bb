//! Webhook deliveries: queued once for each endpoint that wants an event, claimed by one process, and recorded by it.
//!
//! Rule 9.2.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::build::*;
use super::commits::Commits as _;
use super::world::World;
use crate::event::{EventPattern, EventType, SubjectKind};
use crate::id::{EventId, Stored, WebhookDeliveryId, WebhookEndpointId};
use crate::model::*;
use crate::repository::*;
use crate::webhook::DeliveryChange;

const OFF: EndpointState = EndpointState::Off(None);

fn pending(at: DateTime<Utc>) -> DeliveryState {
    DeliveryState::Pending { next_attempt_at: at }
}

fn ids(claimed: &[ClaimedDelivery]) -> Vec<WebhookDeliveryId> {
    claimed.iter().map(|claimed| claimed.delivery.id).collect()
}

impl World {
    pub(super) async fn deliver(&self, delivery: WebhookDelivery) -> WebhookDeliveryId {
        self.quietly(DeliveryChange::Create(delivery)).await.webhook_delivery.unwrap()
    }

    /// A test that is due at this instant.
    pub(super) async fn test(&self, endpoint: WebhookEndpointId, due: DateTime<Utc>) -> WebhookDeliveryId {
        self.deliver(WebhookDelivery { state: pending(due), ..delivery(endpoint) }).await
    }

    pub(super) async fn delivery(&self, id: WebhookDeliveryId) -> WebhookDelivery {
        self.store.find_delivery(id).await.expect("find_delivery").unwrap().value
    }

    /// Claims what is due at one number of seconds, until another.
    pub(super) async fn claim_at(&self, now: i64, until: i64) -> Vec<ClaimedDelivery> {
        self.store.claim_deliveries(at(now), at(until), 100, &[]).await.expect("claim_deliveries")
    }

    pub(super) async fn record(&self, claimed: &ClaimedDelivery, attempt: DeliveryAttempt, state: DeliveryState) {
        self.store.record_attempts(&[recorded(claimed, attempt, state)]).await.expect("record_attempts");
    }

    /// Records a try at this number of seconds of a new delivery that nothing else is claimed beside.
    async fn tries(&self, endpoint: WebhookEndpointId, seconds: i64, state: DeliveryState) {
        let claimed = self.claim_new(endpoint, seconds).await;
        self.record(&claimed, attempt(at(seconds)), state).await;
    }

    /// A try that fails at this number of seconds.
    pub(super) async fn fails(&self, endpoint: WebhookEndpointId, seconds: i64) {
        self.tries(endpoint, seconds, DeliveryState::Failed).await;
    }

    /// Since when an endpoint is failing, as a claim tells at this number of seconds.
    pub(super) async fn failing_since(&self, endpoint: WebhookEndpointId, seconds: i64) -> Option<DateTime<Utc>> {
        self.claim_new(endpoint, seconds).await.failing_since
    }

    async fn claim_new(&self, endpoint: WebhookEndpointId, seconds: i64) -> ClaimedDelivery {
        let id = self.test(endpoint, base()).await;
        self.claim_at(seconds, 1_000_000).await.into_iter().find(|claimed| claimed.delivery.id == id).unwrap()
    }

    /// The deliveries to an endpoint that are claimed with these arguments.
    async fn claim_some(&self, now: i64, per_endpoint: u32, busy: &[(WebhookEndpointId, u32)]) -> Vec<ClaimedDelivery> {
        self.store.claim_deliveries(at(now), at(1_000_000), per_endpoint, busy).await.expect("claim_deliveries")
    }
}

pub(super) fn recorded(claimed: &ClaimedDelivery, attempt: DeliveryAttempt, state: DeliveryState) -> RecordedAttempt {
    RecordedAttempt { delivery_id: claimed.delivery.id, held_until: claimed.held_until, attempt, state }
}

fn to(claimed: &[ClaimedDelivery], endpoint: WebhookEndpointId) -> Vec<WebhookDeliveryId> {
    claimed.iter().filter(|claimed| claimed.endpoint.id == endpoint).map(|claimed| claimed.delivery.id).collect()
}

pub async fn an_endpoint_is_told_of_the_events_that_it_wants(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let wanting = async |event_types| world.endpoint(WebhookEndpoint { event_types, ..endpoint() }).await;
    let all = wanting(Vec::new()).await;
    let leads = wanting(vec![EventPattern::Kind(SubjectKind::Lead)]).await;
    let two = [EventType::VehicleCreated, EventType::LeadDeleted].map(EventPattern::Type);
    let two = wanting(two.to_vec()).await;
    let either = wanting(vec![EventPattern::Type(EventType::TradeOpened), EventPattern::Kind(SubjectKind::Vehicle)]).await;
    let types = [EventType::LeadCreated, EventType::VehicleCreated, EventType::LeadDeleted, EventType::TradeOpened];
    let events = world.happens(&types).await;
    assert_eq!(world.queue().await, 4 * 4, "the events that it does not want are taken, too");
    assert_eq!(world.told(all).await, events);
    assert_eq!(world.told(leads).await, [events[0], events[2]]);
    assert_eq!(world.told(two).await, [events[1], events[2]]);
    assert_eq!(world.told(either).await, [events[1], events[3]]);
    assert_eq!(world.queue().await, 0);
    world.edit_endpoint(leads, None, |endpoint| endpoint.event_types = Vec::new()).await;
    assert_eq!(world.queue().await, 0, "what it did not want has passed");
}

pub async fn a_queued_delivery_tells_of_its_event_at_once(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint_id = world.endpoint(endpoint()).await;
    let event = world.happens(&[EventType::InvoicePaid]).await[0];
    let now = at(5) + tick();
    assert_eq!(world.store.queue_deliveries(now, 10).await.unwrap(), 1);
    let found = world.list_deliveries(&WebhookDeliveryFilter::default()).await;
    let expected = WebhookDelivery {
        endpoint_id,
        message: WebhookMessage::Event(event, EventType::InvoicePaid),
        state: pending(now),
        tries: 0,
        attempts: Vec::new(),
        created_at: now,
    };
    assert_eq!(found, [Stored { id: found[0].id, value: expected.clone() }]);
    assert_eq!(world.delivery(found[0].id).await, expected);
}

pub async fn at_most_so_many_events_are_taken_for_each_endpoint(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let one = world.endpoint(endpoint()).await;
    let events = world.happens(&[EventType::LeadCreated; 3]).await;
    let late = world.endpoint(endpoint()).await;
    let more = world.happens(&[EventType::LeadCreated; 2]).await;
    let none = WebhookEndpoint { event_types: vec![EventPattern::Type(EventType::TradeOpened)], ..endpoint() };
    let none = world.endpoint(none).await;
    world.happens(&[EventType::LeadCreated]).await;
    let take = async || world.store.queue_deliveries(at(1), 2).await.unwrap();
    assert_eq!(take().await, 2 + 2 + 1);
    assert_eq!((world.told(one).await, world.told(late).await), (events[..2].to_vec(), more.clone()));
    assert_eq!(take().await, 2 + 1);
    assert_eq!(take().await, 2);
    assert_eq!(take().await, 0);
    assert_eq!((world.told(one).await.len(), world.told(late).await.len()), (6, 3));
    assert_eq!(world.told(none).await, []);
}

pub async fn an_endpoint_that_is_off_takes_nothing(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let off = world.endpoint(WebhookEndpoint { state: OFF, ..endpoint() }).await;
    let gone = EndpointState::Off(Some(DisabledReason::Gone));
    let gone = world.endpoint(WebhookEndpoint { state: gone, ..endpoint() }).await;
    let on = world.endpoint(endpoint()).await;
    let events = world.happens(&[EventType::LeadCreated]).await;
    assert_eq!(world.queue().await, 1);
    assert_eq!(world.told(on).await, events);
    assert_eq!((world.told(off).await, world.told(gone).await), (vec![], vec![]));
}

/// An endpoint goes on with the first event that is still there.
pub async fn events_that_were_cleared_are_not_queued(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.endpoint(endpoint()).await;
    world.happens(&[EventType::LeadCreated; 2]).await;
    assert_eq!(world.store.clear_events(at(1), 100).await.unwrap(), 2);
    assert_eq!(world.store.first_needed_event().await.unwrap(), None);
    let events = world.happens(&[EventType::LeadCreated]).await;
    assert_eq!(world.queue().await, 1);
    assert_eq!(world.told(id).await, events);
}

pub async fn the_longest_due_are_claimed_first(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, other) = (world.endpoint(endpoint()).await, world.endpoint(endpoint()).await);
    let due = [30, 10, 50, 20, 40];
    let mut made = Vec::new();
    for seconds in due {
        made.push(world.test(one, at(seconds)).await);
    }
    let alone = world.test(other, at(40)).await;
    assert_eq!(ids(&world.claim_some(9, 2, &[]).await), []);
    let first = world.claim_some(45, 2, &[]).await;
    assert_eq!(to(&first, one), [made[1], made[3]], "two for each");
    assert_eq!(to(&first, other), [alone]);
    assert_eq!(first.len(), 3);
    assert_eq!(ids(&world.claim_some(45, 3, &[]).await), [made[0], made[4]]);
    assert_eq!(ids(&world.store.claim_deliveries(at(50) - tick(), at(99), 3, &[]).await.unwrap()), []);
    assert_eq!(ids(&world.claim_some(50, 3, &[]).await), [made[2]], "due at that very instant");
}

pub async fn an_endpoint_that_is_busy_gets_fewer(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, other) = (world.endpoint(endpoint()).await, world.endpoint(endpoint()).await);
    for endpoint in [one, other].repeat(6) {
        world.test(endpoint, base()).await;
    }
    let counts = async |per_endpoint, busy: &[(WebhookEndpointId, u32)]| {
        let claimed = world.claim_some(1, per_endpoint, busy).await;
        (to(&claimed, one).len(), to(&claimed, other).len())
    };
    assert_eq!(counts(3, &[(one, 3), (other, 7)]).await, (0, 0));
    assert_eq!(counts(3, &[(one, 2)]).await, (1, 3));
    assert_eq!(counts(3, &[(other, 1), (one, 1), (nobody(), 9)]).await, (2, 2));
    assert_eq!(counts(0, &[]).await, (0, 0));
    assert_eq!(counts(9, &[]).await, (3, 1));
}

pub async fn a_claim_is_held_until_it_runs_out(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let id = world.test(endpoint, base()).await;
    let claimed = world.claim_at(1, 60).await;
    assert_eq!((ids(&claimed), claimed[0].held_until), (vec![id], at(60)));
    assert_eq!(world.claim_at(1, 60).await, []);
    assert_eq!(world.store.claim_deliveries(at(60) - tick(), at(90), 9, &[]).await.unwrap(), []);
    let again = world.claim_at(60, 90).await;
    assert_eq!((ids(&again), again[0].held_until), (vec![id], at(90)));
    assert_eq!(world.claim_at(89, 200).await, []);
    assert_eq!(world.delivery(id).await, delivery(endpoint), "a claim is not part of a delivery");
}

/// What is pending to an endpoint stays while it is off.
pub async fn nothing_is_claimed_for_an_endpoint_that_is_off(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let id = world.test(endpoint, base()).await;
    world.switch(endpoint, EndpointState::Off(Some(DisabledReason::Gone))).await;
    let second = world.test(endpoint, at(1)).await;
    assert_eq!(world.claim_at(5, 60).await, []);
    world.switch(endpoint, EndpointState::Active).await;
    assert_eq!(ids(&world.claim_at(5, 60).await), [id, second]);
}

pub async fn only_what_is_pending_is_claimed(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    for state in [DeliveryState::Succeeded, DeliveryState::Failed] {
        world.deliver(WebhookDelivery { state, ..delivery(endpoint) }).await;
    }
    assert_eq!(world.claim_at(5, 60).await, []);
}

pub async fn a_claim_tells_all_that_a_try_needs(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let id = world.endpoint(WebhookEndpoint { description: "Accounting".into(), ..endpoint() }).await;
    let event = world.happens(&[EventType::LeadCreated]).await[0];
    world.queue().await;
    world.test(id, at(2)).await;
    let cleared = world.list_deliveries(&WebhookDeliveryFilter::default()).await;
    let [test, told] = &cleared[..] else { panic!("{cleared:?}") };
    let claim = |delivery: &Stored<WebhookDelivery>, until, endpoint, event| ClaimedDelivery {
        delivery: delivery.clone(),
        held_until: at(until),
        endpoint,
        failing_since: None,
        event,
    };
    let endpoint = world.store.find_endpoint(id).await.unwrap().unwrap();
    let record = world.store.find_event(event, None).await.unwrap();
    assert!(record.is_some());
    let expected = [claim(told, 60, endpoint.clone(), record), claim(test, 60, endpoint.clone(), None)];
    assert_eq!(world.claim_at(5, 60).await, expected);

    assert_eq!(world.store.clear_events(at(1), 100).await.unwrap(), 1);
    let expected = [claim(told, 90, endpoint.clone(), None), claim(test, 90, endpoint, None)];
    assert_eq!(world.claim_at(60, 90).await, expected, "the event was cleared");
}

pub async fn a_try_of_a_claimed_delivery_is_recorded(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let attempts = [
        DeliveryAttempt {
            at: at(3) + tick(),
            status: Some(599),
            milliseconds: u32::MAX >> 1,
            response: "é\n\"🚗".into(),
            error: None,
        },
        DeliveryAttempt { at: at(-3), status: None, milliseconds: 0, response: String::new(), error: Some("refused".into()) },
        attempt(at(1)),
    ];
    let states = [pending(at(70) + tick()), DeliveryState::Succeeded, DeliveryState::Failed];
    for (attempt, state) in attempts.into_iter().zip(states) {
        let id = world.test(endpoint, at(2)).await;
        let claimed = world.claim_at(5, 60).await;
        world.record(&claimed[0], attempt.clone(), state).await;
        let expected = WebhookDelivery { state, tries: 1, attempts: vec![attempt], ..delivery(endpoint) };
        assert_eq!(world.delivery(id).await, expected);
        assert_eq!(world.list_deliveries(&WebhookDeliveryFilter::default()).await[0].value, expected);
    }
    assert_eq!(world.claim_at(70, 80).await, []);
    assert_eq!(world.claim_at(71, 80).await.len(), 1, "the one that is pending");
}

pub async fn several_tries_are_recorded_together(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (one, other) = (world.endpoint(endpoint()).await, world.endpoint(endpoint()).await);
    let due = [world.test(one, base()).await, world.test(other, base()).await, world.test(one, at(1)).await];
    let claimed = world.claim_at(5, 60).await;
    let mut tries: Vec<RecordedAttempt> =
        claimed.iter().map(|claimed| recorded(claimed, attempt(at(6)), DeliveryState::Succeeded)).collect();
    tries[1].held_until = at(61);
    world.store.record_attempts(&tries).await.unwrap();
    world.store.record_attempts(&[]).await.unwrap();
    for id in due {
        let is_recorded = id != tries[1].delivery_id;
        assert_eq!(world.delivery(id).await.tries, u32::from(is_recorded), "each on its own");
    }
}

pub async fn a_try_is_recorded_once(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let id = world.test(endpoint, base()).await;
    let claimed = world.claim_at(5, 60).await.remove(0);
    world.record(&claimed, attempt(at(6)), pending(at(10))).await;
    let first = world.delivery(id).await;
    world.record(&claimed, attempt(at(7)), DeliveryState::Succeeded).await;
    assert_eq!(world.delivery(id).await, first, "the first record ended the claim");
    assert_eq!(world.failing_since(endpoint, 8).await, Some(at(6)), "and the second ended nothing");
    assert_eq!(ids(&world.claim_at(10, 60).await), [id]);
}

pub async fn a_try_whose_claim_was_taken_over_is_not_recorded(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let id = world.test(endpoint, base()).await;
    let late = world.claim_at(5, 60).await.remove(0);
    let taker = world.claim_at(60, 90).await.remove(0);
    world.record(&late, attempt(at(6)), DeliveryState::Failed).await;
    assert_eq!(world.delivery(id).await, delivery(endpoint));
    assert_eq!(world.failing_since(endpoint, 61).await, None);
    assert_eq!(world.claim_at(89, 99).await, [], "the taker's claim is held");
    world.record(&taker, attempt(at(7)), DeliveryState::Succeeded).await;
    assert_eq!(world.delivery(id).await.state, DeliveryState::Succeeded);
}

/// A claim that has run out is still that of its holder until somebody takes it over.
pub async fn a_try_whose_claim_nobody_took_over_is_recorded(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let id = world.test(endpoint, base()).await;
    let late = world.claim_at(5, 60).await.remove(0);
    assert_eq!(world.claim_some(100, 0, &[]).await, []);
    world.record(&late, attempt(at(100)), DeliveryState::Succeeded).await;
    assert_eq!(world.delivery(id).await.state, DeliveryState::Succeeded);
    assert_eq!(world.claim_at(200, 300).await, []);
}

pub async fn the_last_tries_are_kept_and_all_are_counted(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let id = world.test(endpoint, base()).await;
    let mut all = Vec::new();
    for seconds in 1..=25 {
        let claimed = world.claim_at(seconds, 1_000).await.remove(0);
        let attempt = DeliveryAttempt { response: format!("{seconds}"), ..attempt(at(seconds)) };
        all.push(attempt.clone());
        world.record(&claimed, attempt, pending(at(seconds + 1))).await;
        let expected = WebhookDelivery {
            state: pending(at(seconds + 1)),
            tries: u32::try_from(all.len()).unwrap(),
            attempts: all[all.len().saturating_sub(WebhookDelivery::KEPT_ATTEMPTS)..].to_vec(),
            ..delivery(endpoint)
        };
        assert_eq!(world.delivery(id).await, expected);
    }
}

pub async fn an_endpoint_is_failing_since_the_first_try_that_failed(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (id, other) = (world.endpoint(endpoint()).await, world.endpoint(endpoint()).await);
    let steps = [
        (10, pending(at(1_000)), Some(10)),
        (20, DeliveryState::Failed, Some(10)),
        (30, pending(at(1_000)), Some(10)),
        (40, DeliveryState::Succeeded, None),
        (50, DeliveryState::Succeeded, None),
        (60, DeliveryState::Failed, Some(60)),
        (70, DeliveryState::Failed, Some(60)),
    ];
    for (seconds, state, since) in steps {
        world.tries(id, seconds, state).await;
        assert_eq!(world.failing_since(id, seconds).await, since.map(at), "{seconds}");
        assert_eq!(world.failing_since(other, seconds).await, None);
    }
    world.fails(other, 80).await;
    assert_eq!((world.failing_since(id, 90).await, world.failing_since(other, 90).await), (Some(at(60)), Some(at(80))));
}

/// The order in which tries are recorded together does not matter.
pub async fn an_endpoint_that_took_one_of_several_is_not_failing(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let (failed, succeeded) = (DeliveryState::Failed, DeliveryState::Succeeded);
    let outcomes = [
        ([(20, failed), (10, failed)], Some(10)),
        ([(10, failed), (20, succeeded)], None),
        ([(10, succeeded), (20, failed)], None),
        ([(10, succeeded), (20, succeeded)], None),
    ];
    for (tries, since) in outcomes {
        let id = world.endpoint(endpoint()).await;
        let mut batch = Vec::new();
        for (seconds, state) in tries {
            batch.push(recorded(&world.claim_new(id, 5).await, attempt(at(seconds)), state));
        }
        world.store.record_attempts(&batch).await.unwrap();
        assert_eq!(world.failing_since(id, 30).await, since.map(at), "{tries:?}");
    }
}

pub async fn a_delivery_is_queued_again(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    for state in [pending(at(500)), DeliveryState::Succeeded, DeliveryState::Failed] {
        let id = world.test(endpoint, base()).await;
        let claimed = world.claim_at(5, 60).await.remove(0);
        world.record(&claimed, attempt(at(6)), state).await;
        world.quietly(DeliveryChange::Retry { id, at: at(7) + tick() }).await;
        let expected = WebhookDelivery { state: pending(at(7) + tick()), attempts: vec![attempt(at(6))], ..delivery(endpoint) };
        assert_eq!(world.delivery(id).await, expected, "its earlier tries are kept, and not counted");
        assert_eq!(world.claim_at(7, 60).await, []);
        let claimed = world.claim_at(8, 60).await.remove(0);
        assert_eq!(claimed.delivery, Stored { id, value: expected.clone() });
        world.record(&claimed, attempt(at(9)), DeliveryState::Succeeded).await;
        let attempts = vec![attempt(at(6)), attempt(at(9))];
        assert_eq!(world.delivery(id).await, WebhookDelivery { state: DeliveryState::Succeeded, tries: 1, attempts, ..expected });
    }
}

/// The try of one that is queued again meanwhile does not undo that.
pub async fn a_delivery_that_is_queued_again_is_held_by_nobody(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let endpoint = world.endpoint(endpoint()).await;
    let id = world.test(endpoint, base()).await;
    let claimed = world.claim_at(5, 60).await.remove(0);
    world.quietly(DeliveryChange::Retry { id, at: at(6) }).await;
    world.record(&claimed, attempt(at(7)), DeliveryState::Failed).await;
    assert_eq!(world.delivery(id).await, WebhookDelivery { state: pending(at(6)), ..delivery(endpoint) });
    assert_eq!(world.claim_at(6, 99).await.len(), 1);
}

pub async fn what_is_not_there_is_not_delivered(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let missing = [DeliveryChange::Retry { id: nobody(), at: at(1) }, DeliveryChange::Create(delivery(nobody()))];
    for change in missing {
        world.assert_conflict(world.store.write(change.into(), None)).await;
    }
    let attempt =
        RecordedAttempt { delivery_id: nobody(), held_until: at(1), attempt: attempt(at(1)), state: DeliveryState::Succeeded };
    world.store.record_attempts(&[attempt]).await.unwrap();
}

pub async fn an_event_is_needed_until_all_have_taken_it(store: Arc<dyn Repository>) {
    let world = World::new(store);
    world.happens(&[EventType::LeadCreated]).await;
    let needed = async || world.store.first_needed_event().await.unwrap();
    assert_eq!(needed().await, None, "nobody is told");
    let id = world.endpoint(endpoint()).await;
    let other = WebhookEndpoint { event_types: vec![EventPattern::Type(EventType::LeadDeleted)], ..endpoint() };
    let other = world.endpoint(other).await;
    world.test(id, base()).await;
    assert_eq!(needed().await, None, "a test needs no event");

    let events = world.happens(&[EventType::LeadCreated, EventType::LeadDeleted]).await;
    let (first, second): (Option<EventId>, _) = (Some(events[0]), Some(events[1]));
    assert_eq!(needed().await, first);
    world.store.queue_deliveries(at(1), 1).await.unwrap();
    assert_eq!(needed().await, first, "its delivery is pending");
    let claimed = world.claim_at(5, 60).await;
    for claimed in &claimed {
        world.record(claimed, attempt(at(6)), DeliveryState::Failed).await;
    }
    assert_eq!(needed().await, second, "neither has come so far");
    world.queue().await;
    world.switch(id, OFF).await;
    assert_eq!(needed().await, second, "the other needs it");
    let claimed = world.claim_at(7, 60).await.remove(0);
    assert_eq!((claimed.endpoint.id, claimed.event.as_ref().map(|event| event.id)), (other, second));
    world.record(&claimed, attempt(at(8)), pending(at(500))).await;
    assert_eq!(needed().await, second, "it will be tried again");
    world.quietly(DeliveryChange::Retry { id: claimed.delivery.id, at: at(9) }).await;
    let claimed = world.claim_at(9, 60).await.remove(0);
    world.record(&claimed, attempt(at(9)), DeliveryState::Succeeded).await;
    assert_eq!(needed().await, None, "one that is off needs nothing");
    world.switch(id, EndpointState::Active).await;
    assert_eq!(needed().await, second);
    for claimed in world.claim_at(10, 60).await {
        world.record(&claimed, attempt(at(11)), DeliveryState::Succeeded).await;
    }
    assert_eq!(needed().await, None);
    let filter = WebhookDeliveryFilter { endpoint_id: Some(id), status: Some(DeliveryStatus::Failed) };
    let failed = world.list_deliveries(&filter).await;
    let of_first = failed.iter().find(|row| row.message.event_id() == first).unwrap().id;
    world.quietly(DeliveryChange::Retry { id: of_first, at: at(12) }).await;
    assert_eq!(needed().await, first, "it is queued again");
}

pub async fn old_deliveries_are_purged_some_at_a_time(store: Arc<dyn Repository>) {
    let world = World::new(store);
    let on = world.endpoint(endpoint()).await;
    let off = world.endpoint(WebhookEndpoint { state: OFF, ..endpoint() }).await;
    for endpoint in [on, off] {
        for state in [pending(at(-50)), DeliveryState::Succeeded, DeliveryState::Failed] {
            for created_at in [at(-9), at(-8)] {
                world.deliver(WebhookDelivery { state, created_at, ..delivery(endpoint) }).await;
            }
        }
    }
    let purge = async |before, limit| world.store.purge_deliveries(before, limit).await.unwrap();
    assert_eq!(purge(at(-9), 10).await, 0, "one that was created then was not created before");
    assert_eq!(purge(at(-8), 10).await, 2 + 3);
    assert!(
        world
            .list_deliveries(&WebhookDeliveryFilter::default())
            .await
            .iter()
            .all(|row| { row.created_at == at(-8) || (row.endpoint_id == on && row.state == pending(at(-50))) })
    );
    assert_eq!(purge(at(100), 2).await, 2);
    assert_eq!(purge(at(100), 10).await, 3);
    assert_eq!(purge(at(100), 10).await, 0);
    let left = world.list_deliveries(&WebhookDeliveryFilter::default()).await;
    assert!(left.len() == 2 && left.iter().all(|row| row.endpoint_id == on && row.state == pending(at(-50))), "{left:?}");
    world.switch(on, OFF).await;
    assert_eq!(purge(at(100), 10).await, 2, "those are due to nobody any more");
}
