//! The order of events on Postgres, where a sequence is not the order of the commits (rule 8.5).

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use lease_core::LeaseEngine;
use lease_core::event::EventRecord;
use lease_core::gateway::SandboxGateway;
use lease_core::id::{EventId, NewIds, Stored};
use lease_core::permission::Actor;
use lease_core::repository::{Commit, EventFilter, EventRepository as _};
use lease_store_postgres::{CommitHook, PostgresRepository};
use serde_json::json;
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::sync::Semaphore;

use crate::engine::draft;
use crate::support::TestDatabase;

/// Stops a transaction between its statement and its commit.
#[derive(Debug)]
struct Gate {
    reached: Semaphore,
    open: Semaphore,
}

#[async_trait]
impl CommitHook for Gate {
    async fn on_commit(&self, _: &mut PgConnection, _: &Commit, _: &NewIds) -> Result<(), sqlx::Error> {
        self.reached.add_permits(1);
        self.open.acquire().await.unwrap().forget();
        Ok(())
    }
}

/// Lets other transactions come first, some more and some less.
#[derive(Debug)]
pub(crate) struct Stroll;

#[async_trait]
impl CommitHook for Stroll {
    async fn on_commit(&self, connection: &mut PgConnection, _: &Commit, ids: &NewIds) -> Result<(), sqlx::Error> {
        for _ in 0..ids.lead.map_or(0, |lead| lead.get() * 7 % 11) {
            connection.execute("select").await?;
        }
        Ok(())
    }
}

pub(crate) fn engine(store: PostgresRepository) -> LeaseEngine {
    LeaseEngine::builder(Arc::new(store), Arc::new(SandboxGateway::new())).build().unwrap()
}

/// Creates a lead by the system. Returns its id.
pub(crate) async fn lead(engine: &LeaseEngine) -> i64 {
    engine.create_lead(Actor::System, &draft(&json!({"first_name": "Ada"}))).await.unwrap().id.get()
}

async fn after(store: &PostgresRepository, after: Option<EventId>) -> Vec<Stored<EventRecord>> {
    store.events_after(after, 1_000, &EventFilter::default()).await.unwrap()
}

fn leads(events: &[Stored<EventRecord>]) -> Vec<i64> {
    events.iter().filter_map(|event| event.subject_id).collect()
}

/// Rule 8.5: the event of the transaction that began first and ended last comes last, and nobody waited for it.
#[tokio::test]
async fn an_event_that_is_committed_late_comes_after_those_that_were_read() {
    let database = TestDatabase::create().await;
    let gate = Arc::new(Gate { reached: Semaphore::new(0), open: Semaphore::new(0) });
    let slow = engine(database.connect().await.with_commit_hook(Arc::clone(&gate) as _));
    let store = database.connect().await;
    let late = tokio::spawn(async move { lead(&slow).await });
    gate.reached.acquire().await.unwrap().forget();

    let early = lead(&engine(store.clone())).await;
    let read = after(&store, None).await;
    assert_eq!(leads(&read), [early]);
    gate.open.add_permits(1);
    let late = late.await.unwrap();
    assert!(late < early, "the sequence was drawn earlier");
    let rest = after(&store, read.last().map(|event| event.id)).await;
    assert_eq!(leads(&rest), [late]);
    assert!(rest[0].id > read[0].id);
    assert_eq!(leads(&after(&store, None).await), [early, late]);
    database.drop().await;
}

/// Rule 8.5: transactions that have written something and stay open, here and in another database, hold nothing back.
#[tokio::test]
async fn a_long_transaction_elsewhere_holds_no_event_back() {
    let (database, other) = (TestDatabase::create().await, TestDatabase::create().await);
    let mut open = Vec::new();
    for database in [&database, &other] {
        let mut connection = database.connection().await;
        connection
            .execute("begin isolation level repeatable read; insert into write_probes (written_at) values (now())")
            .await
            .unwrap();
        open.push(connection);
    }
    let store = database.connect().await;
    let mut last = None;
    for _ in 0..3 {
        let made = lead(&engine(store.clone())).await;
        let read = after(&store, last).await;
        assert_eq!(leads(&read), [made]);
        last = read.last().map(|event| event.id);
    }
    drop(open);
    database.drop().await;
    other.drop().await;
}

