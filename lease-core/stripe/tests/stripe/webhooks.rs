use chrono::Duration;
use lease_core::clock::Clock as _;
use lease_core::gateway::{ChargeOutcome, Notification, NotificationError, PaymentGateway as _};
use lease_stripe::fake::FakeStripe;

use crate::support::{ASKS_PAYER, GOOD, World};

impl World {
    /// What the gateway reads of a body that was signed now.
    fn read(&self, body: &str) -> Result<Option<Notification>, NotificationError> {
        self.gateway.read_notification(&FakeStripe::signature(body.as_bytes(), self.clock.now()), body.as_bytes())
    }
}

/// Rule 5.5: webhooks that are lost, doubled or out of order are harmless, because they only say what to ask about.
#[tokio::test]
async fn webhooks_say_what_to_ask_about() {
    let world = World::new().await;
    let (charge, secret) = world.waiting(ASKS_PAYER).await;
    world.fake.authenticate(&secret, true).unwrap();
    let events = world.fake.events();
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["payment_intent.created", "payment_intent.requires_action", "payment_intent.succeeded"]);
    let about = Notification::Charge(charge.key.clone());
    for event in events.iter().rev().chain(&events) {
        assert_eq!(world.read(&event.body), Ok(Some(about.clone())));
        assert!(matches!(world.gateway.find_charge(&charge).await.unwrap(), Some(ChargeOutcome::Succeeded { .. })));
    }
}

/// Rule 5.7: webhooks about refunds name the refund.
#[tokio::test]
async fn webhooks_name_refunds() {
    let world = World::new().await;
    let (_, charge) = world.paid(GOOD).await;
    let refund = world.refund(&charge, "9.00", "key1");
    world.gateway.refund(&refund).await.unwrap();
    let event = world.fake.events().pop().unwrap();
    let about = Ok(Some(Notification::Refund(refund.key)));
    assert_eq!((event.kind.as_str(), world.read(&event.body)), ("refund.created", about.clone()));
    assert_eq!(world.read(&event.body.replace("refund.created", "charge.refund.updated")), about);
}

/// Rule 5.5: events about something else are left alone.
#[tokio::test]
async fn other_events_are_about_nothing() {
    let world = World::new().await;
    let object = r#""data":{"object":{"metadata":{"lease_key":"a"}}}"#;
    for kind in
        ["customer.created", "charge.refunded", "charge.succeeded", "refund.created", "payment_intent", "x.payment_intent."]
    {
        assert_eq!(world.read(&format!(r#"{{"type":"{kind}",{object}}}"#)), Ok(None), "{kind}");
    }
    for data in ["{}", r#"{"object":{}}"#, r#"{"object":{"metadata":null}}"#, r#"{"object":{"metadata":{"key":"a"}}}"#, "null"] {
        assert_eq!(world.read(&format!(r#"{{"type":"payment_intent.succeeded","data":{data}}}"#)), Ok(None), "{data}");
    }
    for unreadable in
        ["", "{}", "[]", r#"{"type":1}"#, r#"{"type":"payment_intent.succeeded","data":{"object":{"metadata":{"lease_key":1}}}}"#]
    {
        assert_eq!(world.read(unreadable), Err(NotificationError::NotReadable), "{unreadable}");
    }
}

/// Rule 5.5: only what Stripe signed within the last minutes is read.
#[tokio::test]
async fn only_what_stripe_signed_is_read() {
    let world = World::new().await;
    world.paid(GOOD).await;
    let body = world.fake.events().pop().unwrap().body;
    let now = world.clock.now();
    let read = |signature: &str, body: &str| world.gateway.read_notification(signature, body.as_bytes());
    let good = FakeStripe::signature(body.as_bytes(), now);
    let (instant, signature) = good.split_once(',').unwrap();
    let signed = read(&good, &body);
    assert!(matches!(signed, Ok(Some(_))));
    // While a secret is exchanged for another, there are two signatures, and other schemes may come.
    let zeros = "0".repeat(64);
    assert_eq!(read(&format!("{instant},v1={zeros},{signature},v0={zeros}"), &body), signed);
    assert_eq!(read(&format!("{instant}, {signature}"), &body), signed);
    let wrong = [
        String::new(),
        instant.to_owned(),
        signature.to_owned(),
        format!("{instant},v1={zeros}"),
        format!("{instant},v1="),
        format!("{instant},v1=xyz"),
        good.replace("v1=", "v0="),
        format!("t={},{signature}", now.timestamp() + 1),
        format!("t=,{signature}"),
        format!("t=99999999999999999999,{signature}"),
        format!("t={},{signature}", i64::MAX),
        good.to_uppercase(),
    ];
    for wrong in wrong {
        assert_eq!(read(&wrong, &body), Err(NotificationError::NotSigned), "{wrong}");
    }
    assert_eq!(read(&good, &format!("{body} ")), Err(NotificationError::NotSigned));
}

/// Rule 5.5: an old webhook may be repeated by somebody who has overheard it.
#[tokio::test]
async fn an_old_webhook_is_not_read() {
    let world = World::new().await;
    world.paid(GOOD).await;
    let body = world.fake.events().pop().unwrap().body;
    let signature = FakeStripe::signature(body.as_bytes(), world.clock.now());
    let read = || world.gateway.read_notification(&signature, body.as_bytes());
    world.clock.advance(Duration::minutes(5));
    assert!(read().is_ok());
    world.clock.advance(Duration::seconds(1));
    assert_eq!(read(), Err(NotificationError::NotSigned));
    world.clock.advance(Duration::seconds(-602));
    assert_eq!(read(), Err(NotificationError::NotSigned));
}
