//! A store in a schema of its own, beside an app that has its own tables and migrations.

use std::sync::Arc;

use lease_core::LeaseEngine;
use lease_core::account::PasswordParams;
use lease_core::conformance::{FreshRepository, cases, run};
use lease_core::gateway::SandboxGateway;
use lease_core::page::PageRequest;
use lease_core::repository::{AccountRepository as _, UserFilter};
use lease_store_postgres::{MigrateError, PostgresOptions, PostgresRepository};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Executor as _, SqlStr};

use crate::support::{TestDatabase, on_server, options};

/// A name that has to be quoted.
const QUOTED: &str = "Lease \"2\"";

/// The app's migrations, up to this one.
fn app_migrations(last: usize) -> Migrator {
    let all = [
        "create table users (name text primary key); insert into users values ('a user of the app')",
        "create table trades (name text references users)",
    ];
    let migration =
        |(sql, version)| Migration::new(version, "app".into(), MigrationType::Simple, SqlStr::from_static(sql), false);
    Migrator::with_migrations(all.into_iter().zip(1..).take(last).map(migration).collect())
}

/// A database with an app in it, and nothing of the store.
async fn app_database() -> TestDatabase {
    let database = TestDatabase::create_empty().await;
    app_migrations(1).run(&mut database.connection().await).await.unwrap();
    database
}

async fn store(database: &TestDatabase, schema: &str) -> PostgresRepository {
    let store = database.connect_with(options().with_schema(schema)).await;
    store.migrate().await.unwrap();
    store
}

async fn fresh_repository() -> FreshRepository {
    let database = app_database().await;
    let (first, other) = (store(&database, QUOTED).await, store(&database, QUOTED).await);
    FreshRepository::new(first).with_second_handle(other).with_cleanup(database.drop())
}

/// Declares a test for each case of the suite.
macro_rules! conforming {
    ($($theme:ident::$case:ident,)+) => {$(
        #[test]
        fn $case() {
            run(fresh_repository, cases::$theme::$case);
        }
    )+};
}

// Cases that use the functions, the extensions, the deferrable constraints and the references of the schema.
conforming! {
    services::services_are_seeded_once,
    whole::one_of_many_who_accept_the_owners_proposal_wins,
    proposals::the_agreed_periods_of_a_vehicle_do_not_overlap,
    accounts::a_login_name_belongs_to_one_user,
    cards::deleting_the_default_card_makes_another_one_the_default,
    billing::trades_are_listed_as_the_predicate_says,
    directory::a_customer_with_records_is_not_deleted,
}

/// All tables, indexes, functions and types of `public` but those of extensions, and the rows of the app.
async fn public(database: &TestDatabase) -> Vec<String> {
    let objects = "select 'relation ' || relname from pg_class where relnamespace = 'public'::regnamespace \
        union all select 'function ' || proname from pg_proc p where pronamespace = 'public'::regnamespace \
            and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e') \
        union all select 'type ' || typname from pg_type t where typnamespace = 'public'::regnamespace \
            and not exists (select from pg_depend d where d.objid in (t.oid, t.typelem) and d.deptype = 'e') \
        union all select 'user ' || name from public.users \
        union all select 'migration ' || version from public._sqlx_migrations order by 1";
    sqlx::query_scalar(objects).fetch_all(&mut database.connection().await).await.unwrap()
}

#[tokio::test]
async fn the_store_and_an_app_leave_each_other_alone() {
    for schema in ["lease", QUOTED] {
        let database = app_database().await;
        let before = public(&database).await;
        let store = store(&database, schema).await;
        store.migrate().await.expect("an up-to-date schema is left alone");
        engine(&store).ensure_superuser("root", "root@example.com", "amber-meadow-17".into()).await.unwrap();
        assert_eq!(public(&database).await, before, "{schema}");
        app_migrations(2).run(&mut database.connection().await).await.expect("the app migrates as before");
        store.migrate().await.expect("so does the store");
        store.close().await;
        database.drop().await;
    }
}

