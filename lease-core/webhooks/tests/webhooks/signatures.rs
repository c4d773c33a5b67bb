use lease_core::webhook::WebhookClient as _;

use crate::support::{Receiver, SECRET, answer, answered, private_sender, reason, request, secret};

/// Rule 9.2: the example of Standard Webhooks 1.0, and what else is sent.
#[tokio::test]
async fn a_webhook_is_signed_and_sent_as_it_is() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let mut request = request(receiver.url("/hook?a=b"));
    private_sender().send(&request).await;
    let sent = receiver.received().pop().unwrap();
    assert_eq!(sent.line, "POST /hook?a=b HTTP/1.1");
    assert_eq!(sent.body, request.body);
    let mut headers: Vec<_> = sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.sort_unstable();
    let host = receiver.address.to_string();
    let expected = [
        ("content-length", "20"),
        ("content-type", "application/json"),
        ("host", &host),
        ("user-agent", concat!("lease/", env!("CARGO_PKG_VERSION"))),
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ("webhook-timestamp", "1614265330"),
    ];
    assert_eq!(headers, expected);
    // Another try is signed for another instant.
    request.at += chrono::Duration::milliseconds(1_999);
    private_sender().send(&request).await;
    let again = receiver.received().pop().unwrap();
    assert_eq!((&again.headers["webhook-id"], &again.body), (&sent.headers["webhook-id"], &sent.body));
    assert_eq!(again.headers["webhook-timestamp"], "1614265331");
    assert_ne!(again.headers["webhook-signature"], sent.headers["webhook-signature"]);
}

/// Rules 9.1, 9.2: while a secret is exchanged for another, both sign.
#[tokio::test]
async fn each_secret_makes_a_signature() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let other = secret("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    let sender = private_sender();
    let mut signed = Vec::new();
    for secrets in [vec![secret(SECRET)], vec![other.clone()], vec![other, secret(SECRET)]] {
        let mut request = request(receiver.url("/"));
        request.secrets = secrets;
        answered(sender.send(&request).await);
        signed.push(receiver.received().pop().unwrap().headers["webhook-signature"].clone());
    }
    assert_eq!(signed[2], format!("{} {}", signed[1], signed[0]));
}

/// Rule 9.2: nothing is sent that is not signed, and nobody is shown the secret.
#[tokio::test]
async fn what_cannot_be_signed_is_not_sent() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let sender = private_sender();
    for wrong in ["", "whsec_", "whsec_!", "whsec_MfKQ9", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ 9r8G"] {
        let mut request = request(receiver.url("/"));
        request.secrets.push(secret(wrong));
        assert_eq!(reason(sender.send(&request).await), "the secret cannot be read", "{wrong}");
    }
    let mut request = request(receiver.url("/"));
    request.secrets.clear();
    assert_eq!(reason(sender.send(&request).await), "the secret cannot be read");
    request.secrets.push(secret(SECRET));
    request.id = "a\r\nb: c".to_owned();
    assert_eq!(reason(sender.send(&request).await), "the request cannot be made");
    assert_eq!(receiver.connections().await, 0);
}
