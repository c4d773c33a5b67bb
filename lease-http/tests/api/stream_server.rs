//! Streams of events (rule 8.7) and the connections of `lease-server`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use crate::process::Server;
use crate::server::token_of;

/// A server with a customer; their `Authorization`.
fn server(args: &[&str]) -> (Server, String) {
    let server = Server::start(args, &[]);
    let token = token_of(&server.ask("POST /api/register", &crate::app::registration("ada").to_string()));
    (server, format!("Token {token}"))
}

fn ask(server: &Server, authorization: &str, path: &str) -> TcpStream {
    let mut stream = server.connect();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\n\r\n").unwrap();
    stream
}

/// An open stream: its lines after the first comment.
fn follow(server: &Server, authorization: &str) -> BufReader<TcpStream> {
    let mut stream = BufReader::new(ask(server, authorization, "/api/events/stream"));
    until(&mut stream, ": open");
    stream
}

/// Reads up to a line with this text; `None` if the connection ends before.
fn find(stream: &mut BufReader<TcpStream>, text: &str) -> Option<String> {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if line.contains(text) {
            return Some(line);
        }
    }
}

fn until(stream: &mut BufReader<TcpStream>, text: &str) -> String {
    find(stream, text).unwrap_or_else(|| panic!("the stream ended before {text}"))
}

fn add_vehicle(server: &Server, authorization: &str, number: u32) {
    let vehicle = crate::app::vehicle(number).to_string();
    assert!(server.ask_as(authorization, "POST /api/vehicles", &vehicle).starts_with("HTTP/1.1 201"));
}

/// A stream outlives the timeouts of connections, and its place is free once its client has gone.
#[test]
fn an_idle_stream_outlives_the_timeouts() {
    let (server, ada) = server(&["--request-timeout-seconds=1"]);
    let mut stream = follow(&server, &ada);
    let _idle = server.connect();
    server.until("lease_http_connections_ended_total{reason=\"slow_request\"} 1");
    add_vehicle(&server, &ada, 1);
    until(&mut stream, "event: vehicle.created");
    assert_eq!(server.metric("lease_http_event_streams"), 1);
    drop(stream);
    server.until("lease_http_event_streams 0");
}

/// A stopping server does not wait for streams: it would wait for 30 seconds.
#[test]
fn a_stopping_server_ends_its_streams() {
    let (mut server, ada) = server(&["--request-timeout-seconds=30", "--shutdown-timeout-seconds=30"]);
    let mut streams: Vec<_> = (0..3).map(|_| follow(&server, &ada)).collect();
    let start = std::time::Instant::now();
    server.terminate();
    server.line_with("stopping");
    for stream in &mut streams {
        // The last chunk, so that the client knows that nothing is missing.
        let last = until(stream, "0\r\n");
        assert_eq!(last, "0\r\n");
        assert!(find(stream, "event").is_none());
    }
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(start.elapsed() < std::time::Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(log.matches("a stream of events ended").count(), 3, "{log}");
}

/// Who takes nothing of what is sent is cut off, as any slow reader.
#[test]
fn a_stream_that_nobody_reads_is_cut_off() {
    let (server, ada) = server(&["--request-timeout-seconds=1"]);
    add_vehicle(&server, &ada, 1);
    let trade = server.ask_as(&ada, "POST /api/trades", r#"{"vehicle_id": 1, "service_id": 2}"#);
    assert!(trade.starts_with("HTTP/1.1 201"), "{trade}");
    // More than the buffers of a connection hold: each event has two descriptions of 16 KB.
    for turn in 0..200 {
        let description = if turn % 2 == 0 { "\u{1F697}" } else { "\u{1F699}" }.repeat(4_000);
        let body = serde_json::json!({"description": description}).to_string();
        assert!(server.ask_as(&ada, "PATCH /api/trades/1", &body).starts_with("HTTP/1.1 200"));
    }
    let reader = ask(&server, &ada, "/api/events/stream?after=0");
    server.until("lease_http_connections_ended_total{reason=\"slow_reader\"} 1");
    server.until("lease_http_event_streams 0");
    drop(reader);
}

/// A stream makes way as an idle connection does, when there are too many.
#[test]
fn a_stream_makes_way_for_new_connections() {
    let (server, ada) = server(&["--max-connections=3"]);
    let mut stream = follow(&server, &ada);
    let _others: Vec<_> = (0..20).map(|_| server.connect()).collect();
    assert!(find(&mut stream, "event").is_none());
    server.until("lease_http_event_streams 0");
}

/// A thousand idle streams take 64 MiB at most; half as many, half of it.
#[test]
fn idle_streams_take_little_memory() {
    const USERS: usize = 100;
    let (server, ada) = server(&["--registrations-per-minute=0", "--log=warn,lease_server=info"]);
    let users: Vec<String> = (0..USERS)
        .map(|number| {
            let user = crate::app::registration(&format!("eve{number}")).to_string();
            format!("Token {}", token_of(&server.ask("POST /api/register", &user)))
        })
        .collect();
    let _first = follow(&server, &ada);
    let before = server.memory_kib("VmRSS");
    let streams: Vec<_> = users.iter().flat_map(|user| [user; 5]).map(|user| follow(&server, user)).collect();
    let grown = server.memory_kib("VmRSS").saturating_sub(before);
    assert_eq!(server.metric("lease_http_event_streams"), i64::try_from(streams.len() + 1).unwrap());
    assert!(grown <= 32 * 1024, "{grown} KiB for {}", streams.len());
}
