use lease_core::webhook::WebhookClient as _;

use crate::support::{Answer, Receiver, answer, answered, private_sender, request};

/// Rule 9.2: what follows to the same endpoint goes over the same connection.
#[tokio::test]
async fn a_connection_is_used_again() {
    let receiver = Receiver::start(answer(200, "", "taken")).await;
    let sender = private_sender();
    for path in ["/a", "/a", "/b"] {
        answered(sender.send(&request(receiver.url(path))).await);
    }
    assert_eq!(receiver.connections().await, 1);
}

/// Rule 9.2: a connection that the endpoint has closed is replaced.
#[tokio::test]
async fn a_closed_connection_is_replaced() {
    let receiver = Receiver::start(Answer::Last("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")).await;
    let sender = private_sender();
    for _ in 0..3 {
        assert_eq!(answered(sender.send(&request(receiver.url("/"))).await).0, 200);
    }
    assert_eq!(receiver.connections().await, 3);
}
