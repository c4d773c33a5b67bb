//! A backup is restored, as `docs/operating.md` describes it: the data is whole, a server goes on with it, and `lease-server check`
//! notices what is not whole (rule 7.1).

use std::process::{Command, Output, Stdio};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};

use crate::postgres::TestDatabase;
use crate::postgres::script::Script;
use crate::process::run;
use crate::sale::Market;
use crate::{TURN, serve, serve_at};

const ADVICE: &str = "Postgres has to be installed (Debian, Ubuntu: apt-get install postgresql).";

/// What `lease-server check` prints, and its exit code.
fn check(url: &str) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = run(&["check", "--database-url", url], &[]);
    assert_eq!(String::from_utf8_lossy(&stderr), "");
    (status.code(), String::from_utf8(stdout).unwrap())
}

#[track_caller]
fn assert_whole(url: &str, trades: usize) {
    let (code, said) = check(url);
    assert_eq!((code, said.lines().count()), (Some(0), 1), "{said}");
    assert!(said.starts_with("All invariants hold: 2 services, ") && said.contains(&format!(" {trades} trades, ")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dump_is_restored_into_another_database() {
    let _turn = TURN.lock().await;
    let (database, other) = (TestDatabase::create().await, TestDatabase::create_empty().await);
    let server = serve(&database);
    let mut market = Market::open(&server).await;
    let before = market.sell().await;
    drop(server);

    let mut dump =
        Command::new("pg_dump").args(["--format=custom", "--dbname", &database.direct_url()]).stdout(Stdio::piped()).spawn();
    let dump = dump.as_mut().expect(ADVICE);
    let restore = ["--exit-on-error", "--no-owner", "--no-privileges", "--single-transaction", "--dbname", &other.direct_url()];
    let restored = Command::new("pg_restore").args(restore).stdin(dump.stdout.take().unwrap()).status().unwrap();
    assert!(dump.wait().unwrap().success() && restored.success());

    assert_whole(&other.direct_url(), 1);
    let server = serve(&other);
    market.go_to(&server);
    assert!(market.has(before).await);
    assert!(market.sell().await > before, "ids go on");
    drop(server);
    assert_whole(&other.direct_url(), 2);
    for database in [database, other] {
        database.drop().await;
    }
}

/// The statements go round all constraints, as a damaged backup does.
#[tokio::test(flavor = "multi_thread")]
async fn check_reports_each_broken_invariant() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create().await;
    let server = serve(&database);
    let mut market = Market::open(&server).await;
    let (first, second) = (market.sell().await, market.sell().await);
    drop(server);
    let url = database.direct_url();
    assert_whole(&url, 2);

    let mut administrator = database.connection().await;
    administrator.execute("set session_replication_role = replica").await.unwrap();
    administrator.execute("delete from payments where invoice_id = (select min(id) from invoices)").await.unwrap();
    let (code, said) = check(&url);
    assert_eq!((code, said.lines().count()), (Some(1), 2), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("I3: ") && lines[1].starts_with("1 violation: 2 services, "), "{said}");

    administrator.execute("delete from trades where id = (select max(id) from trades)").await.unwrap();
    let (code, said) = check(&url);
    assert_eq!(code, Some(1));
    assert!(said.contains("I3: ") && said.contains(&format!("I7: the trade of invoice 2, {second}, does not exist")), "{said}");
    assert!(first != second && said.lines().last().unwrap().contains(" violations: "), "{said}");
    database.drop().await;
}

#[test]
fn check_needs_a_database_with_all_migrations() {
    let output = run(&["check"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_migrates_nothing() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create_empty().await;
    let output = run(&["check", "--database-url", &database.direct_url()], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("migrations are missing"), "{said}");
    let mut connection = database.connection().await;
    let tables = "select count(*) from pg_class where relnamespace = 'public'::regnamespace";
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut connection).await.unwrap(), 0);
    database.drop().await;
}

/// What was confirmed before the instant is there, and what was confirmed after it is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_restored_to_an_instant() {
    let mut postgres = Script::start(include_str!("restore.sh"), &[]);
    let url = format!("postgres://postgres@localhost/postgres?host={}", postgres.ready(ADVICE));
    let server = serve_at(&url);
    let mut market = Market::open(&server).await;
    let in_the_backup = market.sell().await;
    postgres.order("backup");
    postgres.ready(ADVICE);
    let in_the_archive = market.sell().await;
    let mut administrator = administrator(&url).await;
    administrator.execute("select pg_create_restore_point('before_the_accident')").await.unwrap();
    let too_late = market.sell().await;
    administrator.close().await.unwrap();
    drop(server);
    postgres.order("restore before_the_accident");
    postgres.ready(ADVICE);

    assert_whole(&url, 2);
    let server = serve_at(&url);
    market.go_to(&server);
    let kept = [market.has(in_the_backup).await, market.has(in_the_archive).await, market.has(too_late).await];
    assert_eq!(kept, [true, true, false]);
    market.forget(1);
    assert!(market.sell().await > in_the_archive, "ids go on");
    drop(server);
    assert_whole(&url, 3);
}

async fn administrator(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().unwrap();
    PgConnection::connect_with(&options).await.unwrap()
}
