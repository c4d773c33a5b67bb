//! Servers and their commands on a database that is empty, prepared, or used by several of them at once.

use std::io::Write as _;
use std::process::{Output, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Addresses, Client};
use crate::postgres::TestDatabase;
use crate::process::{Server, command, run};
use crate::{SUPERUSER, TURN, serve};

const SERVERS: usize = 4;

/// Every server serves, whichever of them created the schema, the superuser and the services, and again after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn many_servers_start_at_once_on_an_empty_database() {
    let _turn = TURN.lock().await;
    let database = Arc::new(TestDatabase::create_empty().await);
    for _ in 0..2 {
        let starting: Vec<_> = (0..SERVERS)
            .map(|_| {
                let database = Arc::clone(&database);
                tokio::task::spawn_blocking(move || serve(&database))
            })
            .collect();
        let mut servers = Vec::new();
        for server in starting {
            servers.push(server.await.unwrap());
        }
        for server in servers {
            assert!(server.ask("GET /readyz", "").starts_with("HTTP/1.1 200"));
            assert_eq!(root_sees(&server, "/api/services").await["results"].as_array().unwrap().len(), 2);
            assert_eq!(root_sees(&server, "/api/users").await["results"].as_array().unwrap().len(), 1);
            server.terminate();
            assert_eq!(server.end().0, Some(0));
        }
    }
    Arc::into_inner(database).unwrap().drop().await;
}

async fn root_sees(server: &Server, path: &str) -> Value {
    let addresses = Addresses::default();
    addresses.set(vec![server.address.clone()]);
    Client::superuser(&addresses).await.read(path).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_prepared_by_commands() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create_empty().await;
    let url = database.url();
    for _ in 0..2 {
        let output = run(&["migrate", "--database-url", &url], &[]);
        assert_eq!(said(&output), (Some(0), "The database is up to date.\n".to_owned()));
    }

    let [_, password, _] = SUPERUSER;
    let cheap = ["--argon2-memory-kib=8", "--argon2-iterations=1", "--database-url", &url, "createsuperuser"];
    let named = [&cheap[..], &["--username=root", "--email=root@example.com"]].concat();
    assert_eq!(said(&run(&named, &[password])), (Some(0), "The superuser root was created.\n".to_owned()));
    let again = run(&named, &[password]);
    let complaint = String::from_utf8(again.stderr).unwrap();
    assert_eq!((again.status.code(), complaint.lines().count()), (Some(1), 1), "{complaint}");
    assert!(complaint.contains("already exists"), "{complaint}");

    // A value that is not given is asked for.
    let mut asking = command(&cheap, &[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    asking.stdin.take().unwrap().write_all(b"second\nsecond@example.com\namber-meadow-17\n").unwrap();
    assert_eq!(said(&asking.wait_with_output().unwrap()), (Some(0), "The superuser second was created.\n".to_owned()));

    let server = serve(&database);
    for name in ["root", "second"] {
        let body = json!({"username": name, "password": password.1});
        assert!(server.ask("POST /api/login", &body.to_string()).starts_with("HTTP/1.1 200"), "{name}");
    }
    drop(server);
    database.drop().await;
}

/// Rule 7.2: the superuser of the environment is a matter of the first start. Variables that stay behind neither make another one nor
/// stop a later start, whatever they say.
#[tokio::test(flavor = "multi_thread")]
async fn the_superuser_of_the_environment_is_made_once() {
    let _turn = TURN.lock().await;
    let database = TestDatabase::create().await;
    let url = database.url();
    let [(_, name), (_, password), (_, email)] = SUPERUSER;
    let start = |name: &str, password: &str, email: &str| {
        let variables =
            [("LEASE_SUPERUSER_USERNAME", name), ("LEASE_SUPERUSER_PASSWORD", password), ("LEASE_SUPERUSER_EMAIL", email)];
        Server::start(&["--database-url", &url, crate::postgres::pooler_flag()], &variables)
    };
    let first = start(name, password, email);
    assert!(first.log.contains("the superuser of the environment was created"), "{}", first.log);
    drop(first);
    let later = [
        (name, password, email),
        (name, password, "changed@example.com"),
        ("changed", password, email),
        ("another", "copper-lantern-41", "another@example.com"),
        (name, "1", "nonsense"),
        (name, "", ""),
    ];
    for (name, password, email) in later {
        let server = start(name, password, email);
        assert!(server.log.contains("WARN") && server.log.contains("LEASE_SUPERUSER_PASSWORD have no effect"), "{}", server.log);
        assert_eq!(root_sees(&server, "/api/users").await["results"].as_array().unwrap().len(), 1);
    }
    let quiet = Server::start(&["--database-url", &url, crate::postgres::pooler_flag()], &[]);
    assert!(!quiet.log.contains("LEASE_SUPERUSER"), "{}", quiet.log);
    drop(quiet);
    database.drop().await;
}

fn said(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}
