use std::time::Duration;

use lease_core::webhook::WebhookClient as _;

use crate::support::{Answer, Receiver, answer, answered, private_sender, reason, request};

/// Rule 9.2: whatever an endpoint answers is told.
#[tokio::test]
async fn an_answer_is_told() {
    let sender = private_sender();
    for (status, body) in
        [(200, "taken"), (202, ""), (204, ""), (400, "{}"), (404, "no such page"), (410, "gone"), (503, "later")]
    {
        let receiver = Receiver::start(answer(status, "", body)).await;
        assert_eq!(answered(sender.send(&request(receiver.url("/"))).await), (status, None, body.to_owned()));
    }
}

/// Rule 9.2: a redirect is an answer, and nothing is sent to where it leads.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let sender = private_sender();
    let target = Receiver::start(answer(200, "", "")).await;
    for status in [301, 302, 303, 307, 308] {
        let receiver = Receiver::start(answer(status, &format!("location: {}\r\n", target.url("/")), "")).await;
        assert_eq!(answered(sender.send(&request(receiver.url("/"))).await).0, status);
    }
    assert_eq!(target.connections().await, 0);
}

/// Rule 9.2: an endpoint may say for how long it wants to be left alone.
#[tokio::test]
async fn retry_after_is_read() {
    let sender = private_sender();
    for (value, expected) in [
        ("0", Some(0)),
        ("120", Some(120)),
        // The request was sent at 15:02:10.
        ("Thu, 25 Feb 2021 15:03:10 GMT", Some(60)),
        ("Thursday, 25-Feb-21 15:03:10 GMT", Some(60)),
        ("Thu Feb 25 15:03:10 2021", Some(60)),
        ("Thu, 25 Feb 2021 15:00:00 GMT", Some(0)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("99999999999999999999999", None),
    ] {
        let receiver = Receiver::start(answer(503, &format!("retry-after: {value}\r\n"), "")).await;
        let (_, retry_after, _) = answered(sender.send(&request(receiver.url("/"))).await);
        assert_eq!(retry_after, expected.map(Duration::from_secs), "{value}");
    }
}

/// Rule 9.2: the first 1,024 bytes of an answer are kept, as far as they are text.
#[tokio::test]
async fn an_answer_is_cut() {
    let sender = private_sender();
    let a = |count| "a".repeat(count);
    for (body, expected) in [
        (a(1_024).into_bytes(), a(1_024)),
        (a(100_000).into_bytes(), a(1_024)),
        // A character of four bytes, of which all fit, or only some.
        (format!("{}🚗b", a(1_020)).into_bytes(), format!("{}🚗", a(1_020))),
        (format!("{}🚗b", a(1_021)).into_bytes(), a(1_021)),
        (format!("{}🚗b", a(1_023)).into_bytes(), a(1_023)),
        (b"a\xffb\xc3".to_vec(), "a\u{FFFD}b".to_owned()),
        (b"a\0b".to_vec(), "a\u{FFFD}b".to_owned()),
        (vec![0xff; 2_000], "\u{FFFD}".repeat(341)),
    ] {
        let receiver = Receiver::start(answer(200, "", body)).await;
        assert_eq!(answered(sender.send(&request(receiver.url("/"))).await).2, expected);
    }
}

/// Rule 9.2: an answer without an end is read to 1,024 bytes.
#[tokio::test]
async fn the_rest_of_an_answer_is_not_read() {
    let sender = private_sender();
    for (head, piece) in
        [("HTTP/1.1 200 OK\r\n\r\n", "aaaa"), ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "4\r\naaaa\r\n")]
    {
        let receiver = Receiver::start(Answer::Flood(head, piece)).await;
        assert_eq!(answered(sender.send(&request(receiver.url("/"))).await).2, "a".repeat(1_024));
    }
}

/// Rule 9.2: an answer whose body breaks off has been given.
#[tokio::test]
async fn an_answer_that_breaks_off_is_an_answer() {
    let receiver = Receiver::start(Answer::Last("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\ntake")).await;
    assert_eq!(answered(private_sender().send(&request(receiver.url("/"))).await), (200, None, "take".to_owned()));
}

/// Rule 9.2: what is no answer is told without the URL, which may hold a secret of its own.
#[tokio::test]
async fn what_is_no_answer_is_told_in_plain_words() {
    let sender = private_sender();
    let endless_head = Answer::Flood("HTTP/1.1 200 OK\r\n", "a: b\r\n");
    let endless_header = Answer::Flood("HTTP/1.1 200 OK\r\na: ", "bbbbbbbb");
    for (answer, expected) in [
        (Answer::Hangup, "the connection was closed without an answer"),
        (Answer::Last("HTTP/1.1 200"), "the connection was closed without an answer"),
        (Answer::Last("220 mail.example.com ESMTP\r\n"), "the answer cannot be read"),
        (Answer::Last("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), "the answer cannot be read"),
        (answer(200, &format!("a: {}\r\n", "b".repeat(200_000)), ""), "the answer cannot be read"),
        (endless_head, "the answer cannot be read"),
        (endless_header, "the answer cannot be read"),
    ] {
        let receiver = Receiver::start(answer).await;
        assert_eq!(reason(sender.send(&request(receiver.url("/?key=hidden"))).await), expected);
    }
    let receiver = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = receiver.local_addr().unwrap();
    drop(receiver);
    assert_eq!(reason(sender.send(&request(format!("http://{nobody}/?key=hidden"))).await), "connection refused");
}
