use lease_core::gateway::{ChargeOutcome, PaymentGateway as _};

use crate::support::{GOOD, World, declined};

/// What Stripe is told of an amount: its units and its currency.
async fn told(amount: &str, currency: &str) -> Option<(String, String)> {
    let world = World::new().await;
    let charge = world.charge_of(&world.card(GOOD).await, amount, currency);
    match world.gateway.charge(&charge).await.unwrap() {
        ChargeOutcome::Succeeded { .. } => {}
        other => {
            assert_eq!(declined(other), ("amount_not_supported".to_owned(), false));
            assert_eq!(world.posts("/v1/payment_intents"), 0);
            return None;
        }
    }
    let form =
        world.fake.received().into_iter().rev().find(|received| received.path == "/v1/payment_intents").unwrap().parameters;
    let parameter = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)).unwrap().to_owned();
    Some((parameter("amount="), parameter("currency=")))
}

/// Rule 5.4: what is charged is exactly the amount of the payment, in the units in which Stripe counts.
#[tokio::test]
async fn amounts_are_told_in_the_units_of_stripe() {
    let cases = [
        ("199.99", "USD", "19999"),
        ("1", "EUR", "100"),
        ("500", "JPY", "500"),
        ("500", "MGA", "500"),
        ("10.45", "HUF", "1045"),
        ("800.45", "TWD", "80045"),
        ("5", "ISK", "500"),
        ("5", "UGX", "500"),
        ("5.120", "KWD", "5120"),
    ];
    for (amount, currency, units) in cases {
        assert_eq!(told(amount, currency).await, Some((units.to_owned(), currency.to_lowercase())), "{amount} {currency}");
    }
}

/// Rule 5.4: an amount that Stripe cannot take exactly is refused before Stripe is told of it, and never rounded.
#[tokio::test]
async fn an_amount_that_stripe_cannot_take_is_declined_at_once() {
    for (amount, currency) in [("5.124", "KWD"), ("5.2", "MGA")] {
        assert_eq!(told(amount, currency).await, None, "{amount} {currency}");
    }
}

/// Rule 5.4: a currency that the account does not take leaves nothing pending for ever.
#[tokio::test]
async fn a_currency_that_stripe_does_not_take_is_declined() {
    let world = World::new().await;
    let charge = world.charge_of(&world.card(GOOD).await, "49.00", "SYP");
    assert_eq!(declined(world.gateway.charge(&charge).await.unwrap()), ("currency_not_supported".to_owned(), false));
}

/// Rule 5.4: an amount that Stripe refuses for certain leaves nothing pending for ever.
#[tokio::test]
async fn an_amount_that_is_too_small_is_declined() {
    let world = World::new().await;
    let card = world.card(GOOD).await;
    let too_small = world.charge_of(&card, "0.49", "USD");
    assert_eq!(declined(world.gateway.charge(&too_small).await.unwrap()), ("amount_too_small".to_owned(), false));
    let too_large = world.charge_of(&card, "1000000.00", "USD");
    assert_eq!(declined(world.gateway.charge(&too_large).await.unwrap()), ("amount_too_large".to_owned(), false));
}
