//! Servers of two versions on one database, and servers that may not change the schema (rules 7.1 and 7.2).

use lease_store_postgres::MIGRATOR;
use sqlx::{AssertSqlSafe, Executor as _};

use crate::postgres::{TestDatabase, on_server, pooler_flag};
use crate::process::{Server, run};
use crate::sale::Market;
use crate::{SUPERUSER, TURN, serve, serve_with};

/// What the next version adds, as its migration does.
const EXPANDS: &str = "
    alter table trades add column color_of_the_contract text;
    alter table invoices add column reminder_sent_at timestamptz;
    create table reminders (id bigint generated always as identity primary key, invoice_id bigint references invoices);
    create index trades_color_idx on trades (color_of_the_contract);
    insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (29990101000000, 'add reminders', true, '\\x00', 0);";

/// What a migration adds that takes something away from servers which do not know this one.
const CONTRACTS: &str = "update schema_compatibility set oldest_migration = 29990101000000";

/// What a role needs to serve, as the documentation says.
fn rights(role: &str) -> [String; 3] {
    [
        format!("grant usage on schema public to {role}"),
        format!("grant select, insert, update, delete on all tables in schema public to {role}"),
        format!("grant usage on all sequences in schema public to {role}"),
    ]
}

/// Says one line and ends with this exit code.
#[track_caller]
fn refuses(arguments: &[&str], code: i32) -> String {
    let output = run(&[&["--bind=127.0.0.1:0"], arguments].concat(), &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{arguments:?}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_serves_and_starts_on_the_schema_of_the_next_version() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create().await;
    let server = serve(&database);
    let mut market = Market::open(&server).await;
    market.sell().await;
    let mut administrator = database.connection().await;
    administrator.execute(EXPANDS).await.unwrap();
    market.sell().await;
    for settings in [&[][..], &["--no-migrate"]] {
        let again = serve_with(&database, settings);
        market.go_to(&again);
        market.sell().await;
    }

    administrator.execute(CONTRACTS).await.unwrap();
    let url = database.url();
    for command in [&["serve"][..], &["serve", "--no-migrate"], &["migrate"], &["check"]] {
        let said = refuses(&[&["--database-url", &url, pooler_flag()], command].concat(), 1);
        assert!(said.contains("too old") && said.contains("29990101000000"), "{said}");
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_only_read_and_write_is_enough_without_migrations() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create_empty().await;
    let role = format!("{}_app", database.name());
    on_server(&format!("create role {role}")).await;
    let url = format!("{}&options=-c%20role%3D{role}", database.direct_url());
    let flags = ["--no-migrate", "--login-failures-per-minute=0", "--database-url", &url];

    let said = refuses(&flags, 1);
    let variable = run(&["--database-url", &url], &[("LEASE_NO_MIGRATE", "true")]);
    assert_eq!(String::from_utf8(variable.stderr).unwrap(), said);
    let missing = format!("{} migrations are missing", MIGRATOR.iter().count());
    assert!(said.contains(&missing) && said.contains("lease-server migrate"), "{said}");
    let migrated = run(&["migrate", "--no-migrate", "--database-url", &database.direct_url()], &[]);
    assert_eq!(migrated.status.code(), Some(0), "it was asked to");

    let mut administrator = database.connection().await;
    for right in rights(&role) {
        administrator.execute(AssertSqlSafe(right)).await.unwrap();
    }
    let server = Server::start(&flags, &SUPERUSER);
    assert!(server.ask("GET /readyz", "").starts_with("HTTP/1.1 200"));
    let mut market = Market::open(&server).await;
    market.sell().await;
    let (status, body) = market.owner.post("/api/logout", &serde_json::Value::Null, "").await.unwrap();
    assert_eq!(status, 204, "{body}");
    let checked = run(&["check", "--database-url", &url], &[]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stdout));
    drop(server);
    database.drop().await;
    on_server(&format!("drop role {role}")).await;
}
