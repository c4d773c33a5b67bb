//! An app that reacts to what happens: for each proposal that is accepted it draws up a contract, once at least, even if it dies in
//! the middle.
//!
//! `cargo run -p lease-examples --bin react`
#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use std::error::Error;
use std::sync::Arc;

use lease_core::LeaseEngine;
use lease_core::account::RegistrationDraft;
use lease_core::catalog::VehicleDraft;
use lease_core::engine::EventConsumer;
use lease_core::event::{EventRecord, EventType};
use lease_core::gateway::SandboxGateway;
use lease_core::id::Stored;
use lease_core::lifecycle::{ProposalDraft, TradeDraft};
use lease_core::model::ServiceKind;
use lease_core::money::{Currency, Money};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::{EventFilter, ServiceFilter};
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome {
    let engine = LeaseEngine::builder(Arc::new(MemoryRepository::default()), Arc::new(SandboxGateway::new())).build()?;
    engine.ensure_standard_services(Money::parse("49.00", Currency::USD)?, Money::parse("199.00", Currency::USD)?).await?;
    sell(&engine).await?;

    // The first time, the app dies after it has drawn up the contract, before it says so.
    let mut contracts = start(&engine).await?;
    let event = contracts.next().await?;
    draw_up(&event);
    drop(contracts);

    // Started again, it gets the event again. A reaction has to be such that a second one does no harm: here, the contract has the
    // number of its proposal, so the second one replaces the first.
    let mut contracts = start(&engine).await?;
    let event = contracts.next().await?;
    draw_up(&event);
    contracts.done(&event).await?;
    println!("event {} is done, and does not come again", event.id);
    Ok(())
}

/// The consumer goes on where the one of this name was done. In a server it would have a task of its own, which calls `next` and
/// `done` for ever.
async fn start(engine: &LeaseEngine) -> Outcome<EventConsumer> {
    let accepted = EventFilter { types: vec![EventType::ProposalAccepted], ..EventFilter::default() };
    Ok(engine.consumer(&"contracts".parse()?, accepted).await?)
}

fn draw_up(accepted: &Stored<EventRecord>) {
    let (id, data) = (accepted.id, &accepted.data);
    println!("event {id}: contract {} over {} {}", data["proposal_id"], data["amount"], data["currency"]);
}

/// Olivia offers her car, and Ben accepts her price.
async fn sell(engine: &LeaseEngine) -> Outcome {
    let (olivia, ben) = (register(engine, "olivia").await?, register(engine, "ben").await?);
    let car = VehicleDraft {
        vin: "1HGCM82633A004352".into(),
        make: "Honda".into(),
        model: "Accord".into(),
        year: 2003.into(),
        ..VehicleDraft::default()
    };
    let vehicle = engine.create_vehicle(&olivia, &car).await?.id;
    let filter = ServiceFilter { kind: Some(ServiceKind::Sell), ..ServiceFilter::default() };
    let services = engine.list_services(&olivia, filter, PageRequest::default()).await?;
    let service = services.items.first().ok_or("the standard services were created at the start")?.id;
    let draft = TradeDraft { vehicle_id: vehicle.into(), service_id: service.into(), ..TradeDraft::default() };
    let trade = engine.open_trade(&olivia, &draft).await?.stored.id;
    let price = ProposalDraft { amount: Decimal::from(18_500).into(), ..ProposalDraft::default() };
    let offer = engine.propose(&olivia, trade, &price).await?.stored.id;
    engine.accept_proposal(&ben, offer).await?;
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