/// Rule 8.5: writers of two processes pause before they commit, and a reader notes everything.
#[tokio::test(flavor = "multi_thread")]
async fn readers_miss_nothing_of_writers_that_pause_before_they_commit() {
    const WRITERS: usize = 6;
    const LEADS: usize = 40;
    let database = TestDatabase::create().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for _ in 0..2 {
        let (store, done) = (database.connect().await, Arc::clone(&done));
        readers.push(tokio::spawn(async move {
            let mut read: Vec<Stored<EventRecord>> = Vec::new();
            loop {
                let is_last = done.load(Ordering::SeqCst);
                let more = after(&store, read.last().map(|event| event.id)).await;
                if is_last && more.is_empty() {
                    return read;
                }
                read.extend(more);
            }
        }));
    }
    let stores = [database.connect().await, database.connect().await].map(|store| store.with_commit_hook(Arc::new(Stroll)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let engine = engine(stores[writer % 2].clone());
            tokio::spawn(async move {
                for _ in 0..LEADS {
                    lead(&engine).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let all = after(&stores[0], None).await;
    assert_eq!(all.len(), WRITERS * LEADS);
    assert!(all.windows(2).all(|pair| pair[0].id.get() + 1 == pair[1].id.get()), "ids have no gaps");
    for reader in readers {
        assert_eq!(reader.await.unwrap(), all);
    }
    database.drop().await;
}

/// Rule 8.9: with an event go the rows of those who could read it, and of nobody else. The next server knows what was cleared.
#[tokio::test]
async fn the_readers_of_an_event_go_with_it() {
    let database = TestDatabase::create().await;
    let store = database.connect().await;
    let engine = engine(store.clone());
    let person = |name: &str| {
        draft(&json!({"username": name, "email": format!("{name}@example.com"), "first_name": "Ada", "last_name": "Byron",
            "password": "violet-harbor-93", "password2": "violet-harbor-93"}))
    };
    let service = json!({"name": "Sell", "kind": "sell", "amount": "0", "currency": "USD"});
    let service = engine.create_service(Actor::System, &draft(&service)).await.unwrap().id.get();
    let mut people = Vec::new();
    for name in ["owner", "buyer", "other"] {
        people.push(Actor::of(&engine.register(Actor::Anonymous, &person(name)).await.unwrap().account));
    }
    let vehicle = json!({"vin": "1HGCM82633A004352", "make": "Honda", "model": "Accord", "year": 2020});
    let vehicle = engine.create_vehicle(&people[0], &draft(&vehicle)).await.unwrap().id.get();
    let offer = json!({"vehicle_id": vehicle, "service_id": service});
    let trade = engine.open_trade(&people[0], &draft(&offer)).await.unwrap().stored.id;
    let mut last = None;
    for person in &people {
        last = Some(engine.propose(person, trade, &draft(&json!({"amount": "250"}))).await.unwrap().stored.id);
    }
    engine.withdraw_proposal(&people[2], last.unwrap()).await.unwrap();
    lead(&engine).await;

    let all = after(&store, None).await;
    let readers = async || {
        let read = "select event_id, count(*) from event_readers group by event_id order by event_id";
        sqlx::query_as::<_, (i64, i64)>(read).fetch_all(&mut *store.connection().await.unwrap()).await.unwrap()
    };
    let before = readers().await;
    assert!(before.iter().any(|(_, count)| *count == 3) && before.iter().any(|(_, count)| *count == 1), "{before:?}");
    let mut left = all.len();
    while left > 0 {
        assert_eq!(store.clear_events(chrono::DateTime::<chrono::Utc>::MAX_UTC - chrono::Duration::days(1), 1).await.unwrap(), 1);
        left -= 1;
        let cleared = all[all.len() - 1 - left].id;
        assert_eq!(store.cleared_events().await.unwrap(), Some(cleared));
        let kept: Vec<_> = before.iter().copied().filter(|(event, _)| *event > cleared.get()).collect();
        assert_eq!(readers().await, kept);
    }
    let next = database.connect().await;
    assert_eq!(next.cleared_events().await.unwrap(), all.last().map(|event| event.id));
    lead(&engine).await;
    assert_eq!(after(&next, None).await[0].id.get(), all.last().unwrap().id.get() + 1);
    database.drop().await;
}

/// Rule 8.5: a dump has the events that were read, those that were not, and the last id.
#[tokio::test]
async fn events_go_on_after_a_dump_is_restored() {
    let (database, other) = (TestDatabase::create().await, TestDatabase::create_empty().await);
    let store = database.connect().await;
    let made = [lead(&engine(store.clone())).await, lead(&engine(store.clone())).await];
    let read = after(&store, None).await;
    let more = lead(&engine(store.clone())).await;

    let dump = Command::new("pg_dump").args(["--dbname", &database.direct_url()]).stdout(Stdio::piped()).spawn();
    let mut dump = dump.expect("pg_dump is installed");
    let restore = ["--quiet", "--set=ON_ERROR_STOP=1", "--dbname", &other.direct_url()];
    let restored = Command::new("psql").args(restore).stdin(dump.stdout.take().unwrap()).stdout(Stdio::null()).status().unwrap();
    assert!(dump.wait().unwrap().success() && restored.success());

    let store = other.connect().await;
    let rest = after(&store, read.last().map(|event| event.id)).await;
    assert_eq!(leads(&rest), [more]);
    let newest = lead(&engine(store.clone())).await;
    assert_eq!(leads(&after(&store, rest.last().map(|event| event.id)).await), [newest]);
    assert_eq!(leads(&after(&store, None).await), [made[0], made[1], more, newest]);
    database.drop().await;
    other.drop().await;
}
