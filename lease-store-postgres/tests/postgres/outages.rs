//! Statements that have to wait for Postgres: for a lock, for a connection, or until it takes writes again. Each gives up in time,
//! no connection is lost, and the store comes back by itself.

use std::time::{Duration, Instant};

use lease_core::id::ServiceId;
use lease_core::repository::{Repository as _, RepositoryError, ServiceRepository as _};
use lease_store_postgres::{PostgresOptions, PostgresRepository};
use sqlx::{AssertSqlSafe, Executor as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::failures::{retitle, world};
use crate::readiness::until_ready;
use crate::support::TestDatabase;
use crate::support::activity::{Activity, Watch};

const MAX_CONNECTIONS: u32 = 4;
/// How many of them statements on trades may use.
const SHARE: i64 = 3;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
const STATEMENT_TIMEOUT: Duration = Duration::from_millis(500);
/// The time within which any statement ends, with some room for a busy machine.
const IN_TIME: Duration = Duration::from_secs(3);
/// Stops all other statements on trades until it ends.
const LOCK: &str = "begin; lock table trades in access exclusive mode";

pub(crate) async fn store_on(database: &TestDatabase) -> PostgresRepository {
    PostgresRepository::connect(&database.url(), options()).await.unwrap()
}

pub(crate) fn options() -> PostgresOptions {
    let mut options = PostgresOptions::default().with_max_connections(MAX_CONNECTIONS);
    options.acquire_timeout = ACQUIRE_TIMEOUT;
    options.statement_timeout = STATEMENT_TIMEOUT;
    options
}

/// Makes the store open all its connections.
async fn open_all(store: &PostgresRepository) {
    let mut taken = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        taken.push(store.connection().await.unwrap());
    }
    drop(taken);
    at_rest(store).await;
}

