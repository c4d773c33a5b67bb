//! Databases on which no server can start: it says why, in one line (rule 7.2).

use crate::TURN;
use crate::postgres::{TestDatabase, on_server};
use crate::process::run;

/// The server refuses to start on this database. Returns what it says.
#[track_caller]
fn refused(url: &str, code: i32) -> String {
    let output = run(&["--database-url", url, "--bind=127.0.0.1:0"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(code), 1), "{url}: {said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_or_a_role_that_does_not_exist_is_a_wrong_setting() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create_empty().await;
    let url = database.direct_url();
    let no_database = refused(&url.replace(database.name(), "nowhere"), 2);
    assert!(no_database.contains("there is no such database") && no_database.contains("\"nowhere\""), "{no_database}");
    let no_role = refused(&format!("{url}&user=nobody"), 2);
    assert!(no_role.contains("there is no such role") && no_role.contains("\"nobody\""), "{no_role}");
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_with_another_encoding_is_a_wrong_setting() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create_empty().await;
    let name = format!("{}_latin", database.name());
    for encoding in ["LATIN1", "SQL_ASCII"] {
        on_server(&format!("create database {name} encoding '{encoding}' locale 'C' template template0")).await;
        let said = refused(&database.direct_url().replace(database.name(), &name), 2);
        assert!(said.contains(encoding) && said.contains("UTF8"), "{said}");
        on_server(&format!("drop database {name} with (force)")).await;
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_no_more_connections_may_do_so_later() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create_empty().await;
    let role = format!("{}_shy", database.name());
    on_server(&format!("create role {role} login connection limit 0")).await;
    let said = refused(&format!("{}&user={role}", database.direct_url()), 1);
    assert!(said.contains("too many connections"), "{said}");
    database.drop().await;
    on_server(&format!("drop role {role}")).await;
}
