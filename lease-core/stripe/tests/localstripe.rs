//! The gateway against localstripe, which others wrote; its address is in `STRIPE_ADDRESS`. It keeps no idempotency keys and allows
//! any refund, so this is the happy path only. `make stripe` runs it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is how a test fails")]

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use lease_core::clock::{Clock as _, SystemClock};
use lease_core::gateway::{
    CardToken, Charge, ChargeKey, ChargeOutcome, EnteredCard, Notification, PaymentGateway as _, RefundKey, RefundOutcome,
    RefundRequest,
};
use lease_core::id::{CustomerId, InvoiceId, PaymentId, RefundId};
use lease_core::model::RefundReason;
use lease_core::money::{Currency, Money};
use lease_stripe::{StripeConfig, StripeGateway};
use serde_json::Value;
use tokio::sync::mpsc;

const WEBHOOK_SECRET: &str = "whsec_of_localstripe";

/// A webhook: its signature and its body.
type Webhook = (String, Bytes);

struct World {
    gateway: StripeGateway,
    address: String,
    browser: reqwest::Client,
    customer: CustomerId,
}

impl World {
    fn new(customer: i64) -> Self {
        let address = std::env::var("STRIPE_ADDRESS").unwrap();
        let config = StripeConfig::new("sk_test_12345".into(), "pk_test_12345".to_owned(), WEBHOOK_SECRET.into()).unwrap();
        let gateway = StripeGateway::new(config.with_api_base(&address).unwrap()).unwrap();
        Self { gateway, address, browser: reqwest::Client::new(), customer: CustomerId::new(customer).unwrap() }
    }

    /// What the script of Stripe does in a browser.
    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(form).append_pair("key", "pk_test_12345").finish();
        let request = self.browser.post(format!("{}{path}", self.address)).bearer_auth("sk_test_12345");
        request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap().json().await.unwrap()
    }

    /// The id of a card that the customer enters.
    async fn enter(&self, number: &str) -> String {
        let setup = self.gateway.set_up_card(self.customer).await.unwrap();
        let card = [
            ("type", "card"),
            ("card[number]", number),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2099"),
            ("card[cvc]", "123"),
        ];
        let id = self.post("/v1/payment_methods", &card).await["id"].as_str().unwrap().to_owned();
        let secret = setup.client_secret.expose();
        let setup = secret.split_once("_secret_").unwrap().0;
        self.post(&format!("/v1/setup_intents/{setup}/confirm"), &[("client_secret", secret), ("payment_method", &id)]).await;
        id
    }

    async fn card(&self, number: &str) -> CardToken {
        let id = self.enter(number).await;
        match self.gateway.find_card(self.customer, &id).await.unwrap() {
            EnteredCard::Accepted(card) => card.token,
            other => panic!("{other:?}"),
        }
    }

    async fn charge(&self, number: &str, key: &str) -> Charge {
        Charge {
            key: ChargeKey::new(key.to_owned()),
            reference: None,
            card: self.card(number).await,
            amount: money("49.00"),
            payment: PaymentId::new(7).unwrap(),
            invoice: InvoiceId::new(5).unwrap(),
            customer: self.customer,
            begun_at: SystemClock.now(),
        }
    }

    /// A charge that waits for its payer, and the secret of their browser.
    async fn waiting(&self, number: &str, key: &str) -> (Charge, String) {
        let charge = self.charge(number, key).await;
        let ChargeOutcome::ActionRequired { reference, next_action } = self.gateway.charge(&charge).await.unwrap() else {
            panic!()
        };
        (Charge { reference: Some(reference), ..charge }, next_action.client_secret.unwrap().expose().to_owned())
    }

    async fn authenticate(&self, charge: &Charge, secret: &str, success: &str) {
        let path = format!("/v1/payment_intents/{}/_authenticate", charge.reference.as_ref().unwrap());
        self.post(&path, &[("client_secret", secret), ("success", success)]).await;
    }
}

fn money(amount: &str) -> Money {
    Money::parse(amount, Currency::USD).unwrap()
}

/// Takes the webhooks of localstripe, which it sends a second after each event.
async fn webhooks(world: &World) -> mpsc::UnboundedReceiver<Webhook> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let take = |State(sender): State<Arc<mpsc::UnboundedSender<Webhook>>>, headers: HeaderMap, body: Bytes| async move {
        let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
        sender.send((signature, body)).unwrap();
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().route("/", post(take)).with_state(Arc::new(sender));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let form = [("url", url.as_str()), ("secret", WEBHOOK_SECRET)];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = world.browser.post(format!("{}/_config/webhooks/tests", world.address)).body(body);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert!(request.send().await.unwrap().status().is_success());
    receiver
}

