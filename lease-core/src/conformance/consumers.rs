//! Consumers of events: where they are is kept, so that each event is reacted to at least once.
//!
//! Rule 8.7.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Handles;
use super::build::*;
use super::processes::Processes;
use super::race::together;
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::engine::EventConsumer;
use crate::event::{Audience, ConsumerName, Event, EventType, NewRow};
use crate::id::EventId;
use crate::permission::Actor;
use crate::repository::{Commit, Envelope, EventFilter, Repository};

fn named(name: &str) -> ConsumerName {
    name.parse().unwrap()
}

fn event(number: i64) -> EventId {
    EventId::new(number).unwrap()
}

fn of_type(event_type: EventType) -> EventFilter {
    EventFilter { types: vec![event_type], ..EventFilter::default() }
}

/// A new lead with one event, and this many others of another type.
fn a_lead_and(others: usize) -> Commit {
    let of_type = |event_type| Event::new(event_type, NewRow::Lead, Audience::Staff);
    let mut events = vec![of_type(EventType::LeadCreated)];
    events.extend((0..others).map(|_| of_type(EventType::LeadUpdated)));
    let change = LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep };
    Commit::new(Envelope { events, ..Envelope::new(Actor::System, base()) }, change)
}

/// Each consumer has a position of its own, which every process sees.
pub async fn a_position_goes_forward_and_never_back(Handles([store, other]): Handles) {
    let (mails, prints) = (named("mails"), named("prints"));
    assert_eq!(store.consumer_position(&mails).await.unwrap(), None);
    for (to, position) in [(5, 5), (3, 5), (5, 5), (9, 9), (i64::MAX, i64::MAX)] {
        assert_eq!(store.move_consumer(&mails, event(to)).await.unwrap(), event(position));
        assert_eq!(other.consumer_position(&mails).await.unwrap(), Some(event(position)));
    }
    assert_eq!(other.consumer_position(&prints).await.unwrap(), None);
    assert_eq!(other.move_consumer(&prints, event(1)).await.unwrap(), event(1));
    assert_eq!(store.consumer_position(&mails).await.unwrap(), Some(event(i64::MAX)));
}

pub async fn of_many_positions_the_furthest_stays(Handles(stores): Handles) {
    let moves = (1..=30).zip(stores.clone().into_iter().cycle()).map(|(to, store)| async move {
        let position = store.move_consumer(&named("a"), event(to)).await.unwrap();
        assert!(position >= event(to));
    });
    together(moves).await;
    assert_eq!(stores[0].consumer_position(&named("a")).await.unwrap(), Some(event(30)));
}

pub async fn a_consumer_that_is_removed_begins_anew(store: Arc<dyn Repository>) {
    let (one, other) = (named("one"), named("other"));
    for name in [&one, &other] {
        store.move_consumer(name, event(7)).await.unwrap();
    }
    assert!(store.remove_consumer(&one).await.unwrap());
    assert!(!store.remove_consumer(&one).await.unwrap());
    assert_eq!(store.consumer_position(&one).await.unwrap(), None);
    assert_eq!(store.consumer_position(&other).await.unwrap(), Some(event(7)));
    assert_eq!(store.move_consumer(&one, event(2)).await.unwrap(), event(2));
}

/// Whoever dies between the reaction and its being done reacts again, at another process too; and to each event at least once.
pub async fn a_consumer_that_dies_before_it_is_done_gets_the_event_again(handles: Handles) {
    const LEADS: usize = 12;
    let processes = Processes::start(handles);
    let start = async || -> EventConsumer {
        let consumer = processes.engine().consumer(&named("mails"), of_type(EventType::LeadCreated)).await;
        consumer.unwrap()
    };
    for _ in 0..LEADS {
        processes.world.store.commit(&a_lead_and(1)).await.unwrap();
    }
    let mut reactions: BTreeMap<EventId, usize> = BTreeMap::new();
    let mut consumer = start().await;
    for turn in 0.. {
        let event = consumer.next().await.unwrap();
        *reactions.entry(event.id).or_default() += 1;
        if turn % 3 == 1 {
            // It dies here.
            consumer = start().await;
            continue;
        }
        consumer.done(&event).await.unwrap();
        if turn % 5 == 0 {
            // Or here.
            consumer = start().await;
        }
        if reactions.len() == LEADS {
            break;
        }
    }
    let created = processes.world.store.events_after(None, 100, &of_type(EventType::LeadCreated)).await.unwrap();
    assert_eq!(created.iter().map(|event| event.id).collect::<Vec<_>>(), reactions.keys().copied().collect::<Vec<_>>());
    assert!(reactions.values().any(|times| *times > 1), "{reactions:?}");
    // One that is done does not come again.
    processes.world.store.commit(&a_lead_and(0)).await.unwrap();
    let next = start().await.next().await.unwrap();
    assert!(reactions.keys().all(|done| *done < next.id));
}

/// Its position is stored now and then, so that old events can be cleared.
pub async fn a_consumer_for_whom_there_is_nothing_moves_on(handles: Handles) {
    let processes = Processes::start(handles);
    let world = &processes.world;
    let engine = processes.engine();
    let position = async || world.store.consumer_position(&named("mails")).await.unwrap();
    let mut consumer = engine.consumer(&named("mails"), of_type(EventType::LeadCreated)).await.unwrap();

    // What was read behind the event is done with it.
    world.store.commit(&a_lead_and(5)).await.unwrap();
    let first = consumer.next().await.unwrap();
    consumer.done(&first).await.unwrap();
    assert_eq!(position().await, world.store.last_event().await.unwrap());

    let mut others = a_lead_and(1_001);
    others.envelope.events.remove(0);
    world.store.commit(&others).await.unwrap();
    let last = world.store.last_event().await.unwrap();
    let mut next = std::pin::pin!(consumer.next());
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while position().await != last {
        tokio::select! {
            event = &mut next => panic!("{event:?} was not expected"),
            _ = looks.tick() => {}
        }
    }
}

/// A new consumer may begin with what happens from now on.
pub async fn a_consumer_may_pass_over_what_was_before(handles: Handles) {
    let processes = Processes::start(handles);
    let engine = processes.engine();
    processes.world.store.commit(&a_lead_and(3)).await.unwrap();
    let mut consumer = engine.consumer(&named("mails"), EventFilter::default()).await.unwrap();
    let first = consumer.next().await.unwrap();
    let last = engine.last_event(&Actor::System).await.unwrap().unwrap();
    assert!(first.id < last);
    consumer.skip_to(last).await.unwrap();
    processes.world.store.commit(&a_lead_and(0)).await.unwrap();
    assert!(consumer.next().await.unwrap().id > last);
    assert_eq!(processes.world.store.consumer_position(&named("mails")).await.unwrap(), Some(last));
}