#[tokio::test]
async fn the_pool_for_the_app_has_the_settings_of_postgres() {
    let database = app_database().await;
    let store =
        PostgresRepository::connect(&database.direct_url(), PostgresOptions::default().with_schema("lease")).await.unwrap();
    store.migrate().await.unwrap();
    let settings = "select concat_ws(' ', current_setting('enable_seqscan'), current_setting('random_page_cost'), \
                    current_setting('statement_timeout'), current_setting('search_path'))";
    assert_eq!(sqlx::query_scalar::<_, String>(settings).fetch_one(store.pool()).await.unwrap(), "on 4 0 \"$user\", public");
    assert_eq!(
        sqlx::query_scalar::<_, String>("select name from users").fetch_one(store.pool()).await.unwrap(),
        "a user of the app"
    );
    store.close().await;
    database.drop().await;
}

#[tokio::test]
async fn two_schemas_do_not_see_each_others_rows() {
    let database = app_database().await;
    let (one, two) = (store(&database, "lease").await, store(&database, QUOTED).await);
    engine(&one).ensure_superuser("root", "root@example.com", "amber-meadow-17".into()).await.unwrap();
    let users = async |store: &PostgresRepository| {
        store.list_users(&UserFilter::default(), PageRequest::default()).await.unwrap().items.len()
    };
    assert_eq!((users(&one).await, users(&two).await), (1, 0));
    let (_, is_new) = engine(&two).ensure_superuser("root", "root@example.com", "amber-meadow-17".into()).await.unwrap();
    assert!(is_new);
    database.drop().await;
}

fn engine(store: &PostgresRepository) -> LeaseEngine {
    let cheap = PasswordParams { memory_kib: 8, iterations: 1 };
    LeaseEngine::builder(Arc::new(store.clone()), Arc::new(SandboxGateway::new())).password_params(cheap).build().unwrap()
}

/// A role that may do nothing but connect, and a store whose connections have it.
async fn restricted(database: &TestDatabase, schema: &str) -> (String, PostgresRepository) {
    let role = format!("{}_role", database.name());
    on_server(&format!("create role {role}")).await;
    let connect: PgConnectOptions = database.direct_url().parse().unwrap();
    let options = PostgresOptions::default().with_schema(schema);
    let store = PostgresRepository::with_connect_options(connect.options([("role", &role)]), options);
    (role, store)
}

async fn administer(database: &TestDatabase, statement: String) {
    database.connection().await.execute(AssertSqlSafe(statement)).await.unwrap();
}

#[tokio::test]
async fn a_role_that_owns_the_schema_and_nothing_else_can_migrate_and_run() {
    let database = app_database().await;
    let (role, store) = restricted(&database, "lease").await;
    administer(&database, format!("create schema lease authorization {role}")).await;
    for extension in ["btree_gist", "pg_trgm"] {
        let error = store.migrate().await.expect_err("an extension is missing");
        assert!(matches!(error, MigrateError::Extension { name } if name == extension), "{error}");
        assert!(error.to_string().contains(&format!("`create extension {extension}`")), "{error}");
        assert_eq!(error.to_string().lines().count(), 1);
        administer(&database, format!("create extension {extension}")).await;
    }
    store.migrate().await.unwrap();
    let (_, is_new) = engine(&store).ensure_superuser("root", "root@example.com", "amber-meadow-17".into()).await.unwrap();
    assert!(is_new);
    store.close().await;
    database.drop().await;
    on_server(&format!("drop role {role}")).await;
}

#[tokio::test]
async fn a_role_that_may_not_use_the_schema_is_told_so() {
    let database = app_database().await;
    let (role, store) = restricted(&database, QUOTED).await;
    for there in [false, true] {
        if there {
            administer(&database, "create schema \"Lease \"\"2\"\"\"".to_owned()).await;
        }
        let error = store.migrate().await.expect_err("the schema is not the role's");
        assert!(matches!(&error, MigrateError::Schema { name } if name == QUOTED), "{error}");
        assert!(error.to_string().contains(QUOTED), "{error}");
        assert_eq!(error.to_string().lines().count(), 1);
    }
    store.close().await;
    database.drop().await;
    on_server(&format!("drop role {role}")).await;
}
