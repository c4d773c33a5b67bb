//! Whether the store says that its database takes writes (rule 6.8).

use std::time::{Duration, Instant};

use lease_core::repository::{Repository as _, RepositoryError};
use lease_store_postgres::PostgresRepository;
use sqlx::Executor as _;
use sqlx::postgres::PgConnection;
use tokio::task::JoinSet;
use tokio::time::interval;

use crate::failures::{retitle, world};
use crate::outages::{assert_unavailable, store_on};
use crate::support::TestDatabase;

/// The time within which the store says whether it is ready, with some room for a busy machine.
const IN_TIME: Duration = Duration::from_secs(3);

/// Makes every write to a table fail as if the disk were full.
const FILL_DISK: &str = "create function no_room() returns trigger language plpgsql as $$
    begin raise exception 'no space left on device' using errcode = '53100'; end $$;";

/// Asks until the store says this.
pub(crate) async fn until_ready(store: &PostgresRepository, is_ready: bool) {
    let mut ticks = interval(Duration::from_millis(20));
    while store.ping().await.is_ok() != is_ready {
        ticks.tick().await;
    }
}

/// How many times the database was written to.
async fn probes(connection: &mut PgConnection) -> i64 {
    let probes = "select case when is_called then last_value else 0 end from write_probes_id_seq";
    sqlx::query_scalar(probes).fetch_one(connection).await.unwrap()
}

/// Asks until the database was written to once more.
async fn asked_anew(store: &PostgresRepository, watcher: &mut PgConnection) -> Result<(), RepositoryError> {
    let before = probes(watcher).await;
    let mut ticks = interval(Duration::from_millis(20));
    loop {
        let outcome = store.ping().await;
        if probes(watcher).await > before {
            return outcome;
        }
        ticks.tick().await;
    }
}

#[tokio::test]
async fn however_often_it_is_asked_the_database_is_written_to_once_a_second() {
    let database = world().await;
    let (store, mut watcher) = (store_on(&database).await, database.connection().await);
    let start = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        asking.spawn(async move { store.ping().await });
    }
    for outcome in asking.join_all().await {
        outcome.unwrap();
    }
    let allowed = 1 + i64::try_from(start.elapsed().as_secs()).unwrap();
    let probes = probes(&mut watcher).await;
    assert!((1..=allowed).contains(&probes), "{probes} writes in {:?}", start.elapsed());
    asked_anew(&store, &mut watcher).await.unwrap();
    let rows: i64 = sqlx::query_scalar("select count(*) from write_probes").fetch_one(&mut watcher).await.unwrap();
    assert_eq!(rows, 1, "a row replaces the one before");
    store.close().await;
    database.drop().await;
}

/// A small write may find room where others do not.
#[tokio::test]
async fn a_write_without_room_on_the_disk_shows_until_one_succeeds() {
    let database = world().await;
    let (store, mut administrator) = (store_on(&database).await, database.connection().await);
    store.ping().await.unwrap();
    administrator.execute(FILL_DISK).await.unwrap();
    administrator.execute("create trigger full_disk before update on trades execute function no_room()").await.unwrap();
    assert_unavailable(&retitle(&store, 1, "As new").await);
    until_ready(&store, false).await;
    administrator.execute("drop trigger full_disk on trades").await.unwrap();
    assert_unavailable(&asked_anew(&store, &mut administrator).await);
    retitle(&store, 1, "As new").await.unwrap();
    until_ready(&store, true).await;
    store.close().await;
    database.drop().await;
}

#[tokio::test]
async fn a_full_disk_shows_without_any_other_write() {
    let database = world().await;
    let (store, mut administrator) = (store_on(&database).await, database.connection().await);
    administrator.execute(FILL_DISK).await.unwrap();
    administrator.execute("create trigger full_disk before insert on write_probes execute function no_room()").await.unwrap();
    assert_unavailable(&store.ping().await);
    administrator.execute("drop trigger full_disk on write_probes").await.unwrap();
    until_ready(&store, true).await;
    store.close().await;
    database.drop().await;
}

#[tokio::test]
async fn a_database_that_keeps_the_write_waiting_is_not_ready() {
    let database: TestDatabase = world().await;
    let (store, mut administrator) = (store_on(&database).await, database.connection().await);
    administrator.execute("begin; lock table write_probes in access exclusive mode").await.unwrap();
    let start = Instant::now();
    assert_unavailable(&store.ping().await);
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
    administrator.execute("rollback").await.unwrap();
    until_ready(&store, true).await;
    store.close().await;
    database.drop().await;
}

/// A server that stands still in the middle of its write holds up no other.
#[tokio::test]
async fn servers_do_not_wait_for_the_writes_of_each_other() {
    let database = world().await;
    let (store, mut other) = (store_on(&database).await, database.connection().await);
    store.ping().await.unwrap();
    other.execute("begin; select from write_probes for update").await.unwrap();
    let mut watcher = database.connection().await;
    asked_anew(&store, &mut watcher).await.unwrap();
    other.execute("rollback").await.unwrap();
    store.close().await;
    database.drop().await;
}
