//! Three customers, staff, six services, and a gateway behind a line that may fail in either direction.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{NaiveDate, TimeZone as _, Utc};
use lease_core::account::PasswordParams;
use lease_core::clock::ManualClock;
use lease_core::gateway::{
    CardDetails, Charge, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome, RefundRequest, SandboxGateway,
    Tokenization,
};
use lease_core::id::{CustomerId, Entity, Stored, UserId};
use lease_core::invariants::Books;
use lease_core::model::PaymentState;
use lease_core::permission::Actor;
use lease_core::{Error, LeaseEngine};
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::app::{PASSWORD, registration};
use crate::support::setup::{GOOD_CARD, card};

pub(super) struct Market {
    pub(super) engine: LeaseEngine,
    pub(super) clock: Arc<ManualClock>,
    pub(super) gateway: Arc<Line>,
    pub(super) staff: Actor,
    pub(super) first_day: NaiveDate,
    store: Arc<MemoryRepository>,
    customers: Vec<(UserId, CustomerId)>,
}

impl Market {
    pub(super) async fn open() -> Self {
        let start = Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap();
        let (store, clock, gateway) =
            (Arc::<MemoryRepository>::default(), Arc::new(ManualClock::at(start)), Arc::<Line>::default());
        let engine = LeaseEngine::builder(Arc::clone(&store) as _, Arc::clone(&gateway) as _)
            .clock(Arc::clone(&clock) as _)
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
            .build()
            .unwrap();
        let clerk = json!({"username": "clerk", "password": PASSWORD, "email": "clerk@example.com", "first_name": "Cle",
            "last_name": "Rk", "is_staff": true});
        let clerk = engine.create_user(Actor::System, &draft(clerk)).await.unwrap();
        let staff = Actor::Staff { user: clerk.user.id };
        let first_day = start.date_naive();
        let mut market = Self { engine, clock, gateway, staff, first_day, store, customers: Vec::new() };
        market.set_up().await;
        market
    }

    /// Two customers own a vehicle and all have a card; the last card is declined.
    async fn set_up(&mut self) {
        for (name, number) in [("ann", GOOD_CARD), ("ben", GOOD_CARD), ("cyd", "4000000000000002")] {
            let account = self.engine.register(Actor::Anonymous, &draft(registration(name))).await.unwrap().account;
            let customer = account.customer_id.unwrap();
            self.customers.push((account.user.id, customer));
            let actor = self.as_customer(customer);
            self.engine.create_card(&actor, &draft(card(number))).await.unwrap();
            if name != "cyd" {
                let vehicle = crate::app::vehicle(u32::try_from(self.customers.len()).unwrap());
                self.engine.create_vehicle(&actor, &draft(vehicle)).await.unwrap();
            }
        }
        let services = [
            json!({"kind": "lease", "amount": "49"}),
            json!({"kind": "sell", "amount": "19.99"}),
            json!({"kind": "sell", "amount": "1", "bill_to": "counterparty"}),
            json!({"kind": "custom", "amount": "10", "invoice_on": "first_proposal"}),
            json!({"kind": "custom", "amount": "10", "invoice_on": "acceptance", "bill_to": "counterparty"}),
            json!({"kind": "lease", "amount": "0"}),
        ];
        for mut service in services {
            service["name"] = json!("A service");
            service["currency"] = json!("USD");
            self.engine.create_service(&self.staff, &draft(service)).await.unwrap();
        }
    }

    /// The user and the customer of this number.
    pub(super) fn customer(&self, who: u8) -> (UserId, CustomerId) {
        self.customers[usize::from(who) % self.customers.len()]
    }

    pub(super) fn as_customer(&self, customer: CustomerId) -> Actor {
        let (user, _) = self.customers.iter().find(|(_, other)| *other == customer).unwrap();
        Actor::Customer { user: *user, customer }
    }

    /// One of the customers, staff, or an anonymous caller.
    pub(super) fn actor(&self, who: u8) -> Actor {
        match who % 16 {
            0 | 1 => self.staff,
            2 => Actor::Anonymous,
            _ => self.as_customer(self.customer(who).1),
        }
    }

    pub(super) async fn books(&self) -> Books {
        Books::read(&*self.store).await.unwrap()
    }

    /// Panics unless the payments that are stored as succeeded are exactly the charges that the gateway made.
    pub(super) async fn assert_paid_is_taken(&self) {
        let payments = self.books().await.payments;
        assert!(payments.iter().all(|payment| payment.state != PaymentState::Pending), "{payments:?}");
        let paid = payments.iter().filter(|payment| matches!(payment.state, PaymentState::Succeeded { .. }));
        let paid: BTreeMap<_, _> =
            paid.map(|payment| (payment.charge_key.as_str().to_owned(), payment.amount.amount())).collect();
        assert_eq!(paid, self.gateway.0.lock().unwrap().taken);
    }
}

/// The sandbox gateway behind an unreliable line.
#[derive(Debug, Default)]
pub(super) struct Line(Mutex<Wire>);

/// The state of the line, and the charges that were made.
#[derive(Debug, Default)]
struct Wire {
    is_deaf: bool,
    is_mute: bool,
    sandbox: Arc<SandboxGateway>,
    taken: BTreeMap<String, Decimal>,
}

impl Line {
    /// Sets whether calls and responses get through.
    pub(super) fn set(&self, hears: bool, responses: bool) {
        let mut wire = self.0.lock().unwrap();
        (wire.is_deaf, wire.is_mute) = (!hears, !responses);
    }

    fn call(&self) -> Result<Arc<SandboxGateway>, GatewayError> {
        let wire = self.0.lock().unwrap();
        if wire.is_deaf { Err(GatewayError::new("no connection")) } else { Ok(Arc::clone(&wire.sandbox)) }
    }

    fn response<T>(&self, response: T) -> Result<T, GatewayError> {
        if self.0.lock().unwrap().is_mute { Err(GatewayError::new("no response")) } else { Ok(response) }
    }
}

#[async_trait]
impl PaymentGateway for Line {
    fn info(&self) -> GatewayInfo {
        SandboxGateway::new().info()
    }

    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        self.call()?.tokenize(card).await
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let outcome = self.call()?.charge(charge).await?;
        if matches!(outcome, ChargeOutcome::Succeeded { .. }) {
            self.0.lock().unwrap().taken.insert(charge.key.as_str().to_owned(), charge.amount.amount());
        }
        self.response(outcome)
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        let found = self.call()?.find_charge(charge).await?;
        self.response(found)
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let outcome = self.call()?.cancel_charge(charge).await?;
        self.response(outcome)
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        let outcome = self.call()?.refund(refund).await?;
        self.response(outcome)
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        let found = self.call()?.find_refund(refund).await?;
        self.response(found)
    }
}

/// Reads a draft from JSON, as a handler does.
pub(super) fn draft<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

/// The row of this number, counted from the newest.
pub(super) fn newest<T: Entity>(rows: &[Stored<T>], number: u8) -> Result<&Stored<T>, Error> {
    let back = usize::from(number).checked_rem(rows.len()).ok_or(Error::NotFound)?;
    rows.get(rows.len() - 1 - back).ok_or(Error::NotFound)
}
