//! Subscriptions: events as they come, of all processes, in order.
//!
//! Rules 8.4, 8.5 and 8.7.

use std::pin::Pin;

use futures_util::stream::{Stream, StreamExt as _};

use super::Handles;
use super::processes::{Processes, ROUNDS, offer_of, terms};
use super::race::together;
use crate::Error;
use crate::event::{EventRecord, EventType};
use crate::id::{EventId, Stored};
use crate::model::{Role, ServiceKind};
use crate::permission::Actor;
use crate::repository::EventFilter;

type Events = Pin<Box<dyn Stream<Item = Result<Stored<EventRecord>, Error>> + Send>>;

impl Processes {
    /// A subscription at one of the two processes.
    fn subscribed(&self, actor: &Actor, after: Option<EventId>, filter: EventFilter) -> Events {
        Box::pin(self.engine().subscribe(actor, after, filter).unwrap())
    }
}

/// The next events, so many of them.
async fn take(events: &mut Events, count: usize) -> Vec<Stored<EventRecord>> {
    events.take(count).map(Result::unwrap).collect().await
}

/// While many write at two processes, subscribers at both get everything once and in order.
pub async fn subscribers_get_every_event_of_all_processes_in_order(handles: Handles) {
    const WRITERS: usize = 4;
    let processes = Processes::start(handles);
    let owners = processes.customers(WRITERS).await;
    let before = processes.engine().last_event(&Actor::System).await.unwrap();
    let count = WRITERS * *ROUNDS;
    let subscribers = (0..4).map(|_| {
        let mut events = processes.subscribed(&Actor::System, before, EventFilter::default());
        tokio::spawn(async move { take(&mut events, count).await })
    });
    let subscribers: Vec<_> = subscribers.collect();
    let writers = owners.into_iter().map(|owner| {
        let engine = processes.engine();
        async move {
            for round in 0..*ROUNDS {
                let vin = format!("1HGCM82633A{:06}", owner.user().unwrap().get() * 1_000 + i64::try_from(round).unwrap());
                let draft = serde_json::json!({"vin": vin, "make": "Honda", "model": "Accord", "year": 2003});
                engine.create_vehicle(&owner, &serde_json::from_value(draft).unwrap()).await.unwrap();
            }
        }
    });
    together(writers).await;
    let all = processes.engine().events_after(&Actor::System, before, 1_000, EventFilter::default()).await.unwrap();
    assert_eq!(all.len(), count.min(1_000));
    for subscriber in subscribers {
        let read = subscriber.await.unwrap();
        assert!(read[..all.len()] == all, "a subscriber got other events, or in another order");
    }
}

pub async fn a_subscription_begins_where_it_is_told_to(handles: Handles) {
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let owner = processes.actor(Role::Customer).await;
    let trade = processes.offer(&owner, sell).await.trade;
    let engine = processes.engine();
    let all = engine.events_after(&Actor::System, None, 100, EventFilter::default()).await.unwrap();
    let last = engine.last_event(&Actor::System).await.unwrap();
    assert_eq!(last, all.last().map(|event| event.id));

    let mut from_now_on = processes.subscribed(&Actor::System, last, EventFilter::default());
    let mut from_the_first_on = processes.subscribed(&Actor::System, None, EventFilter::default());
    let mut from_the_second_on = processes.subscribed(&Actor::System, Some(all[0].id), EventFilter::default());
    assert_eq!(take(&mut from_the_first_on, all.len()).await, all);
    assert_eq!(take(&mut from_the_second_on, all.len() - 1).await, all[1..]);

    engine.propose(&owner, trade, &terms(ServiceKind::Sell)).await.unwrap();
    let new = engine.events_after(&Actor::System, last, 100, EventFilter::default()).await.unwrap();
    assert!(new.len() > 1);
    for events in [&mut from_now_on, &mut from_the_first_on, &mut from_the_second_on] {
        assert_eq!(take(events, new.len()).await, new);
    }
}

/// What others do in the same trade does not arrive.
pub async fn a_subscriber_gets_what_they_may_see_and_asked_for(handles: Handles) {
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let people = processes.customers(3).await;
    let [owner, bidder, other] = people[..] else { unreachable!() };
    let vehicle = processes.vehicle(&owner).await;
    let engine = processes.engine();
    let mut of_bidder = processes.subscribed(&bidder, None, EventFilter::default());
    let made = EventFilter { types: vec![EventType::ProposalMade], ..EventFilter::default() };
    let mut made = processes.subscribed(&owner, None, made);

    let trade = engine.open_trade(&owner, &offer_of(vehicle, sell)).await.unwrap().stored.id;
    for actor in [&owner, &bidder, &other, &other, &bidder] {
        engine.propose(actor, trade, &terms(ServiceKind::Sell)).await.unwrap();
    }
    let authors = |events: Vec<Stored<EventRecord>>| events.iter().map(|event| event.actor.user_id()).collect::<Vec<_>>();
    let made = authors(take(&mut made, 5).await);
    assert_eq!(made, [&owner, &bidder, &other, &other, &bidder].map(Actor::user));

    // Their own proposals, one of them superseded; the owner's, unless it was read before they took part.
    let seen = take(&mut of_bidder, 3).await;
    let own = seen.iter().filter(|event| event.actor.user_id() == bidder.user()).count();
    assert!(own > 0 && seen.iter().all(|event| event.actor.user_id() != other.user()), "{seen:?}");
    assert!(processes.engine().subscribe(&Actor::Anonymous, None, EventFilter::default()).is_err());
}
