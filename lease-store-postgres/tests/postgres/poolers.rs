//! A store behind `PgBouncer` in transaction mode, as Debian installs it, and one whose options do not fit the pooler.
//!
//! `make prove` runs the conformance suite and the API through the same pooler.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use lease_core::LeaseEngine;
use lease_core::gateway::SandboxGateway;
use lease_core::permission::Actor;
use lease_core::repository::Repository as _;
use lease_store_postgres::{ConnectError, Pooler, PoolerError, PostgresOptions, PostgresRepository};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _, Row as _};

use crate::engine::{draft, id};
use crate::failures::retitle;
use crate::hooks::{JOURNAL, Journal};
use crate::outages::assert_unavailable;
use crate::support::pooler::RunningPooler;
use crate::support::{TestDatabase, WORLD};

/// The number of connections that the pooler has to each database.
const SERVER_CONNECTIONS: usize = 4;

static POOLER: LazyLock<RunningPooler> = LazyLock::new(|| RunningPooler::start(&[]));

async fn connect(database: &TestDatabase, connections: u32) -> PostgresRepository {
    let options = PostgresOptions::default().with_max_connections(connections).with_pooler(Pooler::Transaction);
    PostgresRepository::connect(&POOLER.url(database.name()), options).await.unwrap()
}

/// Looks at each of the pooler's connections as a client that gets it next.
async fn assert_nothing_is_left_in_sessions(database: &TestDatabase) {
    let options: PgConnectOptions = POOLER.url(database.name()).parse().unwrap();
    let options = options.extra_float_digits(None).statement_cache_capacity(0);
    let mut clients = Vec::new();
    for _ in 0..SERVER_CONNECTIONS {
        let mut client = PgConnection::connect_with(&options).await.unwrap();
        client.execute("begin").await.unwrap();
        let state = "select pg_backend_pid()::text, (select count(*) from pg_prepared_statements)::text, \
                     concat_ws(' ', current_setting('search_path'), current_setting('statement_timeout'), \
                     current_setting('lock_timeout'), \
                     current_setting('enable_seqscan'), current_setting('enable_hashjoin'), current_setting('random_page_cost'), \
                     current_setting('jit'))";
        let row = sqlx::raw_sql(state).fetch_one(&mut client).await.unwrap();
        assert_eq!(row.get::<String, _>(1), "0", "prepared statements are left");
        assert_eq!(row.get::<String, _>(2), "\"$user\", public 0 0 on on 4 on");
        clients.push((row.get::<String, _>(0), client));
    }
    let sessions: std::collections::BTreeSet<_> = clients.iter().map(|(session, _)| session).collect();
    assert_eq!(sessions.len(), SERVER_CONNECTIONS, "each client has another connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_servers_migrate_at_once_and_leave_nothing_in_sessions() {
    let database = TestDatabase::create_empty().await;
    let mut servers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = connect(&database, 8).await;
        servers.spawn(async move {
            store.migrate().await.expect("each server finds the schema in place, or makes it");
            // More statements at once than the pooler has connections.
            let mut reads = tokio::task::JoinSet::new();
            for _ in 0..50 {
                let store = store.clone();
                reads.spawn(async move { store.clock().await.unwrap() });
            }
            reads.join_all().await;
        });
    }
    servers.join_all().await;
    assert_nothing_is_left_in_sessions(&database).await;
    database.drop().await;
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_in_sessions() {
    let database = TestDatabase::create_empty().await;
    database.connection().await.execute("create table trades (id bigint)").await.unwrap();
    let store = connect(&database, 1).await;
    for _ in 0..2 {
        store.migrate().await.expect_err("the table is there already");
    }
    database.connection().await.execute("drop table trades").await.unwrap();
    store.migrate().await.expect("no lock is left");
    assert_nothing_is_left_in_sessions(&database).await;
    database.drop().await;
}

#[tokio::test]
async fn a_commit_with_a_hook_leaves_nothing_in_sessions() {
    let database = TestDatabase::create().await;
    database.connection().await.execute(WORLD).await.unwrap();
    database.connection().await.execute(JOURNAL).await.unwrap();
    let store = connect(&database, 8).await.with_commit_hook(Arc::new(Journal::default()));
    let engine = LeaseEngine::builder(Arc::new(store), Arc::new(SandboxGateway::new())).build().unwrap();
    for _ in 0..10 {
        engine.create_lead(Actor::Staff { user: id(3) }, &draft(&json!({"first_name": "Ada"}))).await.unwrap();
    }
    database.connection().await.execute("drop table journal").await.unwrap();
    engine.create_lead(Actor::Staff { user: id(3) }, &draft(&json!({"first_name": "Ada"}))).await.unwrap_err();
    assert_nothing_is_left_in_sessions(&database).await;
    database.drop().await;
}

#[tokio::test]
async fn a_statement_that_is_interrupted_leaves_no_open_transaction() {
    let database = TestDatabase::create().await;
    let store = connect(&database, 1).await;
    let mut other = database.connection().await;
    other.execute("begin; lock table leads").await.unwrap();
    let mut watcher = database.connection().await;
    let waiting = async {
        let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut watcher).await.unwrap() == 0 {}
    };
    let engine = LeaseEngine::builder(Arc::new(store.clone()), Arc::new(SandboxGateway::new())).build().unwrap();
    let staff = Actor::Staff { user: id(3) };
    tokio::select! {
        answer = engine.get_lead(&staff, id(1)) => panic!("the table is locked: {answer:?}"),
        () = waiting => {}
    }
    other.execute("rollback").await.unwrap();
    // The store has one connection, so this waits until the interrupted statement has come to its end.
    store.clock().await.unwrap();
    let open = "select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'";
    assert_eq!(sqlx::query_scalar::<_, i64>(open).fetch_one(&mut watcher).await.unwrap(), 0);
    assert_nothing_is_left_in_sessions(&database).await;
    database.drop().await;
}

