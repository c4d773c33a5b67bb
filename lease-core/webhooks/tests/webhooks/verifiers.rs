use std::process::{Output, Stdio};

use lease_core::clock::{Clock as _, SystemClock};
use lease_core::webhook::WebhookClient as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::{Receiver, SECRET, answer, answered, private_sender, request, secret};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

/// What the verifiers of others say of webhooks. `make test` installs them.
async fn verify(webhooks: &[Value]) -> Output {
    let mut verifiers = Command::new(format!("{FOLDER}/../../target/webhooks/bin/python"))
        .arg(format!("{FOLDER}/check/verify.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("make verifiers installs them: {error}"));
    let input = Value::from(webhooks).to_string();
    verifiers.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    verifiers.wait_with_output().await.unwrap()
}

/// Rule 9.2: webhooks are what the libraries of Standard Webhooks and of Svix take, with each of their secrets, and no other.
#[tokio::test]
async fn others_verify_what_is_sent() {
    let receiver = Receiver::start(answer(200, "", "")).await;
    let sender = private_sender();
    let other = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let long = format!(r#"{{"data":"{}"}}"#, "ä".repeat(100_000));
    let mut webhooks = Vec::new();
    for secrets in [vec![SECRET], vec![other], vec![SECRET, other]] {
        for body in ["{}", r#"{"test": 2432232314}"#, r#"{ "data" : "Škoda 🚗 \u0000 . , \n" }"#, &long] {
            let mut request = request(receiver.url("/"));
            request.at = SystemClock.now();
            request.body = body.to_owned();
            request.secrets = secrets.iter().copied().map(secret).collect();
            answered(sender.send(&request).await);
            let sent = receiver.received().pop().unwrap();
            webhooks.push(json!({"secrets": secrets, "headers": sent.headers, "body": sent.body}));
        }
    }
    let output = verify(&webhooks).await;
    let said = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(said, ("12 verified\n".into(), "".into()));
}