/// Rules 5.4 and 5.7: a card is charged and refunded, and the webhook names the charge.
#[tokio::test]
async fn a_card_is_charged_and_refunded() {
    let world = World::new(1);
    let mut webhooks = webhooks(&world).await;
    let charge = world.charge("4242424242424242", "key1").await;
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), None);
    let paid = world.gateway.charge(&charge).await.unwrap();
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(paid.clone()));
    let ChargeOutcome::Succeeded { reference } = paid else { panic!("{paid:?}") };

    let refund = RefundRequest {
        key: RefundKey::new("refund1".to_owned()),
        reference: None,
        charge_reference: reference,
        amount: money("9.00"),
        reason: RefundReason::Duplicate,
        refund: RefundId::new(3).unwrap(),
        payment: charge.payment,
        begun_at: SystemClock.now(),
    };
    assert_eq!(world.gateway.find_refund(&refund).await.unwrap(), None);
    let outcome = world.gateway.refund(&refund).await.unwrap();
    assert!(matches!(outcome, RefundOutcome::Succeeded { .. }));
    assert_eq!(world.gateway.find_refund(&refund).await.unwrap(), Some(outcome));

    let about = Notification::Charge(charge.key);
    while let Some((signature, body)) = webhooks.recv().await {
        if world.gateway.read_notification(&signature, &body) == Ok(Some(about.clone())) {
            return;
        }
    }
    panic!("no webhook came");
}

/// Rule 5.4: a declined charge is given up.
#[tokio::test]
async fn a_card_is_declined() {
    let world = World::new(2);
    let charge = world.charge("4000000000000341", "key2").await;
    let outcome = world.gateway.charge(&charge).await.unwrap();
    assert!(matches!(&outcome, ChargeOutcome::Declined { failure_code, reference: Some(_) } if failure_code == "card_declined"));
    assert_eq!(world.gateway.find_charge(&charge).await.unwrap(), Some(outcome));
}

/// Rule 5.5: the payer acts, fails to, or is too late.
#[tokio::test]
async fn a_payer_acts() {
    let world = World::new(3);
    let (charge, secret) = world.waiting("4000002760003184", "key3").await;
    world.authenticate(&charge, &secret, "true").await;
    assert!(matches!(world.gateway.find_charge(&charge).await.unwrap(), Some(ChargeOutcome::Succeeded { .. })));
    assert!(matches!(world.gateway.cancel_charge(&charge).await.unwrap(), ChargeOutcome::Succeeded { .. }));

    let (charge, secret) = world.waiting("4000002760003184", "key4").await;
    world.authenticate(&charge, &secret, "false").await;
    let outcome = world.gateway.find_charge(&charge).await.unwrap().unwrap();
    assert!(
        matches!(outcome, ChargeOutcome::Declined { failure_code, .. } if failure_code == "payment_intent_authentication_failure")
    );

    let (charge, secret) = world.waiting("4000002760003184", "key5").await;
    assert!(matches!(world.gateway.cancel_charge(&charge).await.unwrap(), ChargeOutcome::Cancelled { .. }));
    world.authenticate(&charge, &secret, "true").await;
    assert!(matches!(world.gateway.find_charge(&charge).await.unwrap(), Some(ChargeOutcome::Cancelled { .. })));
}

/// Rule 5.6: a card of somebody else is unknown, and one that its bank refuses is refused.
#[tokio::test]
async fn cards_are_checked() {
    let (world, other) = (World::new(4), World::new(5));
    let card = world.card("4242424242424242").await;
    let id = card.expose().split_once('/').unwrap().1;
    assert_eq!(other.gateway.find_card(other.customer, id).await.unwrap(), EnteredCard::Unknown);
    assert_eq!(other.gateway.find_card(other.customer, "pm_none").await.unwrap(), EnteredCard::Unknown);
    let refused = world.enter("4000000000000002").await;
    let outcome = world.gateway.find_card(world.customer, &refused).await.unwrap();
    assert_eq!(outcome, EnteredCard::Refused { failure_code: "card_declined".to_owned() });
}
