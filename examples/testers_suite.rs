//! How an app tests what time brings: on the store in memory, with a clock that moves only when the test says so. No test waits.
//!
//! `cargo test -p lease-examples --test testers_suite`
#![expect(clippy::unwrap_used, reason = "a failed expectation is how a test fails")]

use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, TimeZone as _, Utc};
use lease_core::account::{PasswordParams, RegistrationDraft};
use lease_core::catalog::VehicleDraft;
use lease_core::clock::ManualClock;
use lease_core::engine::Maintenance;
use lease_core::event::EventType;
use lease_core::gateway::SandboxGateway;
use lease_core::id::{InvoiceId, ProposalId, TradeId};
use lease_core::invoicing::PaymentDraft;
use lease_core::lifecycle::{AvailableAction, ProposalDraft, TradeDraft};
use lease_core::model::ServiceKind;
use lease_core::money::{Currency, Money};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::{EventFilter, ServiceFilter};
use lease_core::wallet::CardDraft;
use lease_core::{LeaseEngine, Refusal};
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;

/// A platform at noon of the first of March, on which Olivia offers her car and Ben looks on.
struct Platform {
    engine: LeaseEngine,
    clock: Arc<ManualClock>,
    olivia: Actor,
    ben: Actor,
}

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

impl Platform {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(noon()));
        let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new()))
            .clock(Arc::clone(&clock) as _)
            // Cheap hashes, for tests only.
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
            .build()
            .unwrap();
        let fee = Money::parse("49.00", Currency::USD).unwrap();
        engine.ensure_standard_services(fee, fee).await.unwrap();
        let (olivia, ben) = (register(&engine, "olivia").await, register(&engine, "ben").await);
        Self { engine, clock, olivia, ben }
    }

    /// Lets time pass, and does what has come due.
    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
        self.engine.catch_up(&Maintenance::default()).await.unwrap();
    }

    /// Olivia offers her car for lease until `expires_at`, and is billed for it.
    async fn offer(&self, expires_at: DateTime<Utc>) -> (TradeId, ProposalId, InvoiceId) {
        let (engine, olivia) = (&self.engine, &self.olivia);
        let car = VehicleDraft {
            vin: "1HGCM82633A004352".into(),
            make: "Honda".into(),
            model: "Accord".into(),
            year: 2003.into(),
            ..VehicleDraft::default()
        };
        let vehicle_id = engine.create_vehicle(olivia, &car).await.unwrap().id.into();
        let filter = ServiceFilter { kind: Some(ServiceKind::Lease), ..ServiceFilter::default() };
        let services = engine.list_services(olivia, filter, PageRequest::default()).await.unwrap();
        let draft = TradeDraft { vehicle_id, service_id: services.items[0].id.into(), ..TradeDraft::default() };
        let trade = engine.open_trade(olivia, &draft).await.unwrap().stored.id;
        let terms = ProposalDraft {
            amount: Decimal::from(450).into(),
            start_date: NaiveDate::from_ymd_opt(2026, 7, 1).unwrap().into(),
            end_date: NaiveDate::from_ymd_opt(2027, 7, 1).unwrap().into(),
            expires_at: expires_at.into(),
            ..ProposalDraft::default()
        };
        let proposal = engine.propose(olivia, trade, &terms).await.unwrap().stored.id;
        (trade, proposal, engine.get_trade(olivia, trade).await.unwrap().stored.invoice_id.unwrap())
    }

    /// When something of this type happened in the trade.
    async fn when(&self, event: EventType, trade_id: TradeId) -> Vec<DateTime<Utc>> {
        let filter = EventFilter { types: vec![event], trade_id: Some(trade_id), ..EventFilter::default() };
        let found = self.engine.events(&self.olivia, filter, PageRequest::default()).await.unwrap();
        found.items.iter().map(|event| event.occurred_at).collect()
    }
}

async fn register(engine: &LeaseEngine, name: &str) -> Actor {
    let draft = RegistrationDraft {
        username: name.into(),
        email: format!("{name}@example.com").into(),
        first_name: name.into(),
        last_name: "Example".into(),
        password: "a horse of another colour".into(),
        password2: "a horse of another colour".into(),
        ..RegistrationDraft::default()
    };
    let registered = engine.register(Actor::Anonymous, &draft).await.unwrap();
    engine.authenticate(&registered.token).await.unwrap().actor
}

#[tokio::test]
async fn an_offer_ends_at_the_instant_that_it_names() {
    let platform = Platform::new().await;
    let ends = noon() + Duration::hours(1);
    let (trade, offer, _) = platform.offer(ends).await;
    platform.wait(Duration::hours(1) - Duration::seconds(1)).await;
    let seen = platform.engine.get_proposal(&platform.ben, offer).await.unwrap();
    assert_eq!(seen.available_actions, [AvailableAction::Accept]);

    platform.wait(Duration::seconds(1)).await;
    let refused = platform.engine.accept_proposal(&platform.ben, offer).await.unwrap_err();
    assert_eq!(refused.code(), Refusal::ProposalExpired.code());
    assert_eq!(platform.when(EventType::ProposalExpired, trade).await, [ends]);
}

#[tokio::test]
async fn an_invoice_falls_overdue_at_the_end_of_its_last_day_and_is_paid_late() {
    let platform = Platform::new().await;
    let (engine, olivia) = (&platform.engine, &platform.olivia);
    let (trade, _, invoice) = platform.offer(noon() + Duration::days(1)).await;
    platform.wait(Duration::days(14)).await;
    assert!(platform.when(EventType::InvoiceOverdue, trade).await.is_empty());

    platform.wait(Duration::days(1)).await;
    let midnight = Utc.with_ymd_and_hms(2026, 3, 16, 0, 0, 0).unwrap();
    assert_eq!(platform.when(EventType::InvoiceOverdue, trade).await, [midnight]);
    let card = CardDraft {
        number: "4242424242424242".into(),
        exp_month: 12.into(),
        exp_year: 2099.into(),
        holder_name: "Olivia Example".into(),
        ..CardDraft::default()
    };
    let credit_card_id = engine.create_card(olivia, &card).await.unwrap().id.into();
    let draft = PaymentDraft { credit_card_id, ..PaymentDraft::default() };
    assert!(engine.pay_invoice(olivia, invoice, &draft).await.unwrap().stored.is_late);
}
