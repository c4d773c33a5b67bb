use std::error::Error;
use std::fmt::Write as _;

use lease_core::error::with_causes;
use lease_core::gateway::{GatewayError, PaymentGateway as _};
use lease_stripe::StripeGateway;
use lease_stripe::fake::{FakeStripe, Fault, SECRET_KEY, WEBHOOK_SECRET};

use crate::support::{ASKS_PAYER, World};

/// All that an error says of itself and of its causes.
fn said(error: &GatewayError) -> String {
    let mut text = format!("{error:?}");
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(error) = cause {
        write!(text, "\n{error}\n{error:?}\n{error:#?}").unwrap();
        cause = error.source();
    }
    text
}

fn require_no_secret(text: &str) {
    for secret in [SECRET_KEY, WEBHOOK_SECRET, "_secret_", "4000002760003184"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

/// Rule 5.6: no secret is shown by `Debug`.
#[tokio::test]
async fn debug_shows_no_secret() {
    let world = World::new().await;
    let config = world.fake.config().unwrap();
    require_no_secret(&format!("{config:?} {config:#?} {:?} {:#?}", world.gateway, world.gateway));
    let charge = world.charge(&world.card(ASKS_PAYER).await);
    let setup = world.gateway.set_up_card(charge.customer).await.unwrap();
    require_no_secret(&format!("{charge:?} {setup:?} {:?}", world.gateway.charge(&charge).await));
}

/// Rule 5.6: no secret is in an error or in what caused it, whatever Stripe responds.
#[tokio::test]
async fn errors_hold_no_secret() {
    let world = World::new().await;
    let (charge, _) = world.waiting(ASKS_PAYER).await;
    let faults = [Fault::Garbage, Fault::RefusedWith(401), Fault::RefusedWith(500), Fault::RefusedWith(302)];
    for fault in faults {
        world.fake.fail_next("POST", "/cancel", fault);
        require_no_secret(&said(&world.gateway.cancel_charge(&charge).await.unwrap_err()));
        world.fake.fail_next("GET", "", fault);
        require_no_secret(&said(&world.gateway.find_charge(&charge).await.unwrap_err()));
    }
    let config = world.fake.config().unwrap();
    drop::<FakeStripe>(world.fake);
    let gone = StripeGateway::new(config).unwrap();
    require_no_secret(&said(&gone.find_charge(&charge).await.unwrap_err()));
}

/// An operator can look the request up with Stripe.
#[tokio::test]
async fn errors_name_the_request() {
    let world = World::new().await;
    let (charge, _) = world.waiting(ASKS_PAYER).await;
    world.fake.fail_next("POST", "/cancel", Fault::RefusedWith(429));
    let error = world.gateway.cancel_charge(&charge).await.unwrap_err();
    assert_eq!(
        with_causes(&error),
        "the payment gateway gave no response: Stripe refused a request: \
         status 429, type rate_limit_error, code fault_of_a_test, request req_of_the_fake"
    );
}
