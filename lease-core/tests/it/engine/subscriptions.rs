//! Subscriptions and consumers with a store that counts, and that fails (rule 8.7). The clock is paused: waiting takes no time.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::stream::{Stream, StreamExt as _};
use lease_core::Error;
use lease_core::event::{ConsumerName, EventActor, EventRecord, EventType, InvalidConsumerName};
use lease_core::id::{EventId, Stored};
use lease_core::repository::EventFilter;
use tokio::time::timeout;

use super::*;

/// A log of events, all alike, and what was asked of it.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    events: AtomicUsize,
    looks: Calls,
    readings: Calls,
    position: AtomicUsize,
    cleared: AtomicUsize,
}

#[derive(Debug, Default)]
struct Calls {
    count: AtomicUsize,
    /// How many of the next ones fail.
    failures: AtomicUsize,
}

impl Calls {
    fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    fn fail(&self, times: usize) {
        self.failures.store(times, Ordering::SeqCst);
    }

    fn answer<T>(&self, answer: T) -> Result<T, RepositoryError> {
        self.count.fetch_add(1, Ordering::SeqCst);
        let fails = self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if fails.is_ok() { Err(unavailable()) } else { Ok(answer) }
    }
}

impl Log {
    fn of(events: usize) -> Self {
        let log = Self::default();
        log.grow(events);
        log
    }

    fn grow(&self, by: usize) {
        self.0.events.fetch_add(by, Ordering::SeqCst);
    }

    fn position(&self) -> usize {
        self.0.position.load(Ordering::SeqCst)
    }

    fn clear(&self, up_to: usize) {
        self.0.cleared.store(up_to, Ordering::SeqCst);
    }

    fn cleared(&self) -> Option<EventId> {
        EventId::new(self.0.cleared.load(Ordering::SeqCst).try_into().unwrap())
    }

    fn newest(&self) -> Option<EventId> {
        EventId::new(self.0.events.load(Ordering::SeqCst).try_into().unwrap())
    }

    /// An engine on it. Only every `nth` event fulfils a filter.
    fn engine(&self, nth: i64) -> LeaseEngine {
        let mut store = MockRepository::new();
        let log = self.clone();
        let cleared = self.clone();
        store.expect_cleared_events().returning(move || Ok(cleared.cleared()));
        store.expect_last_event().returning(move || log.0.looks.answer(log.newest()));
        let log = self.clone();
        store.expect_events_after().returning(move |after, limit, _| {
            let newest = log.newest().map_or(0, EventId::get);
            let found = (after.map_or(0, EventId::get) + 1..=newest).filter(|id| id % nth == 0).take(limit as usize);
            log.0.readings.answer(found.map(event).collect())
        });
        let log = self.clone();
        store.expect_consumer_position().returning(move |_| Ok(EventId::new(log.position().try_into().unwrap())));
        let log = self.clone();
        store.expect_move_consumer().returning(move |_, to| {
            log.0.position.fetch_max(to.get().try_into().unwrap(), Ordering::SeqCst);
            Ok(to)
        });
        engine(store)
    }
}

fn event(number: i64) -> Stored<EventRecord> {
    let value = EventRecord {
        event_type: EventType::LeadUpdated,
        occurred_at: now(),
        actor: EventActor::System,
        request_id: None,
        subject_id: Some(1),
        trade_id: None,
        data: serde_json::Map::new(),
        changes: serde_json::Map::new(),
    };
    Stored { id: id(number), value }
}

type Events = Pin<Box<dyn Stream<Item = Result<Stored<EventRecord>, Error>> + Send>>;

fn subscribe(engine: &LeaseEngine, after: Option<EventId>) -> Events {
    Box::pin(engine.subscribe(&staff(), after, EventFilter::default()).unwrap())
}

async fn number(events: &mut Events) -> Result<i64, &'static str> {
    let next = timeout(MINUTE, events.next()).await.expect("an event comes");
    next.unwrap().map(|event| event.id.get()).map_err(|error| error.code())
}

/// Expects that nothing comes within this time.
async fn nothing_within(time: Duration, coming: impl Future) {
    assert!(timeout(time, coming).await.is_err(), "nothing was expected");
}

const MINUTE: Duration = Duration::from_secs(60);
const MAILS: &str = "mails";

fn mails() -> ConsumerName {
    MAILS.parse().unwrap()
}

/// One look each quarter of a second, however many wait; and none of them reads.
#[tokio::test(start_paused = true)]
async fn a_thousand_idle_subscriptions_cost_as_much_as_one() {
    let log = Log::of(7);
    let engine = log.engine(1);
    let mut waiting: Vec<Events> = (0..1_000).map(|_| subscribe(&engine, log.newest())).collect();
    nothing_within(MINUTE, futures_util::future::select_all(waiting.iter_mut().map(|events| events.next()))).await;
    let looks = log.0.looks.count();
    assert!((239..=242).contains(&looks), "{looks} looks in a minute");
    assert_eq!(log.0.readings.count(), 0);

    log.grow(1);
    for events in &mut waiting {
        assert_eq!(number(events).await, Ok(8));
    }
    assert_eq!(log.0.readings.count(), 1_000);
}

