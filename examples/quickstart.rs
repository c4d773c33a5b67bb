//! A lease and a sale, from the offer to the paid invoice, in process and on the memory store.
//!
//! `cargo run -p lease-examples --bin quickstart`
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::error::Error;
use std::sync::Arc;

use chrono::NaiveDate;
use lease_core::LeaseEngine;
use lease_core::account::RegistrationDraft;
use lease_core::catalog::VehicleDraft;
use lease_core::engine::Maintenance;
use lease_core::gateway::SandboxGateway;
use lease_core::id::{CreditCardId, ServiceId, TradeId, VehicleId};
use lease_core::invoicing::PaymentDraft;
use lease_core::lifecycle::{ProposalDraft, TradeDraft};
use lease_core::model::ServiceKind;
use lease_core::money::{Currency, Money};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::ServiceFilter;
use lease_core::wallet::CardDraft;
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new())).build()?;
    // What has to be done in the background, here until the program ends.
    let maintained = engine.clone();
    tokio::spawn(async move { maintained.run_maintenance(&Maintenance::default(), std::future::pending()).await });
    engine.ensure_standard_services(Money::parse("49.00", Currency::USD)?, Money::parse("199.00", Currency::USD)?).await?;

    let olivia = register(&engine, "olivia").await?;
    let ben = register(&engine, "ben").await?;
    let card = store_card(&engine, &olivia).await?;
    let vehicle = offerable_vehicle(&engine, &olivia).await?;

    lease(&engine, &olivia, &ben, vehicle, card).await?;
    sell(&engine, &olivia, &ben, vehicle, card).await
}

/// Olivia leases out her car: the fee is invoiced with her first proposal; the trade completes once it is agreed and paid.
async fn lease(engine: &LeaseEngine, olivia: &Actor, ben: &Actor, vehicle: VehicleId, card: CreditCardId) -> Outcome {
    let trade = open(engine, olivia, vehicle, ServiceKind::Lease).await?;
    let dated = |amount: i64| ProposalDraft {
        amount: Decimal::from(amount).into(),
        start_date: NaiveDate::from_ymd_opt(2020, 7, 1).unwrap_or_default().into(),
        end_date: NaiveDate::from_ymd_opt(2021, 7, 1).unwrap_or_default().into(),
        ..ProposalDraft::default()
    };
    engine.propose(olivia, trade, &dated(450)).await?;
    println!("lease: Olivia asks 450 a month, and is billed for the exposure");
    let counter = engine.propose(ben, trade, &dated(400)).await?.stored;
    println!("lease: Ben offers {}", counter.amount);
    engine.accept_proposal(olivia, counter.id).await?;
    println!("lease: Olivia accepts; the trade is {}", status(engine, olivia, trade).await?);
    pay(engine, olivia, trade, card).await?;
    println!("lease: Olivia pays the fee; the trade is {}", status(engine, olivia, trade).await?);
    Ok(())
}

/// Olivia sells her car: the fee is invoiced with the acceptance; once it is paid, the car belongs to Ben.
async fn sell(engine: &LeaseEngine, olivia: &Actor, ben: &Actor, vehicle: VehicleId, card: CreditCardId) -> Outcome {
    let trade = open(engine, olivia, vehicle, ServiceKind::Sell).await?;
    let offer = ProposalDraft { amount: Decimal::from(18_500).into(), ..ProposalDraft::default() };
    let offer = engine.propose(olivia, trade, &offer).await?.stored;
    println!("sale: Olivia asks {}", offer.amount);
    engine.accept_proposal(ben, offer.id).await?;
    println!("sale: Ben accepts; the trade is {}", status(engine, olivia, trade).await?);
    pay(engine, olivia, trade, card).await?;
    let owner = engine.get_vehicle(ben, vehicle).await?.customer_id;
    println!("sale: Olivia pays the fee; the trade is {}", status(engine, olivia, trade).await?);
    println!("sale: the car is Ben's: {}", ben.customer() == Some(owner));
    Ok(())
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

async fn store_card(engine: &LeaseEngine, actor: &Actor) -> Outcome<CreditCardId> {
    let draft = CardDraft {
        number: "4242424242424242".into(),
        exp_month: 12.into(),
        exp_year: 2099.into(),
        holder_name: "Olivia Example".into(),
        ..CardDraft::default()
    };
    Ok(engine.create_card(actor, &draft).await?.id)
}

async fn offerable_vehicle(engine: &LeaseEngine, actor: &Actor) -> Outcome<VehicleId> {
    let draft = VehicleDraft {
        vin: "1HGCM82633A004352".into(),
        make: "Honda".into(),
        model: "Accord".into(),
        year: 2003.into(),
        ..VehicleDraft::default()
    };
    Ok(engine.create_vehicle(actor, &draft).await?.id)
}

async fn open(engine: &LeaseEngine, owner: &Actor, vehicle: VehicleId, kind: ServiceKind) -> Outcome<TradeId> {
    let filter = ServiceFilter { kind: Some(kind), ..ServiceFilter::default() };
    let services = engine.list_services(owner, filter, PageRequest::default()).await?;
    let service: ServiceId = services.items.first().ok_or("the standard services were created at the start")?.id;
    let draft = TradeDraft { vehicle_id: vehicle.into(), service_id: service.into(), ..TradeDraft::default() };
    Ok(engine.open_trade(owner, &draft).await?.stored.id)
}

async fn status(engine: &LeaseEngine, actor: &Actor, trade: TradeId) -> Outcome<&'static str> {
    let trade = engine.get_trade(actor, trade).await?.stored;
    Ok(lease_core::model::TradeStatus::from(&trade.state).into())
}

async fn pay(engine: &LeaseEngine, actor: &Actor, trade: TradeId, card: CreditCardId) -> Outcome {
    let invoice = engine.get_trade(actor, trade).await?.stored.invoice_id.ok_or("the trade has a fee")?;
    engine.pay_invoice(actor, invoice, &PaymentDraft { credit_card_id: card.into(), ..PaymentDraft::default() }).await?;
    Ok(())
}
