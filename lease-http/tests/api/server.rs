//! The binary `lease-server` (chapter 7): its settings, its start and its end.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

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
        &["--no-migrate=perhaps"],
        &["--token-ttl-days", "0"],
        &["--token-ttl-days", "soon"],
        &["--event-retention-days", "0"],
        &["--event-retention-days", "36501"],
        &["--argon2-memory-kib", "7"],
        &["--argon2-iterations", "0"],
        &["--login-failures-per-minute", "-1"],
        &["--registrations-per-minute", "-1"],
        &["--late-payments", "maybe"],
        &["--gateway", "paypal"],
        &["--gateway", "stripe"],
        &["--payment-action-minutes", "0"],
        &["--max-proposals", "0"],
        &["--max-days", "0"],
        &["--max-days", "100001"],
        &["--lease-fee", "cheap"],
        &["--lease-fee", "-1"],
        &["--sell-fee", "1.005"],
        &["--fee-currency", "XYZ"],
        &["--fee-currency", "HRK"],
        &["--fee-currency=JPY", "--lease-fee=49.50"],
        &["--require-current-password=perhaps"],
        &["--require-verified-email=perhaps"],
        &["--webhook-allow-private=perhaps"],
        &["--platform-name", " "],
        &["--public-url", "lease.example.com"],
        &["--public-url", "https://lease.example.com/?page=1"],
        &["--public-url", "https://:hunter2@lease.example.com"],
        &["--smtp-url", "smtp://localhost"],
        &["--smtp-url", "http://localhost", "--mail-from", "lease@example.com"],
        &["--smtp-url", "smtp://localhost", "--mail-from", "nobody"],
        &["--smtp-url", "smtp://localhost", "--mail-from", "lease@example.com", "--mail-templates", "/nowhere"],
        &["--max-connections", "0"],
        &["--request-timeout-seconds", "0"],
        &["--cors-origins", "everywhere"],
        &["--client-address-header", "a b"],
        &["--log-format", "xml"],
        &["--log", "=,="],
        &["--no-such-flag"],
        &["dance"],
        &["migrate"],
        &["createsuperuser"],
        &["check"],
    ];
    for args in flags {
        let output = run(args, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert!(said.starts_with("lease-server: ") && !said.contains("hunter2"), "{args:?}: {said}");
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
        ("LEASE_NO_MIGRATE", "none"),
        ("LEASE_TOKEN_TTL_DAYS", "none"),
        ("LEASE_EVENT_RETENTION_DAYS", "none"),
        ("LEASE_ARGON2_MEMORY_KIB", "1"),
        ("LEASE_ARGON2_ITERATIONS", "none"),
        ("LEASE_LOGIN_FAILURES_PER_MINUTE", "none"),
        ("LEASE_REGISTRATIONS_PER_MINUTE", "none"),
        ("LEASE_LATE_PAYMENTS", "none"),
        ("LEASE_GATEWAY", "none"),
        ("LEASE_PAYMENT_ACTION_MINUTES", "none"),
        ("LEASE_REQUIRE_CURRENT_PASSWORD", "none"),
        ("LEASE_REQUIRE_VERIFIED_EMAIL", "none"),
        ("LEASE_WEBHOOK_ALLOW_PRIVATE", "none"),
        ("LEASE_PLATFORM_NAME", " "),
        ("LEASE_CONSOLE", "perhaps"),
        ("LEASE_PUBLIC_URL", "none"),
        ("LEASE_SMTP_URL", "http://user:hunter2@localhost"),
        ("LEASE_MAX_PROPOSALS", "none"),
        ("LEASE_MAX_DAYS", "none"),
        ("LEASE_LEASE_FEE", "none"),
        ("LEASE_SELL_FEE", "none"),
        ("LEASE_FEE_CURRENCY", "none"),
        ("LEASE_SUPERUSER_USERNAME", "root"),
        ("LEASE_MAX_CONNECTIONS", "none"),
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

/// Chapter 10: the console is there unless the operator does not want it.
#[test]
fn a_server_has_a_console_unless_it_is_switched_off() {
    for (args, status) in [(&[][..], "303"), (&["--console", "true"], "303"), (&["--console", "false"], "404")] {
        let server = Server::start(args, &[]);
        let answer = server.ask("GET /console", "");
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{args:?}: {answer}");
    }
}

/// Chapter 7: what goes with the address of the mail server, and that its password is told to nobody.
#[test]
fn a_mail_server_that_cannot_be_right_is_an_invalid_setting() {
    let server = ("LEASE_SMTP_URL", "smtps://user:hunter2@mail.example.com");
    for (variables, flag) in [
        ([server, ("LEASE_MAIL_FROM", "")], "--smtp-url requires --mail-from"),
        ([server, ("LEASE_MAIL_FROM", "nobody")], "--mail-from"),
        ([("LEASE_SMTP_URL", "smtp://user:hunter2@mail.example.com"), ("LEASE_MAIL_FROM", "a@example.com")], "--smtp-url"),
    ] {
        let output = run(&["--bind=127.0.0.1:0"], &variables);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
        assert!(said.contains(flag) && !said.contains("hunter2"), "{said}");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "nothing is said before it is known to be right");
    }
}

/// Chapter 7, and chapter 11 for the live key.
#[test]
fn keys_of_stripe_that_cannot_be_right_are_an_invalid_setting() {
    let run = |args: &[&str], [secret, publishable, webhooks, base]: [&str; 4]| {
        let keys = [
            ("LEASE_GATEWAY", "stripe"),
            ("LEASE_STRIPE_SECRET_KEY", secret),
            ("LEASE_STRIPE_PUBLISHABLE_KEY", publishable),
            ("LEASE_STRIPE_WEBHOOK_SECRET", webhooks),
            ("LEASE_STRIPE_API_BASE", base),
        ];
        let output = run(&[args, &["--bind=127.0.0.1:0"]].concat(), &keys);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
        said
    };
    let missing = run(&[], ["sk_test_hunter2", "pk_test_1", "", ""]);
    assert!(missing.contains("LEASE_STRIPE_WEBHOOK_SECRET"), "{missing}");
    run(&[], ["pk_test_hunter2", "pk_test_1", "whsec_hunter2", ""]);
    run(&[], ["sk_test_hunter2", "sk_test_hunter2", "whsec_hunter2", ""]);
    run(&[], ["sk_live_hunter2", "pk_test_1", "whsec_hunter2", ""]);
    run(&[], ["sk_test_hunter2", "pk_test_1", "whsec_hunter2", "http://stripe.example"]);
    let live = run(&["--test-clock"], ["sk_live_hunter2", "pk_live_1", "whsec_hunter2", ""]);
    assert!(live.contains("--test-clock"), "{live}");
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
    assert!(said.contains("the database cannot be reached: nothing listens") && !said.contains("hunter2"), "{said}");
    // A name with a part of more than 63 characters is in no directory.
    let output = run(&["migrate", "--database-url", &format!("postgres://lease:hunter2@{}/lease", "x".repeat(64))], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("the name of its host cannot be found") && !said.contains("hunter2"), "{said}");
}

/// What a server says to whom Postgres refuses a connection with this code and message, and its exit code.
fn refused(parameters: &str, code: &str, message: &str) -> (i32, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://lease:hunter2@{}/lease{parameters}", listener.local_addr().unwrap());
    let answer = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // The server may end in the middle of this.
            let _ = refuse(stream.unwrap(), &answer);
        }
    });
    let output = run(&["--database-url", &url], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    (output.status.code().unwrap(), said)
}

