//! Servers behind `PgBouncer`: with the setting for it they serve, and without it they say which setting is missing.

use crate::postgres::TestDatabase;
use crate::postgres::pooler::RunningPooler;
use crate::process::{Server, run};
use crate::{SUPERUSER, TURN};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_behind_a_pooler_needs_a_setting_and_says_which() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create_empty().await;
    let refusing = RunningPooler::start(&[]);
    let dropping = RunningPooler::start(&["ignore_startup_parameters = extra_float_digits,options"]);
    for pooler in [&refusing, &dropping] {
        for mode in ["none", "transaction-prepared"] {
            for command in ["serve", "migrate"] {
                let url = pooler.url(database.name());
                let output = run(&["--database-url", &url, "--database-pooler", mode, "--bind=127.0.0.1:0", command], &[]);
                let said = String::from_utf8(output.stderr).unwrap();
                assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{mode}, {command}: {said}");
                assert!(said.contains("set --database-pooler=transaction"), "{mode}, {command}: {said}");
            }
        }
    }

    let url = refusing.url(database.name());
    let flags = ["--database-url", &url, "--database-pooler=transaction", "--database-schema=lease"];
    let servers: Vec<_> = [(); 2]
        .map(|()| flags.map(str::to_owned))
        .into_iter()
        .map(|flags| tokio::task::spawn_blocking(move || Server::start(&flags.each_ref().map(String::as_str), &SUPERUSER)))
        .collect();
    for server in servers {
        let server = server.await.unwrap();
        assert!(server.ask("GET /readyz", "").starts_with("HTTP/1.1 200"));
        assert!(server.ask("GET /api/services", "").contains("\"199.00\""));
    }
    database.drop().await;
}
