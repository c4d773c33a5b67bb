//! Webhooks and mails of a whole server (rules 7.1, 9.1 to 9.4): over the network, and into a folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};

use crate::mail_folder::{MailFolder, token_in};
use crate::process::Server;

/// Takes webhooks at an address of this machine, and passes their heads and bodies on.
fn receiver() -> (String, Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (taken, take) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {}
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
            if taken.send((head, String::from_utf8(body).unwrap())).is_err() {
                return;
            }
        }
    });
    (url, take)
}

fn body(response: &str) -> Value {
    serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap_or_default()
}

#[test]
fn a_server_sends_webhooks_and_mails() {
    let folder = MailFolder::new("mails");
    let (url, webhooks) = receiver();
    let mut server = Server::start(
        &["--test-clock", "--webhook-allow-private", "--platform-name=Cars", "--public-url=https://cars.example/app"],
        &[
            ("LEASE_SMTP_URL", &folder.url()),
            ("LEASE_MAIL_FROM", "Cars <cars@example.com>"),
            ("LEASE_SUPERUSER_USERNAME", "root"),
            ("LEASE_SUPERUSER_EMAIL", "root@example.com"),
            ("LEASE_SUPERUSER_PASSWORD", "violet-harbor-93"),
        ],
    );
    assert!(!server.log.contains("no mail is sent"), "{}", server.log);
    let login = json!({"username": "root", "password": "violet-harbor-93"}).to_string();
    let root = format!("Token {}", body(&server.ask("POST /api/login", &login))["token"].as_str().unwrap());
    let endpoint = json!({"url": url, "event_types": ["lead.created"]}).to_string();
    assert!(server.ask_as(&root, "POST /api/webhook-endpoints", &endpoint).starts_with("HTTP/1.1 201"));
    server.ask_as(&root, "POST /api/leads", &json!({"company": "Acme"}).to_string());
    assert!(
        server.ask("POST /api/password-reset", &json!({"email": "root@example.com"}).to_string()).starts_with("HTTP/1.1 202")
    );
    // The answer comes when everything that is due was done.
    let advanced = server.ask_as(&root, "POST /api/test-clock/advance", &json!({"seconds": 60}).to_string());
    assert!(advanced.starts_with("HTTP/1.1 200"), "{advanced}");
    let (head, sent) = webhooks.try_recv().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&sent).unwrap()["type"], "lead.created");
    for header in ["webhook-id: event_", "webhook-timestamp: ", "webhook-signature: v1,"] {
        assert!(head.contains(header), "{head}");
    }

    let mails = folder.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert!(mail.contains("To: ") && mail.contains("root@example.com") && mail.contains("Subject: [Cars] "), "{mail}");
    let token = token_in(mail, "https://cars.example/app/password-reset");
    let page = server.ask(&format!("GET /password-reset?token={token}"), "");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<form") && page.contains("Cars"), "{page}");
    let reset = json!({"token": token, "password": "amber-lantern-58", "password2": "amber-lantern-58"}).to_string();
    assert!(server.ask("POST /api/password-reset/confirm", &reset).starts_with("HTTP/1.1 204"));
    server.line_with("/api/password-reset/confirm");
    server.terminate();
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("/password-reset") && !log.contains(token) && !log.contains("whsec_"), "{log}");
}

/// Chapter 7: it says at start that it sends no mail.
#[test]
fn a_server_without_a_mail_server_says_so() {
    let empty = ["LEASE_SMTP_URL", "LEASE_MAIL_FROM", "LEASE_MAIL_TEMPLATES", "LEASE_PUBLIC_URL", "LEASE_PLATFORM_NAME"];
    let server = Server::start(&[], &empty.map(|variable| (variable, "")));
    assert!(server.log.contains("no mail is sent (--smtp-url)"), "{}", server.log);
    assert!(!server.log.contains("--require-verified-email"), "{}", server.log);
    assert!(server.ask("POST /api/password-reset", "{\"email\": \"ada@example.com\"}").starts_with("HTTP/1.1 202"));
}

/// Rule 9.4: without mails, nobody can do what is required.
#[test]
fn a_server_warns_of_addresses_that_nobody_can_confirm() {
    let server = Server::start(&["--require-verified-email"], &[]);
    assert!(server.log.contains("no customer can confirm an e-mail address"), "{}", server.log);
}