/// Refuses a connection as Postgres does: an encrypted one with a letter, any other one with an error.
fn refuse(mut stream: TcpStream, answer: &str) -> io::Result<()> {
    const ENCRYPTED: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    if head == ENCRYPTED {
        stream.write_all(b"N")?;
        stream.read_exact(&mut head)?;
    }
    let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    stream.read_exact(&mut vec![0; length as usize - head.len()])?;
    stream.write_all(b"E")?;
    stream.write_all(&u32::try_from(answer.len() + 4).unwrap().to_be_bytes())?;
    stream.write_all(answer.as_bytes())
}

/// What a setting is to blame for has another exit code than what may pass by itself.
#[test]
fn a_refused_connection_ends_the_server_with_one_clear_line() {
    let not_let_in =
        |encryption: &str| format!("no pg_hba.conf entry for host \"::1\", user \"lease\", database \"lease\", {encryption}");
    let refusals = [
        ("28P01", "password authentication failed for user \"lease\"", 2, "the password is wrong, or there is no such role"),
        ("28000", "role \"lease\" does not exist", 2, "there is no such role, or it may not log in"),
        ("3D000", "database \"lease\" does not exist", 2, "there is no such database"),
        ("42501", "permission denied for database \"lease\"", 2, "the role may not connect to the database"),
        ("28000", &not_let_in("SSL encryption"), 2, "pg_hba.conf does not let the role in"),
        ("28000", &not_let_in("no encryption"), 2, "add sslmode=require to the URL"),
        ("53300", "sorry, too many clients already", 1, "it has too many connections"),
        ("57P03", "the database system is starting up", 1, "the database system is starting up"),
    ];
    for (code, message, exit, words) in refusals {
        let (code, said) = refused("", code, message);
        assert_eq!(code, exit, "{said}");
        assert!(said.contains(words) && said.contains(message), "{said}");
    }
    let (code, said) = refused("?sslmode=require", "", "");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("no encrypted connection can be made"), "{said}");
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
pub(crate) fn token_of(response: &str) -> String {
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
    server.ask_as(&format!("Token {ann}"), "GET /api/credit-cards/7", "");
    server.terminate();
    let (_, log) = server.end();
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    for secret in [password, &token, &ann, GOOD_CARD, "hunter2"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let line = |route: &str| -> serde_json::Value {
        let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["message"] == "answered").find(|line| line["span"]["route"] == route).unwrap()
    };
    let (root, customer) = (1, 2);
    assert_eq!((&line("/api/login")["user"], &line("/api/users")["user"]), (&root.into(), &serde_json::Value::Null));
    assert_eq!(line("/api/register")["made"], customer);
    assert_eq!((&line("/api/credit-cards")["user"], &line("/api/credit-cards")["made"]), (&customer.into(), &1.into()));
    let one = line("/api/credit-cards/{id}");
    assert_eq!((&one["object"], &one["user"], &one["status"]), (&7.into(), &customer.into(), &404.into()));
}

