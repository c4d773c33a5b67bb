//! An app with rules of its own: its fee is a percentage of the price, and none at weekends; and nobody offers a vehicle that is older
//! than 30 years.
//!
//! `cargo run -p lease-examples --bin own_rules`
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::error::Error;
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Duration, TimeZone as _, Utc, Weekday};
use lease_core::account::RegistrationDraft;
use lease_core::catalog::VehicleDraft;
use lease_core::clock::ManualClock;
use lease_core::gateway::SandboxGateway;
use lease_core::guard::{Guard, GuardedAct};
use lease_core::id::{ServiceId, TradeId};
use lease_core::invoicing::{FeeBasis, FeePolicy};
use lease_core::lifecycle::{ProposalDraft, TradeDraft};
use lease_core::model::{ServiceKind, TradeStatus};
use lease_core::money::{Currency, Money, MoneyError};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::ServiceFilter;
use lease_core::{LeaseEngine, OwnRefusal, RefusalCode};
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// A percentage of the price, and nothing at weekends. The weekend is that of UTC, as all times of the engine.
#[derive(Debug)]
struct FreeWeekends {
    percent: Decimal,
}

impl FeePolicy for FreeWeekends {
    fn fee(&self, basis: &FeeBasis<'_>) -> Result<Money, MoneyError> {
        match basis.issued_at.weekday() {
            Weekday::Sat | Weekday::Sun => Ok(Money::zero(basis.service.fee.currency())),
            _ => basis.proposal.amount.percent(self.percent),
        }
    }
}

/// Nobody offers a vehicle that is older than this.
#[derive(Debug)]
struct NoClassics {
    most_years: i32,
}

const VEHICLE_TOO_OLD: RefusalCode = RefusalCode::new("vehicle_too_old").unwrap();

impl Guard for NoClassics {
    fn check(&self, _: &Actor, act: &GuardedAct<'_>, now: DateTime<Utc>) -> Result<(), OwnRefusal> {
        match act {
            GuardedAct::Open { vehicle, .. } if now.year() - vehicle.year > self.most_years => {
                let message = format!("Vehicles older than {} years are not offered here.", self.most_years);
                Err(OwnRefusal::new(VEHICLE_TOO_OLD, message))
            }
            _ => Ok(()),
        }
    }
}

#[tokio::main]
async fn main() -> Outcome {
    let friday = Utc.with_ymd_and_hms(2026, 3, 6, 12, 0, 0).single().ok_or("a day of the calendar")?;
    let clock = Arc::new(ManualClock::at(friday));
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new()))
        .clock(Arc::clone(&clock) as _)
        .fee_policy(Arc::new(FreeWeekends { percent: Decimal::new(25, 1) }))
        .guard(Arc::new(NoClassics { most_years: 30 }))
        .build()?;
    // The policy decides the fee, so the amounts of the services do not matter; their currency does.
    let none = Money::zero(Currency::USD);
    engine.ensure_standard_services(none, none).await?;
    let (olivia, ben) = (register(&engine, "olivia").await?, register(&engine, "ben").await?);

    if let Err(refused) = offer(&engine, &olivia, "1HGCM82633A000001", 1990).await {
        println!("a car of 1990: {refused}");
    }
    let trade = offer(&engine, &olivia, "1HGCM82633A000002", 2003).await?;
    println!("sold on a Friday: {}", sell(&engine, &olivia, &ben, trade).await?);
    clock.advance(Duration::days(1));
    let trade = offer(&engine, &olivia, "1HGCM82633A000003", 2003).await?;
    println!("sold on a Saturday: {}", sell(&engine, &olivia, &ben, trade).await?);
    Ok(())
}

/// Offers a car of this year for sale.
async fn offer(engine: &LeaseEngine, owner: &Actor, vin: &str, year: i64) -> Outcome<TradeId> {
    let car = VehicleDraft {
        vin: vin.into(),
        make: "Honda".into(),
        model: "Accord".into(),
        year: year.into(),
        ..VehicleDraft::default()
    };
    let vehicle = engine.create_vehicle(owner, &car).await?.id;
    let filter = ServiceFilter { kind: Some(ServiceKind::Sell), ..ServiceFilter::default() };
    let services = engine.list_services(owner, filter, PageRequest::default()).await?;
    let service: ServiceId = services.items.first().ok_or("the standard services were created at the start")?.id;
    let draft = TradeDraft { vehicle_id: vehicle.into(), service_id: service.into(), ..TradeDraft::default() };
    Ok(engine.open_trade(owner, &draft).await?.stored.id)
}

/// The owner asks 18,500, and the buyer accepts. What became of the trade, and what the company claims.
async fn sell(engine: &LeaseEngine, owner: &Actor, buyer: &Actor, trade: TradeId) -> Outcome<String> {
    let price = ProposalDraft { amount: Decimal::from(18_500).into(), ..ProposalDraft::default() };
    let proposal = engine.propose(owner, trade, &price).await?.stored.id;
    engine.accept_proposal(buyer, proposal).await?;
    let trade = engine.get_trade(owner, trade).await?.stored;
    let fee = match trade.invoice_id {
        Some(invoice) => engine.get_invoice(owner, invoice).await?.amount.to_string(),
        None => "nothing".to_owned(),
    };
    Ok(format!("{}, and the company claims {fee}", TradeStatus::from(&trade.state)))
}

async fn register(engine: &LeaseEngine, name: &str) -> Outcome<Actor> {
    let draft = RegistrationDraft {
        username: name.into(),
        email: format!("{name}@example.com").into(),
        first_name: name.into(),
        last_name: "Example".into(),
        password: "a horse of another colour".into(),
        password2: "a horse of another colour".into(),
        ..RegistrationDraft::default()
    };
    let registered = engine.register(Actor::Anonymous, &draft).await?;
    Ok(engine.authenticate(&registered.token).await?.actor)
}
