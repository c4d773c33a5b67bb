//! Events that are cleared: oldest first, a bounded number at a time, and never unnoticed by who reads forward.
//!
//! Rules 8.4, 8.5 and 8.9.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Duration, Utc};

use super::Handles;
use super::build::*;
use super::processes::{Processes, ROUNDS, offer_of, terms};
use super::world::World;
use crate::decision::RowChange;
use crate::directory::{ContactsOfLead, LeadChange};
use crate::event::{Audience, Event, EventRecord, EventType, NewRow, SubjectKind, Viewer};
use crate::gateway::SandboxGateway;
use crate::id::{EventId, Stored};
use crate::model::{ProposalState, Role, ServiceKind};
use crate::page::{Cursor, PageRequest};
use crate::permission::Actor;
use crate::policy::Policy;
use crate::repository::{Commit, Envelope, EventFilter, Repository};
use crate::{Error, LeaseEngine};

/// A commit of a lead, with its event, at this instant.
fn lead_at(at: DateTime<Utc>) -> Commit {
    let events = vec![Event::new(EventType::LeadCreated, NewRow::Lead, Audience::Staff)];
    let change = LeadChange { lead: RowChange::Create(lead()), contacts: ContactsOfLead::Keep };
    Commit::new(Envelope { events, ..Envelope::new(Actor::System, at) }, change)
}

async fn make(store: &dyn Repository, at: DateTime<Utc>) {
    store.commit(&lead_at(at)).await.unwrap();
}

async fn all(store: &dyn Repository) -> Vec<Stored<EventRecord>> {
    store.events_after(None, 1_000, &EventFilter::default()).await.unwrap()
}