/// Rules 4.11 and 4.12.
#[test]
fn the_limits_of_proposals_are_settings() {
    let server = Server::start(&["--max-proposals", "1"], &[("LEASE_MAX_DAYS", "31")]);
    let owner = token_of(&server.ask("POST /api/register", &crate::app::registration("ann").to_string()));
    let post = |path: &str, body: &str| server.ask_as(&format!("Token {owner}"), &format!("POST /api/{path}"), body);
    post("vehicles", &crate::app::vehicle(1).to_string());
    post("trades", r#"{"vehicle_id": 1, "service_id": 1}"#);
    let terms = |end: &str| format!(r#"{{"amount": 450, "start_date": "2030-01-01", "end_date": "{end}"}}"#);
    let too_long = post("trades/1/proposals", &terms("2030-02-02"));
    assert!(too_long.contains("At most 31 days"), "{too_long}");
    let made = post("trades/1/proposals", &terms("2030-02-01"));
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    let second = post("trades/1/proposals", &terms("2030-02-01"));
    assert!(second.starts_with("HTTP/1.1 409") && second.contains("proposal_limit"), "{second}");
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
fn the_shutdown_timeout_ends_a_request_that_takes_too_long() {
    let mut server = Server::start(&["--shutdown-timeout-seconds=0", "--argon2-memory-kib=65536", "--argon2-iterations=40"], &[]);
    let login = r#"{"username": "nobody", "password": "wrong"}"#;
    let head = "POST /api/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    server.connect().write_all(format!("{head}content-length: {}\r\n\r\n{login}", login.len()).as_bytes()).unwrap();
    let pending = server.connect();
    (&pending).write_all(format!("{head}content-length: {}\r\n\r\n{login}", login.len()).as_bytes()).unwrap();
    server.until("lease_http_requests_in_flight 2");
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

const UNFINISHED: &[u8] = b"POST /api/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";

/// Asks for more than the buffers of a connection hold, and reads nothing.
fn slow_reader(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    for _ in 0..20 {
        stream.write_all(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    }
    stream
}

/// A body has the request timeout to arrive (rule 6.6).
#[test]
fn a_body_that_does_not_come_is_a_408_and_the_end_of_its_connection() {
    let server = Server::start(&["--request-timeout-seconds=1"], &[]);
    let chunked = b"POST /api/trades HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n";
    for sent in [UNFINISHED, &chunked[..]] {
        let mut stream = server.connect();
        stream.write_all(sent).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert!(response.starts_with("HTTP/1.1 408") && response.contains("request_timeout"), "{response}");
    }
}

#[test]
fn a_client_that_reads_nothing_is_not_waited_for() {
    let server = Server::start(&["--request-timeout-seconds=1"], &[]);
    let _reader = slow_reader(&server);
    server.until("lease_http_connections_ended_total{reason=\"slow_reader\"} 1");
    server.until("lease_http_connections 1");
}

#[test]
fn idle_and_slow_connections_make_way_for_new_ones() {
    let server = Server::start(&["--max-connections=3"], &[]);
    let mut slow = server.connect();
    slow.write_all(UNFINISHED).unwrap();
    let mut idle = server.connect();
    let _others: Vec<_> = (0..20).map(|_| server.connect()).collect();
    assert!(server.ask("GET /api/services", "").starts_with("HTTP/1.1 200"));
    for stream in [&mut slow, &mut idle] {
        // The connection is closed, or reset if something was in it.
        let read = stream.read_to_end(&mut Vec::new());
        assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    }
    assert!(server.metric("lease_http_connections_ended_total{reason=\"made_way\"}") >= 18);
    // One that makes way is counted until its task has ended.
    server.until_at_most("lease_http_connections", 3);
}

#[test]
fn few_file_descriptors_are_enough_for_a_server() {
    let server = Server::start_by(&["prlimit", "--nofile=128:128"], &["--max-connections=100000"], &[]);
    assert!(server.log.contains("fewer connections are accepted"), "{}", server.log);
    let _idle: Vec<_> = (0..200).map(|_| server.connect()).collect();
    assert!(server.ask("GET /healthz", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn clients_who_keep_the_server_waiting_do_not_keep_it_from_stopping() {
    let mut server = Server::start(&["--shutdown-timeout-seconds=4"], &[]);
    let _idle = server.connect();
    let mut half = server.connect();
    half.write_all(b"GET /healthz HTTP/1.1\r\nhost").unwrap();
    let mut slow = server.connect();
    slow.write_all(UNFINISHED).unwrap();
    let _reader = slow_reader(&server);
    server.until("lease_http_connections 5");
    server.terminate();
    server.line_with("stopping");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn a_server_whose_log_nobody_reads_goes_on() {
    let server = Server::start(&[], &[]);
    // A line of it has more than a hundred bytes, and a pipe holds 64 KiB.
    for _ in 0..700 {
        assert!(server.ask("GET /healthz", "").starts_with("HTTP/1.1 200"));
    }
    assert_eq!(server.metric("lease_log_lines_dropped"), 0);
}

/// Rule 3.7: hashing works in memory that is kept, so a flood of registrations at the default costs does not make the server grow.
#[test]
fn the_server_does_not_grow_under_a_flood_of_registrations() {
    const CLIENTS: usize = 48;
    const EACH: usize = 4;
    const ONE_HASH_KIB: u64 = 19 * 1024;
    let server = Server::start_by(&[], &["--registrations-per-minute=0", "--log=warn,lease_server=info"], &[]);
    let before = server.memory_kib("VmRSS");
    let at_once = server.metric("lease_password_hashing_free").unsigned_abs();
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

/// Rule 7.5: responses that clients do not take have a bounded memory, which is given back.
#[test]
fn clients_that_read_nothing_cannot_fill_the_memory() {
    const UNAVAILABLE: &str = "lease_outcomes_total{code=\"unavailable\"}";
    let server = Server::start(&["--registrations-per-minute=0", "--log=warn,lease_server=info"], &[]);
    let token = token_of(&server.ask("POST /api/register", &crate::app::registration("ada").to_string()));
    let token = format!("Token {token}");
    // Of four bytes each.
    let description = "\u{1F697}".repeat(4_000);
    for number in 1..=100 {
        let vehicle = crate::app::vehicle(number).to_string();
        assert!(server.ask_as(&token, "POST /api/vehicles", &vehicle).starts_with("HTTP/1.1 201"));
        let trade = serde_json::json!({"vehicle_id": number, "service_id": 2, "description": description}).to_string();
        assert!(server.ask_as(&token, "POST /api/trades", &trade).starts_with("HTTP/1.1 201"));
    }
    let list = format!("GET /api/trades?limit=100 HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\n\r\n");
    let before = server.memory_kib("VmRSS");
    let readers: Vec<_> = (0..80)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(list.as_bytes()).unwrap();
            // One after the other: what is measured is responses that wait, not those being made.
            stream.peek(&mut [0]).unwrap();
            stream
        })
        .collect();
    // Each list has 1.6 MB, and the clients behind one address have 32 MiB.
    server.until_at_least(UNAVAILABLE, 50);
    let grown = server.memory_kib("VmHWM") - before;
    assert!(grown < 100 * 1024, "{grown} KiB");
    drop(readers);
    server.until("lease_http_connections 1");
    assert!(server.ask_as(&token, "GET /api/trades?limit=100", "").starts_with("HTTP/1.1 200"));
}

/// Rule 6.6 and RFC 9112, 3.2: in HTTP/1.0 a request need not say which host it is for.
#[test]
fn a_request_names_one_host() {
    let server = Server::start(&[], &[]);
    let cases = [
        ("1.1", "host: x\r\n", "200"),
        ("1.1", "", "400"),
        ("1.1", "host: x\r\nHost: x\r\n", "400"),
        ("1.0", "", "200"),
        ("1.0", "host: x\r\nhost: y\r\n", "400"),
    ];
    for (version, hosts, status) in cases {
        let mut stream = server.connect();
        write!(stream, "GET /healthz HTTP/{version}\r\n{hosts}connection: close\r\n\r\n").unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert_eq!(response.split(' ').nth(1), Some(status), "{version} {hosts:?}: {response}");
        assert_eq!(response.contains("validation_error"), status == "400", "{response}");
    }
}