/// Waits until no connection is in use. Returns how many there are.
async fn at_rest(store: &PostgresRepository) -> usize {
    loop {
        let count = store.connection_count();
        if count.idle == count.open {
            return count.open;
        }
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn read(store: &PostgresRepository) -> Result<(), RepositoryError> {
    store.find_service(ServiceId::new(1).unwrap()).await.map(|service| assert!(service.is_some()))
}

#[track_caller]
pub(crate) fn assert_unavailable(outcome: &Result<(), RepositoryError>) {
    assert!(matches!(outcome, Err(RepositoryError::Unavailable(_))), "{outcome:?}");
}

/// The store is as before: it writes, has no more connections than it may, and has left none in a transaction.
async fn assert_recovered(database: &TestDatabase, store: &PostgresRepository, watch: Watch) {
    let version = sqlx::query_scalar("select version from trades where id = 1").fetch_one(store.pool()).await.unwrap();
    retitle(store, version, "Afterwards").await.unwrap();
    let open = at_rest(store).await;
    let mut watcher = database.connection().await;
    Activity::until(&mut watcher, |now| now.open == i64::try_from(open).unwrap()).await;
    let most = watch.most().await;
    assert!(most.open <= i64::from(MAX_CONNECTIONS) && most.abandoned == 0, "{most:?}");
}

#[tokio::test]
async fn a_statement_that_waits_for_a_table_gives_up() {
    let database = world().await;
    let (store, watch) = (store_on(&database).await, Watch::start(&database).await);
    let (mut administrator, mut watcher) = (database.connection().await, database.connection().await);
    administrator.execute(LOCK).await.unwrap();
    let start = Instant::now();
    let mut waiting = JoinSet::new();
    for _ in 0..SHARE {
        let store = store.clone();
        waiting.spawn(async move { retitle(&store, 1, "As new").await });
    }
    Activity::until(&mut watcher, |now| now.blocked == SHARE).await;
    read(&store).await.unwrap();
    store.ping().await.unwrap();
    for outcome in waiting.join_all().await {
        assert_unavailable(&outcome);
    }
    println!("gave up after {:?}", start.elapsed());
    assert!(start.elapsed() < IN_TIME);
    administrator.execute("rollback").await.unwrap();
    assert_recovered(&database, &store, watch).await;
    store.close().await;
    database.drop().await;
}

/// Whatever the statement could still do, it does not wait for a lock any longer.
#[tokio::test]
async fn a_statement_waits_for_a_lock_no_longer_than_the_options_say() {
    let database = world().await;
    let mut options = options();
    (options.lock_timeout, options.statement_timeout) = (Duration::from_millis(200), Duration::from_mins(1));
    let store = database.connect_with(options).await;
    let mut administrator = database.connection().await;
    for lock in [LOCK, "rollback; begin; select from trades where id = 1 for update"] {
        administrator.execute(lock).await.unwrap();
        let start = Instant::now();
        assert_unavailable(&retitle(&store, 1, "As new").await);
        assert!(start.elapsed() < IN_TIME, "{lock}: {:?}", start.elapsed());
    }
    administrator.execute("rollback").await.unwrap();
    retitle(&store, 1, "As new").await.unwrap();
    store.close().await;
    database.drop().await;
}

/// Statements go on after their callers have gone, so their connections stay taken, and no others are opened.
#[tokio::test]
async fn callers_who_hang_up_use_no_more_connections_than_allowed() {
    let database = world().await;
    let (store, watch) = (store_on(&database).await, Watch::start(&database).await);
    let (mut administrator, mut watcher) = (database.connection().await, database.connection().await);
    administrator.execute(LOCK).await.unwrap();
    for _ in 0..2 {
        let mut waiting = JoinSet::new();
        for _ in 0..50 {
            let store = store.clone();
            waiting.spawn(async move { retitle(&store, 1, "As new").await });
        }
        Activity::until(&mut watcher, |now| now.blocked == SHARE).await;
        waiting.shutdown().await;
        let count = store.connection_count();
        assert_eq!(count.open - count.idle, 3, "{count:?}");
        read(&store).await.unwrap();
    }
    administrator.execute("rollback").await.unwrap();
    assert_recovered(&database, &store, watch).await;
    assert_eq!(store.connection_count().open, 4, "the connections were kept");
    store.close().await;
    database.drop().await;
}

#[tokio::test]
async fn a_statement_that_waits_for_a_connection_gives_up() {
    let database = world().await;
    let (store, watch) = (store_on(&database).await, Watch::start(&database).await);
    let mut taken = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        taken.push(store.connection().await.unwrap());
    }
    let start = Instant::now();
    for outcome in <[_; 2]>::from(tokio::join!(read(&store), retitle(&store, 1, "As new"))) {
        assert_unavailable(&outcome);
    }
    println!("gave up after {:?}", start.elapsed());
    assert!((ACQUIRE_TIMEOUT..IN_TIME).contains(&start.elapsed()));
    store.ping().await.expect("it has a connection of its own");
    // Whoever waits gets the first one that is given back.
    let (outcome, ()) = tokio::join!(read(&store), async { drop(taken.pop()) });
    outcome.unwrap();
    drop(taken);
    assert_recovered(&database, &store, watch).await;
    store.close().await;
    database.drop().await;
}

/// As after a failover that the connections survive.
#[tokio::test]
async fn a_database_that_only_reads_refuses_writes_until_it_takes_them_again() {
    let database = world().await;
    let store = store_on(&database).await;
    let mut administrator = database.connection().await;
    let name = database.name();
    let only_reads = format!("alter database {name} set default_transaction_read_only = on");
    administrator.execute(AssertSqlSafe(only_reads)).await.unwrap();
    Activity::terminate(&mut administrator).await;
    open_all(&store).await;
    for _ in 0..10 {
        read(&store).await.unwrap();
        assert_unavailable(&store.ping().await);
        assert_unavailable(&retitle(&store, 1, "As new").await);
    }
    open_all(&store).await;
    administrator.execute(AssertSqlSafe(format!("alter database {name} reset all"))).await.unwrap();
    // The sessions that began before this still only read. They are found useless with the first that writes again.
    until_ready(&store, true).await;
    let watch = Watch::start(&database).await;
    assert_recovered(&database, &store, watch).await;
    store.close().await;
    database.drop().await;
}

/// Only a statement on a connection that was in use a moment ago fails, and a read is run again.
#[tokio::test]
async fn one_write_at_most_fails_after_all_connections_were_ended() {
    let database = world().await;
    let store = store_on(&database).await;
    let mut administrator = database.connection().await;
    open_all(&store).await;
    Activity::terminate(&mut administrator).await;
    for _ in 0..=MAX_CONNECTIONS {
        read(&store).await.unwrap();
    }
    open_all(&store).await;
    Activity::terminate(&mut administrator).await;
    let first = retitle(&store, 1, "As new").await;
    if first.is_err() {
        assert_unavailable(&first);
        retitle(&store, 1, "As new").await.unwrap();
    }
    let watch = Watch::start(&database).await;
    assert_recovered(&database, &store, watch).await;
    store.close().await;
    database.drop().await;
}

/// Reads that were under way find a connection for their second attempt, although all of them do so at once.
#[tokio::test]
async fn no_read_fails_when_all_connections_are_ended() {
    let database = world().await;
    let store = store_on(&database).await;
    let mut administrator = database.connection().await;
    let read_all = || -> JoinSet<_> {
        let read = |store: PostgresRepository| async move { read(&store).await };
        (0..50).map(|_| read(store.clone())).collect()
    };
    for _ in 0..5 {
        let reading = read_all();
        Activity::terminate(&mut administrator).await;
        for outcome in reading.join_all().await {
            outcome.unwrap();
        }
    }
    // Connections that ended after the last read are found by these, and not by a write.
    for outcome in read_all().join_all().await {
        outcome.unwrap();
    }
    let watch = Watch::start(&database).await;
    assert_recovered(&database, &store, watch).await;
    store.close().await;
    database.drop().await;
}

/// A prepared statement no longer fits after an administrator has changed the type of a column.
#[tokio::test]
async fn a_changed_column_breaks_no_connection_for_good() {
    let database = world().await;
    let store = store_on(&database).await;
    open_all(&store).await;
    for _ in 0..MAX_CONNECTIONS {
        read(&store).await.unwrap();
    }
    let mut administrator = database.connection().await;
    administrator.execute("alter table services alter column name type varchar(1000)").await.unwrap();
    for _ in 0..=MAX_CONNECTIONS {
        read(&store).await.unwrap();
    }
    store.close().await;
    database.drop().await;
}

/// The whole wait for a connection is limited, also by a server that accepts one and then says nothing.
#[tokio::test]
async fn a_server_that_says_nothing_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/nothing", listener.local_addr().unwrap());
    let store = PostgresRepository::connect_lazy(&url, options()).unwrap();
    let start = Instant::now();
    assert_unavailable(&read(&store).await);
    assert!((ACQUIRE_TIMEOUT..IN_TIME).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(store.connection_count().open, 0);
    let patient = PostgresRepository::connect_lazy(&url, PostgresOptions::default()).unwrap();
    let start = Instant::now();
    assert_unavailable(&patient.ping().await);
    assert!(start.elapsed() < IN_TIME, "{:?}", start.elapsed());
}

/// Without a runtime nothing can wait for what it was doing.
#[tokio::test]
async fn a_connection_that_is_dropped_outside_a_runtime_is_closed() {
    let database = world().await;
    let store = store_on(&database).await;
    let mut connection = store.connection().await.unwrap();
    connection.execute("begin").await.unwrap();
    std::thread::spawn(move || drop(connection)).join().unwrap();
    assert_eq!(store.connection_count().open, 0);
    let mut watcher = database.connection().await;
    Activity::until(&mut watcher, |now| now.open == 0).await;
    let watch = Watch::start(&database).await;
    assert_recovered(&database, &store, watch).await;
    store.close().await;
    database.drop().await;
}

/// Neither a store nor one of its connections shows the password that they connect with.
#[tokio::test]
async fn no_debug_output_shows_the_password() {
    let store = PostgresRepository::connect_lazy("postgres://lease:hunter2@localhost/lease", PostgresOptions::default()).unwrap();
    let shown = format!("{store:?}");
    assert!(shown.contains("PostgresRepository") && !shown.contains("hunter2"), "{shown}");
}