#[tokio::test(start_paused = true)]
async fn nobody_looks_any_longer_once_the_last_subscription_is_dropped() {
    let log = Log::of(1);
    let engine = log.engine(1);
    let (mut one, mut other) = (subscribe(&engine, None), subscribe(&engine, None));
    assert_eq!((number(&mut one).await, number(&mut other).await), (Ok(1), Ok(1)));
    let looks = || log.0.looks.count();
    drop(one);
    let before = looks();
    nothing_within(MINUTE, other.next()).await;
    assert!(looks() > before, "one is left");
    drop(other);
    let before = looks();
    nothing_within(MINUTE, std::future::pending::<()>()).await;
    assert_eq!(looks(), before);

    let mut again = subscribe(&engine, log.newest());
    nothing_within(MINUTE, again.next()).await;
    assert!(looks() > before, "the next one begins anew");
}

#[tokio::test(start_paused = true)]
async fn many_events_come_page_by_page_and_in_order() {
    let log = Log::of(75);
    let engine = log.engine(1);
    let mut events = subscribe(&engine, Some(id(10)));
    for expected in 11..=75 {
        assert_eq!(number(&mut events).await, Ok(expected));
    }
    assert_eq!(log.0.readings.count(), 4);
    log.grow(1);
    assert_eq!(number(&mut events).await, Ok(76));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_ends_no_subscription() {
    let log = Log::of(1);
    let engine = log.engine(1);
    let mut events = subscribe(&engine, log.newest());
    log.0.looks.fail(100);
    nothing_within(Duration::from_secs(10), events.next()).await;
    log.0.looks.fail(0);
    log.grow(1);
    assert_eq!(number(&mut events).await, Ok(2));
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_fails_is_an_error_and_is_tried_again_without_a_loss() {
    let log = Log::of(1);
    let engine = log.engine(1);
    let mut events = subscribe(&engine, None);
    assert_eq!(number(&mut events).await, Ok(1));
    // The watcher finds the new one, and the readings fail.
    log.grow(1);
    let mut looking = subscribe(&engine, Some(id(1)));
    assert_eq!(number(&mut looking).await, Ok(2));
    for _ in 0..3 {
        log.0.readings.fail(1);
        assert_eq!(number(&mut events).await, Err("unavailable"));
    }
    let start = tokio::time::Instant::now();
    assert_eq!(number(&mut events).await, Ok(2));
    assert!(start.elapsed() >= Duration::from_secs(1), "whoever ignores errors does not keep the store busy");
}

/// However often a wait is given up, nothing is lost.
#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_loses_nothing() {
    let log = Log::default();
    let engine = log.engine(1);
    let mut consumer = engine.consumer(&mails(), EventFilter::default()).await.unwrap();
    for expected in 1..=5 {
        nothing_within(Duration::from_secs(3), consumer.next()).await;
        log.grow(1);
        assert_eq!(consumer.next().await.unwrap().id.get(), expected);
    }
}

/// A position never passes an event that is not done; and moves on by itself where nothing is for the consumer.
#[tokio::test(start_paused = true)]
async fn only_what_is_done_is_passed() {
    let log = Log::of(2_000);
    let engine = log.engine(2_000);
    let mut consumer = engine.consumer(&mails(), EventFilter::default()).await.unwrap();
    let first = consumer.next().await.unwrap();
    for more in [1, 1_200, 700] {
        log.grow(more);
        nothing_within(MINUTE, consumer.next()).await;
        assert_eq!(log.position(), 0, "the first is not done");
    }
    log.grow(99);
    let second = consumer.next().await.unwrap();
    consumer.done(&first).await.unwrap();
    assert_eq!(log.position(), 2_000);
    consumer.done(&second).await.unwrap();
    assert_eq!(log.position(), 4_000);

    let engine = log.engine(1_000_000);
    let mut consumer = engine.consumer(&mails(), EventFilter::default()).await.unwrap();
    for (more, position) in [(999, 4_000), (1, 5_000), (500, 5_000), (600, 6_100)] {
        log.grow(more);
        nothing_within(MINUTE, consumer.next()).await;
        assert_eq!(log.position(), position);
    }
}

#[test]
fn a_consumer_has_a_plain_name() {
    for name in ["a", "mails", "Mails-2.for_all", &"x".repeat(100)] {
        assert_eq!(name.parse::<ConsumerName>().unwrap().as_str(), name);
    }
    for name in ["", " ", "two words", "é", "a/b", "a\n", &"x".repeat(101)] {
        assert_eq!(name.parse::<ConsumerName>(), Err(InvalidConsumerName), "{name}");
    }
}

/// Rule 8.9: who comes back after events were cleared that they have not read is told so, and does not go on as if there were none.
#[tokio::test(start_paused = true)]
async fn who_is_too_late_is_told_so() {
    let log = Log::of(10);
    log.clear(5);
    let engine = log.engine(1);
    assert_eq!(number(&mut subscribe(&engine, Some(id(4)))).await, Err("events_gone"));
    assert_eq!(number(&mut subscribe(&engine, Some(id(5)))).await, Ok(6));
    log.0.position.store(4, Ordering::SeqCst);
    let mut late = engine.consumer(&mails(), EventFilter::default()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(code(late.next().await), "events_gone");
    }
    late.skip_to(id(5)).await.unwrap();
    assert_eq!(late.next().await.unwrap().id, id(6));
}
