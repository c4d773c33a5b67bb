//! The binary `lease-server` (chapter 7): its settings, its start and its end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};

use crate::process::{Server, run};
use crate::support::setup::GOOD_CARD;

#[test]
fn invalid_settings_end_the_server_with_one_line_and_exit_code_2() {
    let flags: &[&[&str]] = &[
        &["--bind", "nonsense"],
        &["--bind", "127.0.0.1:99999"],
        &["--database-url", "mysql://localhost/lease"],
        &["--database-url", "localhost"],
        &["--database-url", "postgres://localhost:port/lease"],
        &["--database-max-connections", "0"],
        &["--database-schema", "pg_lease"],
        &["--database-schema", ""],
        &["--database-pooler", "session"],
        &["--token-ttl-days", "0"],
        &["--token-ttl-days", "soon"],
        &["--argon2-memory-kib", "7"],
        &["--argon2-iterations", "0"],
        &["--login-failures-per-minute", "-1"],
        &["--registrations-per-minute", "-1"],
        &["--late-payments", "maybe"],
        &["--lease-fee", "cheap"],
        &["--lease-fee", "-1"],
        &["--sell-fee", "1.005"],
        &["--fee-currency", "XYZ"],
        &["--fee-currency", "JPY"],
        &["--request-timeout-seconds", "0"],
        &["--cors-origins", "everywhere"],
        &["--client-address-header", "a b"],
        &["--log-format", "xml"],
        &["--log", "=,="],
        &["--no-such-flag"],
        &["dance"],
        &["migrate"],
        &["createsuperuser"],
    ];
    for args in flags {
        let output = run(args, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert!(said.starts_with("lease-server: "), "{args:?}: {said}");
    }
}

#[test]
fn every_setting_is_also_an_environment_variable() {
    let variables = [
        ("LEASE_BIND", "nonsense"),
        ("DATABASE_URL", "mysql://user:hunter2@localhost/lease"),
        ("LEASE_DATABASE_MAX_CONNECTIONS", "none"),
        ("LEASE_DATABASE_SCHEMA", "pg_lease"),
        ("LEASE_DATABASE_POOLER", "session"),
        ("LEASE_TOKEN_TTL_DAYS", "none"),
        ("LEASE_ARGON2_MEMORY_KIB", "1"),
        ("LEASE_ARGON2_ITERATIONS", "none"),
        ("LEASE_LOGIN_FAILURES_PER_MINUTE", "none"),
        ("LEASE_REGISTRATIONS_PER_MINUTE", "none"),
        ("LEASE_LATE_PAYMENTS", "none"),
        ("LEASE_LEASE_FEE", "none"),
        ("LEASE_SELL_FEE", "none"),
        ("LEASE_FEE_CURRENCY", "none"),
        ("LEASE_SUPERUSER_USERNAME", "root"),
        ("LEASE_REQUEST_TIMEOUT_SECONDS", "none"),
        ("LEASE_SHUTDOWN_TIMEOUT_SECONDS", "none"),
        ("LEASE_CORS_ORIGINS", "none"),
        ("LEASE_CLIENT_ADDRESS_HEADER", "no header"),
        ("LEASE_LOG_FORMAT", "none"),
        ("LEASE_LOG", "=,="),
    ];
    for variable in variables {
        let output = run(&[], &[variable]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{variable:?}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn a_superuser_with_an_invalid_password_is_an_invalid_setting() {
    let superuser = [
        ("LEASE_SUPERUSER_USERNAME", "root"),
        ("LEASE_SUPERUSER_EMAIL", "root@example.com"),
        ("LEASE_SUPERUSER_PASSWORD", "12345678"),
    ];
    let output = run(&["--bind=127.0.0.1:0"], &superuser);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("password: ") && !said.contains("12345678"), "{said}");
}

#[test]
fn an_unreachable_database_ends_the_server_with_one_line_and_another_exit_code() {
    // No process listens on this port.
    let output = run(&["migrate", "--database-url", "postgres://lease:hunter2@127.0.0.1:1/lease"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("the database cannot be reached") && !said.contains("hunter2"), "{said}");
}

#[test]
fn help_is_no_error_and_shows_no_secret() {
    let output = run(&["--help"], &[("DATABASE_URL", "postgres://lease:hunter2@localhost/lease")]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(said.contains("LEASE_LATE_PAYMENTS") && !said.contains("hunter2"), "{said}");
}

#[test]
fn openapi_prints_the_document_and_nothing_else() {
    let output = run(&["openapi"], &[]);
    assert_eq!(output.status.code(), Some(0));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn the_server_serves_from_memory_and_stops_on_sigterm() {
    for signal in ["TERM", "INT"] {
        let server = Server::start(&[], &[("DATABASE_URL", "")]);
        assert!(server.log.contains("kept in memory"), "{}", server.log);
        assert!(server.ask("GET /healthz", "").starts_with("HTTP/1.1 200"));
        let services = server.ask("GET /api/services", "");
        for part in ["\"Lease\"", "\"49.00\"", "\"Sell\"", "\"199.00\"", "\"USD\""] {
            assert!(services.contains(part), "{part}: {services}");
        }
        server.signal(signal);
        let (code, log) = server.end();
        assert_eq!(code, Some(0), "{signal}: {log}");
        assert!(log.contains("stopped"), "{signal}: {log}");
    }
}

/// The token in a response.
fn token_of(response: &str) -> String {
    response.split(r#""token":""#).nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// Rules 3.7 and 5.6: the log never contains a password, a token or a card number, at any level.
#[test]
fn the_superuser_of_the_environment_can_log_in_and_the_log_holds_no_secret() {
    let password = "violet-harbor-93";
    let superuser = [
        ("LEASE_SUPERUSER_USERNAME", "root"),
        ("LEASE_SUPERUSER_EMAIL", "root@example.com"),
        ("LEASE_SUPERUSER_PASSWORD", password),
    ];
    let server = Server::start(
        &["--log-format", "json", "--log", "trace", "--fee-currency=JPY", "--lease-fee=0", "--sell-fee=20000"],
        &superuser,
    );
    assert!(server.ask("GET /api/services", "").contains("\"20000\""));
    let body = format!(r#"{{"username": "root", "password": "{password}"}}"#);
    let response = server.ask("POST /api/login", &body);
    let token = token_of(&response);
    assert_eq!(token.len(), 40);
    server.ask(&format!("GET /api/users?search=hunter2&token={token}"), "");
    let ann = server.ask("POST /api/register", &crate::app::registration("ann").to_string());
    let ann = token_of(&ann);
    let card = crate::support::setup::card(GOOD_CARD).to_string();
    assert!(server.ask_as(&format!("Token {ann}"), "POST /api/credit-cards", &card).starts_with("HTTP/1.1 201"));
    server.terminate();
    let (_, log) = server.end();
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    for secret in [password, &token, &ann, GOOD_CARD, "hunter2"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    assert!(log.contains(r#""route":"/api/login""#), "{log}");
}

#[test]
fn pending_requests_are_completed_before_the_server_stops() {
    let mut server = Server::start(&[], &[]);
    let body = br#"{"username": "nobody", "password": "wrong"}"#;
    let mut stream = server.connect();
    let head = format!(
        "POST /api/login HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The handler is reading the body, so the request is pending.
    let mut response = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    response.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 100"), "{line}");

    server.terminate();
    server.line_with("stopping");
    stream.write_all(body).unwrap();
    let mut rest = String::new();
    response.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("HTTP/1.1 400") && rest.contains("invalid_credentials"), "{rest}");
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn the_shutdown_timeout_ends_a_request_that_never_completes() {
    let mut server = Server::start(&["--shutdown-timeout-seconds=0"], &[]);
    let mut stream = server.connect();
    stream.write_all(b"POST /api/login HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
    server.terminate();
    server.line_with("stopping");
    assert_eq!(server.end().0, Some(1));
}

#[test]
fn a_connection_with_an_incomplete_head_is_closed_after_the_timeout() {
    let server = Server::start(&["--request-timeout-seconds=1"], &[]);
    let mut stream = server.connect();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert_eq!(response, "", "the connection is closed");
    assert!(server.ask("GET /healthz", "").starts_with("HTTP/1.1 200"));
    server.terminate();
    assert_eq!(server.end().0, Some(0));
}

/// Rule 3.7: hashing works in memory that is kept, so a flood of registrations at the default costs does not make the server grow.
#[test]
fn the_server_does_not_grow_under_a_flood_of_registrations() {
    const CLIENTS: usize = 48;
    const EACH: usize = 4;
    const ONE_HASH_KIB: u64 = 19 * 1024;
    let server = Server::start_as_it_is(&["--registrations-per-minute=0", "--log=warn,lease_server=info"], &[]);
    let before = server.memory_kib("VmRSS");
    let free = server.ask("GET /metrics", "");
    let at_once: u64 = free.split("\nlease_password_hashing_free ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let server = &server;
            scope.spawn(move || {
                for number in 0..EACH {
                    let body = crate::app::registration(&format!("eve{client}x{number}")).to_string();
                    let response = server.ask("POST /api/register", &body);
                    assert!(response.starts_with("HTTP/1.1 201"), "{response}");
                }
            });
        }
    });
    let grown = server.memory_kib("VmHWM") - before;
    // The memory of one hash is there from the start. Memory for each hash anew takes three times as much.
    assert!(grown <= 40 * 1024 + (at_once - 1) * ONE_HASH_KIB, "{grown} KiB");
    server.terminate();
    assert_eq!(server.end().0, Some(0));
}
