use std::time::Duration;

use lease_core::webhook::{WebhookAnswer, WebhookClient as _};
use lease_webhooks::WebhookSender;
use tokio::time::Instant;

use crate::support::{Answer, Receiver, answered, private_sender, reason, request};

/// Nothing is known of an answer after 15 seconds, and no earlier.
async fn assert_given_up(url: String, happened: impl Future<Output = ()>) {
    assert_eq!(reason(after_15_seconds(url, happened).await), "no answer within 15 seconds");
}

/// What is known after 15 seconds, and no earlier. Time is stopped once this has happened, and passes as soon as all wait for it.
async fn after_15_seconds(url: String, happened: impl Future<Output = ()>) -> WebhookAnswer {
    let sender = private_sender();
    let stopped = async {
        happened.await;
        tokio::time::pause();
        Instant::now()
    };
    let request = request(url);
    let (answer, stopped) = tokio::join!(sender.send(&request), stopped);
    let waited = stopped.elapsed();
    assert!((Duration::from_secs(14)..Duration::from_millis(15_100)).contains(&waited), "{waited:?}");
    answer
}

/// Rule 9.2: an endpoint has 15 seconds, however it lets them pass. Then its connection is closed.
#[tokio::test]
async fn a_slow_endpoint_is_given_up() {
    for answer in [Answer::Silence, Answer::Drip("HTTP/1.1 200 "), Answer::Drip("HTTP/1.1 200 OK\r\n")] {
        let receiver = Receiver::start(answer).await;
        assert_given_up(receiver.url("/"), receiver.wait_for_requests(1)).await;
        receiver.wait_for_closed(1).await;
        tokio::time::resume();
    }
}

/// Rule 9.2: 2xx is success, even if the body never ends.
#[tokio::test]
async fn a_status_counts_though_its_body_never_ends() {
    for answer in [Answer::Drip("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"), Answer::Drip("HTTP/1.1 200 OK\r\n\r\n")] {
        let receiver = Receiver::start(answer).await;
        let (status, ..) = answered(after_15_seconds(receiver.url("/"), receiver.wait_for_requests(1)).await);
        assert_eq!(status, 200);
        receiver.wait_for_closed(1).await;
        tokio::time::resume();
    }
}

/// Rule 9.2: the 15 seconds count for TLS as well.
#[tokio::test]
async fn an_endpoint_that_says_nothing_of_tls_is_given_up() {
    let receiver = Receiver::start(Answer::Silence).await;
    let url = receiver.url("/").replace("http:", "https:");
    assert_given_up(url, receiver.wait_for_connections(1)).await;
    receiver.wait_for_closed(1).await;
}

/// Rule 9.2: an endpoint that says for ever that it will answer is given up.
#[tokio::test]
async fn an_endpoint_that_only_promises_an_answer_is_given_up() {
    let receiver = Receiver::start(Answer::Flood("", "HTTP/1.1 100 Continue\r\n\r\n")).await;
    let sender = WebhookSender::builder().allow_private(true).time_limit(Duration::from_secs(1)).build().unwrap();
    assert_eq!(reason(sender.send(&request(receiver.url("/"))).await), "no answer within 1 seconds");
    receiver.wait_for_closed(1).await;
}
