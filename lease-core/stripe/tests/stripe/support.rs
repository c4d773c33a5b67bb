use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};
use lease_core::clock::{Clock as _, ManualClock};
use lease_core::gateway::{
    CardToken, Charge, ChargeKey, ChargeOutcome, EnteredCard, PaymentGateway as _, RefundKey, RefundRequest, TokenizedCard,
};
use lease_core::id::{CustomerId, InvoiceId, PaymentId, RefundId};
use lease_core::model::RefundReason;
use lease_core::money::{Currency, Money};
use lease_stripe::StripeGateway;
use lease_stripe::fake::FakeStripe;

/// Cards by their numbers at Stripe.
pub(crate) const GOOD: &str = "4242424242424242";
/// Attaches, then declines.
pub(crate) const DECLINED: &str = "4000000000000341";
/// Declined by its bank already when it is attached.
pub(crate) const REFUSED: &str = "4000000000009995";
pub(crate) const ASKS_PAYER: &str = "4000002760003184";
/// Asks its payer, and has no money.
pub(crate) const ASKS_PAYER_IN_VAIN: &str = "4000008260003178";
pub(crate) const REFUND_FAILS: &str = "4000000000005126";
pub(crate) const REFUND_PENDS: &str = "4000000000007726";

/// A gateway to a fake of its own, on one clock.
pub(crate) struct World {
    pub(crate) fake: FakeStripe,
    pub(crate) gateway: StripeGateway,
    pub(crate) clock: Arc<ManualClock>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(start()));
        let fake = FakeStripe::start(Arc::<ManualClock>::clone(&clock), 0).await.unwrap();
        let gateway = StripeGateway::new(fake.config().unwrap()).unwrap().with_clock(Arc::<ManualClock>::clone(&clock));
        Self { fake, gateway, clock }
    }

    /// A card that the customer 1 has entered.
    pub(crate) async fn card(&self, number: &str) -> CardToken {
        self.card_of(customer(1), number).await.token
    }

    pub(crate) async fn card_of(&self, customer: CustomerId, number: &str) -> TokenizedCard {
        let setup = self.gateway.set_up_card(customer).await.unwrap();
        let id = self.fake.enter_card(setup.client_secret.expose(), number).unwrap();
        match self.gateway.find_card(customer, &id).await.unwrap() {
            EnteredCard::Accepted(card) => card,
            other => panic!("{other:?}"),
        }
    }

    /// A charge of 49.00 USD that begins now.
    pub(crate) fn charge(&self, card: &CardToken) -> Charge {
        self.charge_of(card, "49.00", "USD")
    }

    pub(crate) fn charge_of(&self, card: &CardToken, amount: &str, currency: &str) -> Charge {
        Charge {
            key: ChargeKey::new("0123456789abcdef0123456789abcdef".to_owned()),
            reference: None,
            card: card.clone(),
            amount: money(amount, currency),
            payment: PaymentId::new(7).unwrap(),
            invoice: InvoiceId::new(5).unwrap(),
            customer: customer(1),
            begun_at: self.clock.now(),
        }
    }

    /// A charge that succeeded, and its reference.
    pub(crate) async fn paid(&self, number: &str) -> (Charge, String) {
        let charge = self.charge(&self.card(number).await);
        match self.gateway.charge(&charge).await.unwrap() {
            ChargeOutcome::Succeeded { reference } => (charge, reference),
            other => panic!("{other:?}"),
        }
    }

    /// A charge that waits for its payer, with its reference, and the secret of their browser.
    pub(crate) async fn waiting(&self, number: &str) -> (Charge, String) {
        let charge = self.charge(&self.card(number).await);
        match self.gateway.charge(&charge).await.unwrap() {
            ChargeOutcome::ActionRequired { reference, next_action } => {
                let secret = next_action.client_secret.unwrap().expose().to_owned();
                (Charge { reference: Some(reference), ..charge }, secret)
            }
            other => panic!("{other:?}"),
        }
    }

    /// A refund of this much that begins now.
    pub(crate) fn refund(&self, charge_reference: &str, amount: &str, key: &str) -> RefundRequest {
        RefundRequest {
            key: RefundKey::new(key.to_owned()),
            reference: None,
            charge_reference: charge_reference.to_owned(),
            amount: money(amount, "USD"),
            reason: RefundReason::RequestedByCustomer,
            refund: RefundId::new(3).unwrap(),
            payment: PaymentId::new(7).unwrap(),
            begun_at: self.clock.now(),
        }
    }

    /// The paths that were sent a POST, and how often.
    pub(crate) fn posts(&self, path: &str) -> usize {
        self.fake.received().iter().filter(|received| received.method == "POST" && received.path.ends_with(path)).count()
    }
}

pub(crate) fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 29, 12, 0, 0).unwrap()
}

pub(crate) fn customer(number: i64) -> CustomerId {
    CustomerId::new(number).unwrap()
}

pub(crate) fn money(amount: &str, currency: &str) -> Money {
    Money::parse(amount, Currency::parse(currency).unwrap()).unwrap()
}

/// The code of a decline, and whether it has a reference.
pub(crate) fn declined(outcome: ChargeOutcome) -> (String, bool) {
    match outcome {
        ChargeOutcome::Declined { failure_code, reference } => (failure_code, reference.is_some()),
        other => panic!("{other:?}"),
    }
}
