//! Several servers start at once.

use lease_core::repository::Repository as _;
use lease_store_postgres::MIGRATOR;

use crate::support::TestDatabase;

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
    store.ping().await.expect("the store answers");
    let applied = sqlx::query_scalar::<_, i64>("select count(*) from _sqlx_migrations where success")
        .fetch_one(store.pool())
        .await
        .expect("the list of migrations");
    assert_eq!(usize::try_from(applied), Ok(MIGRATOR.iter().count()), "each migration was applied once");
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
