//! Races for webhook deliveries: none is skipped, and none is queued, claimed or recorded twice.
//!
//! Rule 9.2.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Handles;
use super::build::*;
use super::deliveries::recorded;
use super::race::{RACERS, ROUNDS, together};
use super::webhooks::happening;
use super::world::World;
use crate::decision::RowChange;
use crate::event::EventType;
use crate::id::{EventId, Version, WebhookDeliveryId};
use crate::model::*;
use crate::permission::Actor;
use crate::repository::*;
use crate::webhook::{DeliveryChange, WebhookEndpointChange};

type Racer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Events are committed while several processes queue them: for each endpoint, each is queued once and none is skipped.
pub async fn every_event_is_queued_once_while_many_write(handles: Handles) {
    let world = World::new(handles);
    let endpoints = [world.endpoint(endpoint()).await, world.endpoint(endpoint()).await];
    let before = world.store.last_event().await.unwrap();
    let writing = Arc::new(AtomicUsize::new(RACERS.into()));
    let writers = (0..RACERS).map(|_| {
        let (store, writing) = (world.handle(), Arc::clone(&writing));
        Box::pin(async move {
            for round in 0..ROUNDS {
                store.commit(&happening(&vec![EventType::LeadCreated; 1 + usize::from(round % 3)])).await.unwrap();
            }
            writing.fetch_sub(1, Ordering::SeqCst);
            0_u64
        }) as Racer<u64>
    });
    let queuers = (0..4).map(|_| {
        let (store, writing) = (world.handle(), Arc::clone(&writing));
        Box::pin(async move {
            let mut taken = 0_u64;
            while writing.load(Ordering::SeqCst) > 0 {
                taken += store.queue_deliveries(at(1), 3).await.unwrap();
                tokio::task::yield_now().await;
            }
            taken
        }) as Racer<u64>
    });
    let mut taken: u64 = together(writers.chain(queuers)).await.into_iter().sum();
    taken += world.queue().await;
    let mut events: Vec<EventId> = Vec::new();
    while let more = world.store.events_after(events.last().copied().or(before), 100, &EventFilter::default()).await.unwrap()
        && !more.is_empty()
    {
        events.extend(more.iter().map(|event| event.id));
    }
    for endpoint in endpoints {
        assert_eq!(world.told(endpoint).await, events);
    }
    assert_eq!(taken, 2 * u64::try_from(events.len()).unwrap());
}

pub async fn a_delivery_is_claimed_by_one_of_many(handles: Handles) {
    let world = World::new(handles);
    for round in 1..=i64::from(ROUNDS) {
        let mut due = BTreeSet::new();
        for endpoint in [world.endpoint(endpoint()).await, world.endpoint(endpoint()).await] {
            for _ in 0..RACERS {
                due.insert(world.test(endpoint, base()).await);
            }
        }
        let racers = (0..RACERS).map(|_| {
            let store = world.handle();
            async move {
                let mut claimed = Vec::new();
                for _ in 0..3 {
                    claimed.extend(store.claim_deliveries(at(round), at(1_000), 2, &[]).await.unwrap());
                }
                claimed
            }
        });
        let mut claimed = together(racers).await.concat();
        claimed.extend(world.claim_at(round, 1_000).await);
        let ids: Vec<WebhookDeliveryId> = claimed.iter().map(|claimed| claimed.delivery.id).collect();
        assert_eq!((ids.len(), ids.into_iter().collect()), (due.len(), due));
        let tries: Vec<RecordedAttempt> =
            claimed.iter().map(|claimed| recorded(claimed, attempt(at(round)), DeliveryState::Succeeded)).collect();
        world.store.record_attempts(&tries).await.unwrap();
    }
}

/// A try is recorded, or its delivery is claimed by another because the claim has run out: never both.
pub async fn recording_a_try_and_taking_it_over_exclude_each_other(handles: Handles) {
    let world = World::new(handles);
    let endpoint = world.endpoint(endpoint()).await;
    for _ in 0..ROUNDS {
        let id = world.test(endpoint, base()).await;
        let late = world.claim_at(5, 60).await.remove(0);
        let (recorder, other) = (world.handle(), world.handle());
        let tried = recorded(&late, attempt(at(6)), DeliveryState::Succeeded);
        let racers: [Racer<usize>; 2] = [
            Box::pin(async move { recorder.record_attempts(&[tried]).await.map(|()| 0).unwrap() }),
            Box::pin(async move { other.claim_deliveries(at(60), at(90), 9, &[]).await.unwrap().len() }),
        ];
        let taken: usize = together(racers).await.into_iter().sum();
        let is_recorded = world.delivery(id).await.tries == 1;
        assert_eq!(taken, usize::from(!is_recorded));
        // Nothing is left for the next round.
        let left = world.claim_at(90, 99).await;
        for claimed in &left {
            world.record(claimed, attempt(at(91)), DeliveryState::Succeeded).await;
        }
        assert_eq!(left.len(), taken);
    }
}

/// A delivery is queued again while it is tried: that is never undone, whether the try is recorded before or not at all.
pub async fn recording_a_try_does_not_undo_queueing_again(handles: Handles) {
    let world = World::new(handles);
    let endpoint = world.endpoint(endpoint()).await;
    for _ in 0..ROUNDS {
        let id = world.test(endpoint, base()).await;
        let claimed = world.claim_at(5, 60).await.remove(0);
        let (witness, other) = (world.handle(), world.handle());
        let tried = recorded(&claimed, attempt(at(6)), DeliveryState::Succeeded);
        let again = Commit::new(Envelope::new(Actor::System, base()), DeliveryChange::Retry { id, at: at(500) });
        let racers: [Racer<()>; 2] = [
            Box::pin(async move { witness.record_attempts(&[tried]).await.unwrap() }),
            Box::pin(async move { other.commit(&again).await.map(drop).unwrap() }),
        ];
        together(racers).await;
        let queued = WebhookDelivery { state: DeliveryState::Pending { next_attempt_at: at(500) }, ..delivery(endpoint) };
        let recorded = WebhookDelivery { attempts: vec![attempt(at(6))], ..queued.clone() };
        let found = world.delivery(id).await;
        assert!(found == queued || found == recorded, "{found:?}");
    }
}

/// What is queued for an endpoint while it is deleted goes with it.
pub async fn an_endpoint_that_is_deleted_meanwhile_leaves_no_deliveries(handles: Handles) {
    let world = World::new(handles);
    let other = world.endpoint(endpoint()).await;
    for _ in 0..ROUNDS {
        let id = world.endpoint(endpoint()).await;
        world.happens(&[EventType::LeadCreated; 3]).await;
        let delete = WebhookEndpointChange { endpoint: RowChange::Delete { id, expected: Version::FIRST }, start: None };
        let delete = Commit::new(Envelope::new(Actor::System, base()), delete);
        let deletes = world.handle();
        let mut racers: Vec<Racer<()>> = vec![Box::pin(async move { deletes.commit(&delete).await.map(drop).unwrap() })];
        for _ in 0..3 {
            let queues = world.handle();
            racers.push(Box::pin(async move { queues.queue_deliveries(at(1), 2).await.map(drop).unwrap() }));
        }
        together(racers).await;
        assert_eq!(world.told(id).await, []);
    }
    world.queue().await;
    assert_eq!(world.told(other).await.len(), 3 * usize::from(ROUNDS));
}
