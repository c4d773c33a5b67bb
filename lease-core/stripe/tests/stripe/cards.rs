use lease_core::gateway::{EnteredCard, PaymentGateway as _};
use lease_core::model::CardBrand;
use lease_stripe::fake::Fault;

use crate::support::{GOOD, REFUSED, World, customer};

/// Rule 5.6: cards are entered in the browser, and no number comes here.
#[tokio::test]
async fn a_card_is_entered_in_the_browser() {
    let world = World::new().await;
    let info = world.gateway.info();
    assert_eq!((info.kind, info.publishable_key.as_deref()), ("stripe", Some("pk_test_of_the_fake")));
    assert!(!info.takes_card_numbers && !info.is_sandbox);
    let card = world.card_of(customer(1), GOOD).await;
    assert_eq!((card.brand, card.last4.as_str(), card.exp_month, card.exp_year), (CardBrand::Visa, "4242", 12, 2099));
    let (owner, id) = card.token.expose().split_once('/').unwrap();
    assert!(owner.starts_with("cus_") && id.starts_with("pm_"));
}

/// Rule 5.6: whoever sets cards up again within a day is the same customer at Stripe.
#[tokio::test]
async fn set_ups_of_a_day_share_a_customer() {
    let world = World::new().await;
    let owner = |token: &str| token.split_once('/').unwrap().0.to_owned();
    let [first, second, other] =
        [world.card_of(customer(1), GOOD).await, world.card_of(customer(1), GOOD).await, world.card_of(customer(2), GOOD).await]
            .map(|card| owner(card.token.expose()));
    assert_eq!(first, second);
    assert_ne!(first, other);
    world.fake.forget_keys();
    let later = world.card_of(customer(1), GOOD).await;
    assert_ne!(owner(later.token.expose()), first);
}

/// Rule 5.6: nobody can pay with the card of somebody else, whose id they have learnt.
#[tokio::test]
async fn a_card_of_somebody_else_is_unknown() {
    let world = World::new().await;
    let card = world.card_of(customer(1), GOOD).await;
    let id = card.token.expose().split_once('/').unwrap().1;
    assert_eq!(world.gateway.find_card(customer(2), id).await.unwrap(), EnteredCard::Unknown);
    assert!(matches!(world.gateway.find_card(customer(1), id).await.unwrap(), EnteredCard::Accepted(_)));
}

/// Rule 5.6: a card that was made without a set-up becomes the card of whoever names it first.
#[tokio::test]
async fn a_card_of_nobody_is_attached() {
    let world = World::new().await;
    let id = world.fake.make_card(GOOD).unwrap();
    assert!(matches!(world.gateway.find_card(customer(1), &id).await.unwrap(), EnteredCard::Accepted(_)));
    assert_eq!(world.gateway.find_card(customer(2), &id).await.unwrap(), EnteredCard::Unknown);
    let owner = world.fake.object(&id).unwrap()["customer"].as_str().unwrap().to_owned();
    assert_eq!(world.fake.object(&owner).unwrap()["metadata"]["lease_customer_id"], "1");
}

/// Rule 5.6: a card that its bank refuses is not stored.
#[tokio::test]
async fn a_card_that_is_refused_says_why() {
    let world = World::new().await;
    let id = world.fake.make_card(REFUSED).unwrap();
    let refused = EnteredCard::Refused { failure_code: "insufficient_funds".to_owned() };
    assert_eq!(world.gateway.find_card(customer(1), &id).await.unwrap(), refused);
}

/// Rule 5.6: what is no id of a card is unknown, and Stripe is not asked about it.
#[tokio::test]
async fn what_is_no_id_never_reaches_an_address() {
    let world = World::new().await;
    for wrong in
        ["", "pm", "pm/../customers", "pm_1/attach", "pm_1?limit=1", "pm_ä", "pm_%2e", "cus_000001", "src_1", &"pm_1".repeat(99)]
    {
        assert_eq!(world.gateway.find_card(customer(1), wrong).await.unwrap(), EnteredCard::Unknown, "{wrong:?}");
    }
    assert_eq!(world.fake.received(), []);
    assert_eq!(world.gateway.find_card(customer(1), "pm_404").await.unwrap(), EnteredCard::Unknown);
}

/// Rule 5.6: a Stripe that fails says nothing about a card.
#[tokio::test]
async fn a_failure_is_not_taken_for_an_unknown_card() {
    let world = World::new().await;
    let id = world.fake.make_card(GOOD).unwrap();
    for (method, path) in [("GET", "00001"), ("POST", "/v1/customers"), ("POST", "/attach")] {
        for status in [401, 429, 500] {
            world.fake.fail_next(method, path, Fault::RefusedWith(status));
            world.gateway.find_card(customer(1), &id).await.unwrap_err();
        }
    }
    world.fake.fail_next("POST", "/v1/setup_intents", Fault::RefusedWith(500));
    world.gateway.set_up_card(customer(1)).await.unwrap_err();
}