fn ids(events: &[Stored<EventRecord>]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

pub async fn events_are_cleared_oldest_first_and_no_more_than_asked(store: Arc<dyn Repository>) {
    let store = &*store;
    assert_eq!(store.clear_events(at(100), 10).await.unwrap(), 0);
    assert_eq!(store.cleared_events().await.unwrap(), None);
    // The fourth happened late, and the fifth is about something earlier.
    for seconds in [10, 20, 30, 90, 15] {
        make(store, at(seconds)).await;
    }
    let made = all(store).await;
    assert_eq!(store.clear_events(at(10), 10).await.unwrap(), 0, "before that instant, not at it");
    assert_eq!((all(store).await, store.cleared_events().await.unwrap()), (made.clone(), None));

    assert_eq!(store.clear_events(at(50), 2).await.unwrap(), 2);
    assert_eq!(all(store).await, made[2..]);
    assert_eq!(store.cleared_events().await.unwrap(), Some(made[1].id));
    assert_eq!(store.clear_events(at(50), 10).await.unwrap(), 1, "up to the first that happened later");
    assert_eq!(store.clear_events(at(50), 10).await.unwrap(), 0);
    assert_eq!(store.cleared_events().await.unwrap(), Some(made[2].id));

    let page = PageRequest::new(10, Some(Cursor::Before(made[0].id.get().into()))).unwrap();
    for page in [PageRequest::default(), page] {
        let listed = store.list_events(&EventFilter::default(), page).await.unwrap().items;
        assert_eq!(ids(&listed), [made[4].id, made[3].id]);
    }
    let about = |event: &Stored<EventRecord>| EventFilter {
        subject: Some((SubjectKind::Lead, event.subject_id.unwrap())),
        ..EventFilter::default()
    };
    for (place, event) in made.iter().enumerate() {
        let is_there = place > 2;
        assert_eq!(store.find_event(event.id, None).await.unwrap().is_some(), is_there);
        assert_eq!(store.events_after(None, 10, &about(event)).await.unwrap().len(), usize::from(is_there));
    }
    assert_eq!(store.events_after(Some(made[0].id), 1, &EventFilter::default()).await.unwrap(), made[3..4]);
}

pub async fn ids_go_on_after_all_events_were_cleared(handles: Handles) {
    let world = World::new(handles);
    let mut last = None;
    for round in 0..3 {
        for _ in 0..3 {
            make(&*world.handle(), at(round)).await;
        }
        let made = all(&*world.handle()).await;
        assert_eq!(made.len(), 3);
        assert!(last < Some(made[0].id), "an id is given once");
        last = made.last().map(|event| event.id);
        assert_eq!(world.handle().clear_events(at(100), 10).await.unwrap(), 3);
        assert_eq!(all(&*world.handle()).await, []);
        assert_eq!(world.handle().cleared_events().await.unwrap(), last);
    }
}

/// Whoever goes on from an event after which others were cleared is told so, by whatever way they read.
pub async fn a_reader_that_is_too_late_is_told_so(handles: Handles) {
    let processes = Processes::start(handles);
    let (engine, clerk) = (processes.engine(), processes.actor(Role::Staff).await);
    let store = &*processes.world.store;
    let before = all(store).await.len();
    for seconds in 0..6 {
        make(store, at(seconds)).await;
    }
    let made = all(store).await.split_off(before);
    let page = |cursor| PageRequest::new(2, cursor).unwrap();
    let forward =
        async |after: Option<EventId>, cursor| engine.events_forward(&clerk, after, EventFilter::default(), page(cursor)).await;
    let first = forward(Some(made[0].id), None).await.unwrap();
    let second = forward(Some(made[0].id), first.next).await.unwrap();
    assert_eq!(store.clear_events(at(3), 100).await.unwrap(), u64::try_from(before).unwrap() + 3);

    for (place, event) in made.iter().enumerate() {
        let read = engine.events_after(&clerk, Some(event.id), 100, EventFilter::default()).await;
        let of_a_page = forward(Some(event.id), None).await;
        if place < 2 {
            assert!(matches!(read, Err(Error::EventsGone)), "{place}: {read:?}");
            assert_eq!(of_a_page.unwrap_err().code(), "events_gone");
        } else {
            assert_eq!(read.unwrap(), made[place + 1..], "nothing is missing");
            assert_eq!(of_a_page.unwrap().items, made[place + 1..].iter().take(2).cloned().collect::<Vec<_>>());
        }
    }
    let anew = engine.events_after(&clerk, None, 100, EventFilter::default()).await.unwrap();
    assert_eq!(anew, made[3..], "from the first that is still there");
    assert_eq!(forward(None, None).await.unwrap().items, made[3..5]);
    // The first page ended at the last event that was cleared, the second at one that is there.
    assert_eq!(first.items, made[1..3]);
    assert_eq!(forward(Some(made[0].id), first.next).await.unwrap().items, made[3..5]);
    assert_eq!(store.clear_events(at(4), 100).await.unwrap(), 1);
    assert_eq!(forward(Some(made[0].id), first.next).await.unwrap_err().code(), "events_gone");
    assert_eq!(forward(Some(made[0].id), second.next).await.unwrap().items, made[5..]);
    let back = forward(Some(made[0].id), second.previous).await.unwrap();
    assert_eq!(back.items, [], "the way back shows what is there");
    let newest = engine.events(&clerk, EventFilter::default(), PageRequest::default()).await.unwrap().items;
    assert_eq!(ids(&newest), [made[5].id, made[4].id]);
}

/// Rules 8.4 and 8.9: of what was cleared nobody sees anything, and a new member sees what is still there.
pub async fn what_was_cleared_is_seen_by_nobody(handles: Handles) {
    let processes = Processes::start(handles);
    let sell = processes.world.service(ServiceKind::Sell).await;
    let people = processes.customers(3).await;
    let [owner, bidder, late] = people[..] else { unreachable!() };
    let engine = processes.engine();
    let trade = engine.open_trade(&owner, &offer_of(processes.vehicle(&owner).await, sell)).await.unwrap().stored.id;
    engine.propose(&owner, trade, &terms(ServiceKind::Sell)).await.unwrap();
    engine.propose(&bidder, trade, &terms(ServiceKind::Sell)).await.unwrap();
    processes.clock.advance(Duration::hours(1));
    let kept = crate::clock::Clock::now(&*processes.clock);
    engine.propose(&owner, trade, &terms(ServiceKind::Sell)).await.unwrap();
    let of_trade = EventFilter { trade_id: Some(trade), ..EventFilter::default() };
    let seen_by = async |viewer: &Actor| {
        let found = engine.events_after(viewer, None, 100, of_trade.clone()).await.unwrap();
        let history = engine.trade_history(viewer, trade, PageRequest::default()).await;
        assert!(history.is_err() || history.unwrap().items == found);
        found.iter().map(|event| <&str>::from(event.event_type)).collect::<Vec<_>>()
    };
    let superseding = ["proposal.superseded", "proposal.made"];
    assert_eq!(seen_by(&owner).await, [&["trade.opened", "proposal.made", "proposal.made"], &superseding[..]].concat());

    let store = &*processes.world.store;
    assert!(store.clear_events(kept, 1_000).await.unwrap() > 2);
    assert_eq!(store.clear_events(kept, 1_000).await.unwrap(), 0);
    for viewer in [owner, bidder] {
        assert_eq!(seen_by(&viewer).await, superseding);
        let own = Viewer { user: viewer.user().unwrap(), customer: viewer.customer() };
        let filter = EventFilter { visible_to: Some(own), ..EventFilter::default() };
        assert_eq!(store.list_events(&filter, PageRequest::default()).await.unwrap().items.len(), 2);
    }
    engine.propose(&late, trade, &terms(ServiceKind::Sell)).await.unwrap();
    assert_eq!(seen_by(&late).await, [&superseding[..], &["proposal.made"]].concat());
    // I9: that the first steps have no events any more is no violation, but that a later one has none.
    let mut books = processes.books().await;
    let last = books.proposals.last_mut().unwrap();
    last.value.state = ProposalState::Withdrawn { at: kept };
    let found = format!("I9: proposal.withdrawn of {} was recorded 0 times", last.id);
    assert_eq!(books.violations(), [found]);
    store.clear_events(at(1_000_000), 1_000).await.unwrap();
    processes.books().await;
}

/// The policy says how long events are kept.
pub async fn the_engine_clears_what_the_policy_does_not_keep(handles: Handles) {
    let processes = Processes::start(handles);
    make(&*processes.world.store, at(0)).await;
    make(&*processes.world.store, at(60)).await;
    let events = all(&*processes.world.store).await;
    let keeping = |kept| {
        let policy = Policy::default().with_event_retention(kept);
        LeaseEngine::builder(processes.world.handle(), Arc::new(SandboxGateway::new()))
            .clock(processes.clock.clone())
            .policy(policy)
            .build()
            .unwrap()
    };
    processes.clock.set(at(60) + Duration::days(1));
    assert_eq!(keeping(None).clear_events().await.unwrap(), 0);
    assert_eq!(keeping(Some(Duration::days(2))).clear_events().await.unwrap(), 0);
    assert_eq!(keeping(Some(Duration::MAX)).clear_events().await.unwrap(), 0);
    assert_eq!(all(&*processes.world.store).await, events);
    assert_eq!(keeping(Some(Duration::days(1))).clear_events().await.unwrap(), 1, "one that is just a day old stays");
    assert_eq!(all(&*processes.world.store).await, events[1..]);
    assert_eq!(keeping(Some(Duration::days(1))).clear_events().await.unwrap(), 0);
}

/// Events are written, cleared and read at the same time: a reader misses none, or is told. The readers go on by one event at a
/// time, so that they fall behind.
pub async fn who_reads_while_events_are_cleared_misses_none_unknowingly(handles: Handles) {
    const READERS: usize = 3;
    let processes = Processes::start(handles);
    let clerk = processes.actor(Role::Staff).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let readers = (0..READERS).map(|_| {
        let (engine, is_over) = (processes.engine(), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut last: Option<Stored<EventRecord>> = None;
            while !is_over.load(Ordering::SeqCst) {
                let after = last.as_ref().map(|event| event.id);
                match engine.events_after(&clerk, after, 5, EventFilter::default()).await {
                    Ok(events) => {
                        let ids: Vec<i64> = last.iter().chain(&events).map(|event| event.id.get()).collect();
                        assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{ids:?}");
                        last = events.into_iter().next().or(last);
                    }
                    Err(Error::EventsGone) => last = None,
                    Err(other) => panic!("{other:?}"),
                }
                tokio::task::yield_now().await;
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    for _ in 0..*ROUNDS {
        for _ in 0..5 {
            make(&*processes.world.handle(), base()).await;
            tokio::task::yield_now().await;
        }
        let store = processes.world.handle();
        // Only what has its place in the order is cleared, and the readers may not have come by yet.
        store.place_events(1_000).await.unwrap();
        assert_eq!(store.clear_events(at(1_000_000), 4).await.unwrap(), 4);
    }
    is_over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap();
    }
}
