//! Two server processes: two engines, each with a handle of its own, that share one clock and one gateway.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use super::Handles;
use super::build::*;
use super::race::together;
use super::world::World;
use crate::account::PasswordParams;
use crate::clock::ManualClock;
use crate::gateway::{CardToken, PaymentGateway, SandboxGateway};
use crate::id::{CreditCardId, CustomerId, InvoiceId, ProposalId, ServiceId, TradeId, VehicleId};
use crate::invariants::Books;
use crate::lifecycle::{ProposalDraft, TradeDraft};
use crate::model::{CreditCard, Role, ServiceKind};
use crate::permission::Actor;
use crate::{Error, LeaseEngine};

/// The number of rounds of a race: 50, or the value of `LEASE_RACE_ROUNDS`.
pub(super) static ROUNDS: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("LEASE_RACE_ROUNDS").map_or(50, |rounds| rounds.parse().expect("LEASE_RACE_ROUNDS is a number"))
});

/// An act of somebody, which returns `ok` or the code of the error.
pub(super) type Act = Pin<Box<dyn Future<Output = &'static str> + Send>>;

/// Two server processes on one store.
pub(super) struct Processes {
    pub(super) world: World,
    pub(super) clock: Arc<ManualClock>,
    engines: [LeaseEngine; 2],
    turns: std::sync::atomic::AtomicUsize,
}

/// A trade with a proposal by its owner.
#[derive(Clone, Copy)]
pub(super) struct Offered {
    pub(super) trade: TradeId,
    pub(super) proposal: ProposalId,
}

impl Processes {
    pub(super) fn start(handles: Handles) -> Self {
        Self::with_gateway(handles, &(Arc::new(SandboxGateway::new()) as _))
    }

    pub(super) fn with_gateway(handles: Handles, gateway: &Arc<dyn PaymentGateway>) -> Self {
        let clock = Arc::new(ManualClock::at(at(1)));
        let Handles(stores) = &handles;
        let engines = stores.clone().map(|store| {
            LeaseEngine::builder(store, Arc::clone(gateway))
                .clock(clock.clone())
                .password_params(PasswordParams { memory_kib: 8, iterations: 1 })
                .build()
                .unwrap()
        });
        Self { world: World::new(handles), clock, engines, turns: 0.into() }
    }

    /// One of the two engines, in turn.
    pub(super) fn engine(&self) -> LeaseEngine {
        let turn = self.turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.engines[turn % 2].clone()
    }

    /// An act at one of the two engines, in turn.
    pub(super) fn act<T, F>(&self, what: impl FnOnce(LeaseEngine) -> F) -> Act
    where
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let response = what(self.engine());
        Box::pin(async move { response.await.map_or_else(|error| error.code(), |_| "ok") })
    }

    pub(super) async fn actor(&self, role: Role) -> Actor {
        Actor::of(&self.world.account(role).await)
    }

    pub(super) async fn customers(&self, count: usize) -> Vec<Actor> {
        let mut customers = Vec::new();
        for _ in 0..count {
            customers.push(self.actor(Role::Customer).await);
        }
        customers
    }

    /// A card that can be charged until the end of `exp_year`.
    pub(super) async fn card(&self, holder: &Actor, exp_year: i32) -> CreditCardId {
        let token = CardToken::new("sandbox_ok".to_owned());
        self.world.card_of(CreditCard { exp_year, token, ..credit_card(customer(holder)) }).await
    }

    /// A card with this token of the sandbox.
    pub(super) async fn card_with(&self, holder: &Actor, token: &str) -> CreditCardId {
        let token = CardToken::new(token.to_owned());
        self.world.card_of(CreditCard { exp_year: 9999, token, ..credit_card(customer(holder)) }).await
    }

    pub(super) async fn vehicle(&self, owner: &Actor) -> VehicleId {
        self.world.vehicle(customer(owner)).await
    }

    /// Offers a new vehicle, with its owner's first proposal.
    pub(super) async fn offer(&self, owner: &Actor, service: ServiceId) -> Offered {
        let engine = self.engine();
        let vehicle = self.vehicle(owner).await;
        let trade = engine.open_trade(owner, &offer_of(vehicle, service)).await.unwrap().stored;
        let kind = engine.get_service(owner, trade.service_id).await.unwrap().kind;
        let proposal = engine.propose(owner, trade.id, &terms(kind)).await.unwrap().stored.id;
        Offered { trade: trade.id, proposal }
    }

    /// An invoice for 100.00 to an owner who offers a vehicle for lease.
    pub(super) async fn bill(&self, owner: &Actor, lease: ServiceId) -> (TradeId, InvoiceId) {
        let trade = self.offer(owner, lease).await.trade;
        let invoice = self.engine().get_trade(owner, trade).await.unwrap().stored.invoice_id;
        (trade, invoice.unwrap())
    }

    /// Reads the books, and asserts that they are in order.
    pub(super) async fn books(&self) -> Books {
        let books = Books::read(&*self.world.store).await.unwrap();
        assert_eq!(books.violations(), Vec::<String>::new());
        books
    }
}

pub(super) fn customer(actor: &Actor) -> CustomerId {
    actor.customer().unwrap()
}

pub(super) fn offer_of(vehicle: VehicleId, service: ServiceId) -> TradeDraft {
    TradeDraft { vehicle_id: vehicle.into(), service_id: service.into(), ..TradeDraft::default() }
}

/// Terms that are valid for a service of this kind; the days are always the same.
pub(super) fn terms(kind: ServiceKind) -> ProposalDraft {
    let terms = ProposalDraft { amount: rust_decimal::Decimal::from(250).into(), ..ProposalDraft::default() };
    match kind {
        ServiceKind::Lease => ProposalDraft { start_date: day(10).into(), end_date: day(20).into(), ..terms },
        ServiceKind::Sell | ServiceKind::Custom => terms,
    }
}

/// Starts all acts at once, and counts the outcomes.
pub(super) async fn count(acts: Vec<Act>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for response in together(acts).await {
        *counts.entry(response).or_default() += 1;
    }
    counts
}
