//! What the command says, and when it refuses.

use sqlx::{AssertSqlSafe, Executor as _};

use crate::postgres::TestDatabase;
use crate::whole::{sql, whole};
use crate::{Dump, import, import_into};

#[test]
fn a_dry_run_needs_no_database_and_says_what_would_be_done() {
    let dump = Dump::new("dry");
    let (code, said, errors) = import(&["--dump", dump.path(), "--dry-run"]);
    assert_eq!((code, &*errors), (Some(0), ""));
    for line in [
        "customers dropped, 1: its user administers: 2004",
        "sum of invoices: 1344.93 USD in Django, 846.95 here, 497.98 not taken",
        "sum of payments: 563.09 USD in Django, 508.08 here, 55.01 not taken",
        "Nothing was written.",
    ] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    assert!(said.lines().last() == Some("Nothing was written."));
}

#[test]
fn what_is_missing_or_wrong_is_said_in_one_line() {
    let dump = Dump::new("wrong");
    let refused: &[(&[&str], &str)] = &[
        (&[], "--dump"),
        (&["--dump", dump.path()], "import-django needs a database: --database-url or DATABASE_URL"),
        (&["--dump", dump.path(), "--from", "sqlite:db.sqlite3"], "--from"),
        (
            &["--from", "mysql://user:hunter2@localhost/lease", "--dry-run"],
            "a URL is required that begins with postgres:// or sqlite:",
        ),
        (&["--dump", "/nowhere.json", "--dry-run"], "the file cannot be read"),
        (&["--dump", "/proc/self/exe", "--dry-run"], "the file is neither UTF-8 nor UTF-16"),
    ];
    for (args, message) in refused {
        let (code, said, errors) = import(args);
        assert_eq!((code, &*said, errors.lines().count()), (Some(2), "", 1), "{args:?}: {errors}");
        assert!(errors.contains(message) && !errors.contains("hunter2"), "{args:?}: {errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_django_gives_the_same_as_a_dump() {
    let (django, ours) = (TestDatabase::create_empty().await, TestDatabase::create_empty().await);
    let mut connection = django.connection().await;
    for statement in sql(&whole(), str::to_owned) {
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    let (code, from_database, errors) = import(&["--from", &django.direct_url(), "--database-url", &ours.direct_url()]);
    assert_eq!((code, &*errors), (Some(0), ""), "{from_database}");
    let (_, from_dump, _) = import(&["--dump", Dump::new("same").path(), "--dry-run"]);
    let report = |said: &str| said.lines().rev().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(report(&from_database), report(&from_dump));
    drop(connection);
    for database in [django, ours] {
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_import_is_refused_and_changes_nothing() {
    let (database, dump) = (TestDatabase::create_empty().await, Dump::new("twice"));
    let said = import_into(&database.direct_url(), &dump);
    assert!(
        said.ends_with("All of this was written. The sums are the same in the database, and all invariants hold.\n"),
        "{said}"
    );
    let (code, _, errors) = import(&["--dump", dump.path(), "--database-url", &database.direct_url()]);
    assert_eq!(code, Some(2));
    assert_eq!(
        errors,
        "lease-server: nothing was imported: the database holds customers already: an import needs an empty database\n"
    );
    let check = crate::process::run(&["check", "--database-url", &database.direct_url()], &[]);
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(
        said.starts_with("All invariants hold: 4 services, 108 vehicles, 107 trades, 203 proposals, 8 invoices, 5 payments,"),
        "{said}"
    );
    database.drop().await;
}