/// Nothing is kept in a session, so that each transaction has to bring this limit.
#[tokio::test]
async fn a_statement_behind_a_pooler_waits_for_a_lock_no_longer_than_the_options_say() {
    let database = TestDatabase::create().await;
    database.connection().await.execute(WORLD).await.unwrap();
    let mut options = PostgresOptions::default().with_pooler(Pooler::Transaction);
    (options.lock_timeout, options.statement_timeout) = (Duration::from_millis(200), Duration::from_mins(1));
    let store = PostgresRepository::connect(&POOLER.url(database.name()), options).await.unwrap();
    let mut administrator = database.connection().await;
    administrator.execute("begin; lock table trades in access exclusive mode").await.unwrap();
    let start = Instant::now();
    assert_unavailable(&retitle(&store, 1, "As new").await);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    store.ping().await.unwrap();
    administrator.execute("rollback").await.unwrap();
    retitle(&store, 1, "As new").await.unwrap();
    assert_nothing_is_left_in_sessions(&database).await;
    database.drop().await;
}

/// The error of connecting with options that do not fit the pooler.
async fn refused(database: &TestDatabase, pooler: &RunningPooler, mode: Pooler) -> PoolerError {
    let options = PostgresOptions::default().with_pooler(mode);
    let error = PostgresRepository::connect(&pooler.url(database.name()), options).await.expect_err("the pooler is noticed");
    let ConnectError::Refused(sqlx::Error::Configuration(source)) = error else { panic!("{error:?}") };
    *source.downcast().unwrap()
}

#[tokio::test]
async fn options_that_do_not_fit_the_pooler_are_noticed() {
    let database = TestDatabase::create().await;
    let ignoring = RunningPooler::start(&["ignore_startup_parameters = extra_float_digits,options"]);
    let refusing = RunningPooler::start(&["ignore_startup_parameters = extra_float_digits"]);
    for _ in 0..3 {
        for pooler in [&*POOLER, &refusing] {
            assert!(matches!(refused(&database, pooler, Pooler::None).await, PoolerError::RefusesSettings(_)));
        }
        assert!(matches!(refused(&database, &ignoring, Pooler::None).await, PoolerError::DropsSettings));
        for pooler in [&*POOLER, &ignoring] {
            assert!(matches!(refused(&database, pooler, Pooler::TransactionPrepared).await, PoolerError::MixesStatements));
        }
    }
    assert_nothing_is_left_in_sessions(&database).await;
    database.drop().await;
}
