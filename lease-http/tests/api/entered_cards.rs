//! A gateway whose cards are entered in the browser, and which sends notifications (rules 5.6, 5.8).

use std::sync::Arc;

use lease_core::gateway::{
    CardSetup, CardToken, ClientSecret, EnteredCard, GatewayInfo, MockPaymentGateway, NotificationError, TokenizedCard,
};
use lease_core::model::CardBrand;
use serde_json::{Value, json};

use crate::app::request;
use crate::support::setup::{GOOD_CARD, card};
use crate::support::{World, nobody};

/// A gateway that knows three cards, and to which notifications signed "good" belong.
async fn world() -> World {
    let mut gateway = MockPaymentGateway::new();
    gateway.expect_info().returning(|| GatewayInfo {
        kind: "stripe",
        publishable_key: Some("pk_test_1".into()),
        is_sandbox: false,
        takes_card_numbers: false,
    });
    gateway.expect_set_up_card().returning(|_| Ok(CardSetup { client_secret: ClientSecret::new("seti_1_secret_2".into()) }));
    gateway.expect_find_card().returning(|_, name| {
        let entered = |last4: &str, exp_year| {
            EnteredCard::Accepted(TokenizedCard {
                token: CardToken::new("cus_1/pm_1".into()),
                brand: CardBrand::Visa,
                last4: last4.into(),
                exp_month: 12,
                exp_year,
                holder_name: String::new(),
            })
        };
        Ok(match name {
            "pm_good" => entered("4242", 2030),
            "pm_expired" => entered("4242", 2025),
            "pm_refused" => EnteredCard::Refused { failure_code: "insufficient_funds".into() },
            _ => EnteredCard::Unknown,
        })
    });
    gateway.expect_read_notification().returning(|signature, _| match signature {
        "good" => Ok(None),
        _ => Err(NotificationError::NotSigned),
    });
    World::with_gateway(Arc::new(gateway)).await
}

#[tokio::test]
async fn a_card_that_was_entered_in_the_browser_is_stored_by_its_name() {
    let world = world().await;
    let owner = &world.owner;
    let gateway = world.get("/api/gateway", owner).await.expect(200);
    assert_eq!(gateway, json!({"kind": "stripe", "publishable_key": "pk_test_1"}));
    let setup = world.post("/api/credit-cards/setup", owner, Value::Null).await.expect(200);
    assert_eq!(setup, json!({"client_secret": "seti_1_secret_2"}));
    world.post("/api/credit-cards/setup", &world.staff, Value::Null).await.refused(403, "permission_denied");

    let store = async |body| world.post("/api/credit-cards", owner, body).await;
    let stored = store(json!({"payment_method": "pm_good"})).await.expect(201);
    assert_eq!((&stored["brand"], &stored["last4"], &stored["is_default"]), (&json!("visa"), &json!("4242"), &json!(true)));
    store(card(GOOD_CARD)).await.invalid(&["number", "payment_method"]);
    store(json!({"payment_method": "pm_good", "number": GOOD_CARD})).await.invalid(&["number"]);
    store(json!({"payment_method": "pm_of_another"})).await.invalid(&["payment_method"]);
    store(json!({"payment_method": "pm_expired"})).await.invalid(&["exp_year"]);
    store(json!({})).await.invalid(&["payment_method"]);
    let refused = store(json!({"payment_method": "pm_refused"})).await.refused(402, "card_declined");
    assert_eq!((&refused["failure_code"], refused.get("payment_id")), (&json!("insufficient_funds"), None));
}

/// Rule 5.4: cards that are refused count as declines.
#[tokio::test]
async fn whoever_tries_out_cards_has_to_wait() {
    let world = world().await;
    let store = async |name: &str| world.post("/api/credit-cards", &world.owner, json!({"payment_method": name})).await;
    for _ in 0..10 {
        store("pm_refused").await.refused(402, "card_declined");
        store("pm_of_another").await.invalid(&["payment_method"]);
    }
    store("pm_good").await.refused(429, "throttled");
    world.post("/api/credit-cards/setup", &world.owner, Value::Null).await.refused(429, "throttled");
    world.post("/api/credit-cards", &world.buyer, json!({"payment_method": "pm_good"})).await.expect(201);
}

/// Rule 5.8: only the provider is heard, and only the sandbox lets payers be played.
#[tokio::test]
async fn a_notification_is_taken_from_the_provider_only() {
    let world = world().await;
    let notify = async |signature: &str| {
        let headers = [("stripe-signature", signature)];
        world.app.send(request("POST", "/api/gateway/webhook", &headers, &json!({"type": "any"}))).await
    };
    assert_eq!(notify("good").await.status.as_u16(), 204);
    notify("bad").await.invalid(&["non_field_errors"]);
    world.post("/api/gateway/webhook", &nobody(), json!({})).await.invalid(&["non_field_errors"]);
    world.post("/api/sandbox/payments/1", &world.owner, json!({"outcome": "succeed"})).await.refused(404, "not_found");
}
