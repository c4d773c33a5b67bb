//! The steps of a trade.

use std::sync::Arc;

use chrono::NaiveDate;
use lease_core::LeaseEngine;
use lease_core::gateway::SandboxGateway;
use lease_core::id::{CreditCardId, InvoiceId, ProposalId, ServiceId, TradeId, VehicleId};
use lease_core::invoicing::PaymentDraft;
use lease_core::lifecycle::{ProposalDraft, TradeDraft};
use lease_core::money::{Currency, Money};
use lease_core::permission::Actor;
use lease_store_postgres::PostgresRepository;
use rust_decimal::Decimal;

/// The standard service for leasing vehicles: the first one that is created.
pub(crate) fn lease_service() -> ServiceId {
    ServiceId::new(1).unwrap()
}

/// An engine on this store, with the standard services.
pub(crate) async fn engine(store: &PostgresRepository) -> LeaseEngine {
    let fee = Money::parse("49.00", Currency::USD).unwrap();
    let engine = LeaseEngine::builder(Arc::new(store.clone()), Arc::new(SandboxGateway::new())).build().unwrap();
    engine.ensure_standard_services(fee, fee).await.unwrap();
    engine
}

pub(crate) async fn open(engine: &LeaseEngine, owner: &Actor, vehicle: VehicleId) -> TradeId {
    let trade = TradeDraft { vehicle_id: vehicle.into(), service_id: lease_service().into(), ..TradeDraft::default() };
    engine.open_trade(owner, &trade).await.unwrap().stored.id
}

pub(crate) async fn propose(engine: &LeaseEngine, author: &Actor, trade: TradeId, amount: i64) -> ProposalId {
    let terms = ProposalDraft {
        amount: Decimal::from(amount).into(),
        start_date: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().into(),
        end_date: NaiveDate::from_ymd_opt(2027, 1, 1).unwrap().into(),
        ..ProposalDraft::default()
    };
    engine.propose(author, trade, &terms).await.unwrap().stored.id
}

pub(crate) async fn accept(engine: &LeaseEngine, owner: &Actor, proposal: ProposalId) {
    engine.accept_proposal(owner, proposal).await.unwrap();
}

/// The invoice of a trade, as its owner reads it.
pub(crate) async fn invoice(engine: &LeaseEngine, owner: &Actor, trade: TradeId) -> InvoiceId {
    engine.get_trade(owner, trade).await.unwrap().stored.invoice_id.unwrap()
}

pub(crate) async fn pay(engine: &LeaseEngine, owner: &Actor, invoice: InvoiceId, card: CreditCardId) {
    let payment = PaymentDraft { credit_card_id: card.into(), ..PaymentDraft::default() };
    engine.pay_invoice(owner, invoice, &payment).await.unwrap();
}
