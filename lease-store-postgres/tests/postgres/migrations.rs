//! Migrations when several servers start at once, and requirements that the schema has to meet.

use std::time::Duration;

use lease_core::repository::Repository as _;
use lease_store_postgres::MIGRATOR;
use sqlx::Executor as _;

use crate::support::{TestDatabase, options};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_servers_may_migrate_an_empty_database_at_once() {
    let database = TestDatabase::create_empty().await;
    let mut servers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = database.connect().await;
        servers.spawn(async move { store.migrate().await });
    }
    for outcome in servers.join_all().await {
        outcome.expect("each server finds the schema in place, or makes it");
    }
    let store = database.connect().await;
    store.ping().await.expect("the store responds");
    let applied = sqlx::query_scalar::<_, i64>("select count(*) from _sqlx_migrations where success")
        .fetch_one(&mut database.connection().await)
        .await
        .expect("the list of migrations");
    assert_eq!(usize::try_from(applied), Ok(MIGRATOR.iter().count()), "each migration was applied once");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_waits_for_the_migrations_of_another_however_long_they_take() {
    let database = TestDatabase::create_empty().await;
    let mut other = database.connection().await;
    other.execute("select pg_advisory_lock(hashtextextended('lease.migrate', 0))").await.unwrap();
    let mut options = options();
    options.statement_timeout = Duration::from_millis(50);
    let store = database.connect_with(options).await;
    let migrating = tokio::spawn(async move { store.migrate().await });
    other.execute("select pg_sleep(0.5)").await.unwrap();
    other.execute("select pg_advisory_unlock_all()").await.unwrap();
    migrating.await.unwrap().expect("it migrates once it is its turn");
    database.drop().await;
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let database = TestDatabase::create().await;
    let store = database.connect().await;
    store.migrate().await.expect("an up-to-date schema is left alone");
    database.drop().await;
}

#[test]
fn migrations_are_named_for_what_they_do_and_go_forward_only() {
    for migration in MIGRATOR.iter() {
        assert!(migration.migration_type.is_up_migration() && !migration.migration_type.is_down_migration());
        assert_eq!(migration.version.to_string().len(), "YYYYMMDDhhmmss".len(), "{}", migration.version);
    }
}

/// The names in the schema that a query finds.
async fn found(query: &'static str) -> Vec<String> {
    let database = TestDatabase::create().await;
    let found = sqlx::query_scalar(query).fetch_all(&mut database.connection().await).await.unwrap();
    database.drop().await;
    found
}

#[tokio::test]
async fn each_table_says_what_it_is() {
    let silent = found(
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' \
         and relname <> '_sqlx_migrations' and obj_description(oid, 'pg_class') is null",
    );
    assert_eq!(silent.await, Vec::<String>::new());
}

/// Otherwise deleting a row would scan the tables that could refer to it.
#[tokio::test]
async fn references_to_rows_that_can_be_deleted_are_found_by_an_index() {
    let scanned = found(
        "select conname::text from pg_constraint c where contype = 'f' \
         and confrelid in ('customers'::regclass, 'leads'::regclass, 'vehicles'::regclass) \
         and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = any (c.conkey))",
    );
    assert_eq!(scanned.await, Vec::<String>::new());
}
