//! The whole trade cycle through the engine on the memory store: a vehicle, a lease trade, the owner's proposal (with its
//! invoice), a counter-proposal, its acceptance, and the payment that completes the trade. It runs on one core, with few trades
//! and with a million trades in the store.
#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lease_core::LeaseEngine;
use lease_core::account::{NewAccount, PasswordHash};
use lease_core::catalog::VehicleDraft;
use lease_core::gateway::SandboxGateway;
use lease_core::id::{CreditCardId, ServiceId};
use lease_core::invoicing::PaymentDraft;
use lease_core::lifecycle::{ProposalDraft, TradeDraft};
use lease_core::model::{Annotations, Email, NoticeSettings, Profile, Role, User, Username};
use lease_core::money::{Currency, Money};
use lease_core::permission::Actor;
use lease_core::repository::{Commit, Envelope, Repository as _};
use lease_core::wallet::CardDraft;
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;
use tokio::runtime::Runtime;

struct Market {
    engine: LeaseEngine,
    owner: Actor,
    other: Actor,
    card: CreditCardId,
    service: ServiceId,
    vehicles: u64,
}

impl Market {
    async fn with_trades(trades: u64) -> Self {
        let store = Arc::new(MemoryRepository::default());
        let fee = Money::parse("49.00", Currency::USD).unwrap();
        let owner = customer(&store, "owner").await;
        let other = customer(&store, "other").await;
        let engine = LeaseEngine::builder(store, Arc::new(SandboxGateway::new())).build().unwrap();
        engine.ensure_standard_services(fee, fee).await.unwrap();
        let card = CardDraft {
            number: "4242424242424242".into(),
            exp_month: 12.into(),
            exp_year: 2099.into(),
            holder_name: "Owner".into(),
            ..CardDraft::default()
        };
        let card = engine.create_card(&owner, &card).await.unwrap().id;
        let mut market = Self { engine, owner, other, card, service: ServiceId::new(1).unwrap(), vehicles: 0 };
        for _ in 0..trades {
            market.cycle().await;
        }
        market
    }

    async fn cycle(&mut self) {
        self.vehicles += 1;
        let vehicle = VehicleDraft {
            vin: vin(self.vehicles).into(),
            make: "Honda".into(),
            model: "Accord".into(),
            year: 2003.into(),
            ..VehicleDraft::default()
        };
        let vehicle = self.engine.create_vehicle(&self.owner, &vehicle).await.unwrap().id;
        let trade = TradeDraft { vehicle_id: vehicle.into(), service_id: self.service.into(), ..TradeDraft::default() };
        let trade = self.engine.open_trade(&self.owner, &trade).await.unwrap().stored.id;
        let terms = |amount: i64| ProposalDraft {
            amount: Decimal::from(amount).into(),
            start_date: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap().into(),
            end_date: NaiveDate::from_ymd_opt(2027, 1, 1).unwrap().into(),
            ..ProposalDraft::default()
        };
        self.engine.propose(&self.owner, trade, &terms(450)).await.unwrap();
        let offer = self.engine.propose(&self.other, trade, &terms(400)).await.unwrap().stored.id;
        self.engine.accept_proposal(&self.owner, offer).await.unwrap();
        let invoice = self.engine.get_trade(&self.owner, trade).await.unwrap().stored.invoice_id.unwrap();
        let payment = PaymentDraft { credit_card_id: self.card.into(), ..PaymentDraft::default() };
        self.engine.pay_invoice(&self.owner, invoice, &payment).await.unwrap();
    }
}

async fn customer(store: &MemoryRepository, name: &str) -> Actor {
    let user = User {
        username: Username::parse(name).unwrap(),
        email: Some(Email::parse(&format!("{name}@example.com")).unwrap()),
        first_name: name.to_owned(),
        last_name: name.to_owned(),
        password: PasswordHash::from_phc("none".to_owned()),
        is_active: true,
        role: Role::Customer,
        date_joined: DateTime::<Utc>::UNIX_EPOCH,
        last_login: None,
        token_epoch: 0,
        email_verified_at: None,
        links: Vec::new(),
        notices: NoticeSettings::default(),
        annotations: Annotations::default(),
    };
    let new = NewAccount { user, profile: Some(Profile::default()), token: None, only_first_superuser: false };
    let created = Commit::new(Envelope::new(Actor::System, DateTime::UNIX_EPOCH), new);
    let ids = store.commit(&created).await.unwrap();
    Actor::of_user(ids.user.unwrap(), Role::Customer, ids.customer)
}

/// A different VIN for every number.
fn vin(number: u64) -> String {
    format!("1HGCM{number:012}")
}

fn cycles(criterion: &mut Criterion) {
    let runtime: Runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = criterion.benchmark_group("whole cycle in memory");
    group.throughput(Throughput::Elements(1)).sample_size(20).measurement_time(Duration::from_secs(10));
    for trades in [1_000, 1_000_000] {
        let mut market = None;
        group.bench_function(format!("{trades} trades stored"), |bencher| {
            // The store is built once, and only if this benchmark is selected.
            let market = market.get_or_insert_with(|| runtime.block_on(Market::with_trades(trades)));
            bencher.iter_custom(|iterations| {
                runtime.block_on(async {
                    let start = Instant::now();
                    for _ in 0..iterations {
                        market.cycle().await;
                    }
                    start.elapsed()
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, cycles);
criterion_main!(benches);
