//! The cost of the commits of a whole trade cycle, on a store with a thousand trades and on one with a million.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use lease_core::account::{NewAccount, PasswordHash};
use lease_core::catalog::{FirstServices, VehicleChange};
use lease_core::decision::RowChange;
use lease_core::gateway::{CardToken, ChargeKey};
use lease_core::id::{CreditCardId, CustomerId, NewIds, ServiceId, TradeId, VehicleId, Version};
use lease_core::lifecycle::{InvoiceChange, NewInvoice, Opening, PaymentChange, TradeChange, TradeChanges, TradeMove};
use lease_core::model::{
    Agreement, Annotations, BillTo, CardBrand, CreditCard, Email, InvoiceOn, InvoiceState, NoticeSettings, OfferedVehicle,
    Payment, PaymentState, Period, Profile, Proposal, ProposalState, Role, Service, ServiceKind, Trade, TradeState, User,
    Username, Vehicle, VehicleIdentity, Vin,
};
use lease_core::money::{Currency, Money};
use lease_core::permission::Actor;
use lease_core::repository::{Change, Commit, Envelope, Repository as _};
use lease_core::wallet::{CardChange, DefaultCard, WalletChange};
use lease_store_memory::MemoryRepository;

/// The vehicles that are traded in turn.
const VEHICLES: usize = 1_000;

/// A store with an owner, a seller of many leases, and a buyer.
struct World {
    store: MemoryRepository,
    owner: CustomerId,
    buyer: CustomerId,
    card: CreditCardId,
    service: ServiceId,
    /// Each vehicle with its current version.
    vehicles: Vec<(VehicleId, Version)>,
    cycles: usize,
    now: DateTime<Utc>,
    fee: Money,
}

impl World {
    async fn new() -> Self {
        let store = MemoryRepository::default();
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let fee = Money::parse("199.99", Currency::USD).unwrap();
        let (owner, buyer) = (customer(&store, "owner", now).await, customer(&store, "buyer", now).await);
        let service = write(&store, now, FirstServices(vec![lease(fee)])).await.service.unwrap();
        let card = write(&store, now, wallet(owner, now)).await.credit_card.unwrap();
        let mut vehicles = Vec::new();
        for number in 0..VEHICLES {
            let new = write(&store, now, VehicleChange::from(RowChange::Create(vehicle(owner, number, now)))).await;
            vehicles.push((new.vehicle.unwrap(), Version::FIRST));
        }
        Self { store, owner, buyer, card, service, vehicles, cycles: 0, now, fee }
    }

    async fn with_trades(count: usize) -> Self {
        let mut world = Self::new().await;
        for _ in 0..count {
            world.cycle().await;
        }
        world
    }

    /// Opens a trade, proposes, counters, accepts, begins the payment and settles it.
    async fn cycle(&mut self) {
        let round = self.cycles / VEHICLES;
        let vehicle = self.cycles % VEHICLES;
        self.cycles += 1;
        self.now += TimeDelta::seconds(1);
        let id = self.open(vehicle).await;
        let version = |commits: i64| Version(Version::FIRST.0 + commits);
        let commit = |version, changes| {
            let (store, now) = (self.store.clone(), self.now);
            async move { write(&store, now, TradeChange { id, expected: version, changes }).await }
        };

        let bill = NewInvoice {
            proposal_id: None,
            customer_id: self.owner,
            amount: self.fee,
            issued_at: self.now,
            due_date: self.now.date_naive(),
        };
        let first = TradeChanges {
            new_proposal: Some(self.proposal(id, self.owner, round)),
            new_invoice: Some(bill),
            ..TradeChanges::default()
        };
        let invoice = commit(version(0), first).await.invoice.unwrap();
        let counter = TradeChanges { new_proposal: Some(self.proposal(id, self.buyer, round)), ..TradeChanges::default() };
        let proposal = commit(version(1), counter).await.proposal.unwrap();

        let agreement =
            Agreement { counterparty_id: self.buyer, proposal_id: proposal, days: period(round), agreed_at: self.now };
        let accept = TradeChanges {
            decided: Some((proposal, ProposalState::Accepted { at: self.now })),
            close_others: Some(self.now),
            state: Some(TradeMove::Agree(agreement)),
            ..TradeChanges::default()
        };
        commit(version(2), accept).await;

        let nothing = Money::zero(Currency::USD);
        let due_date = self.now.date_naive();
        let begin = TradeChanges {
            invoice: Some(InvoiceChange {
                id: invoice,
                paid: nothing,
                pending: self.fee,
                refunded: nothing,
                state: InvoiceState::Open,
                due_date,
                overdue_at: None,
            }),
            new_payment: Some(Payment {
                invoice_id: invoice,
                credit_card_id: self.card,
                customer_id: self.owner,
                amount: self.fee,
                refunded: nothing,
                refunding: nothing,
                state: PaymentState::Pending,
                is_late: false,
                charge_key: ChargeKey::new(format!("{:032x}", self.cycles)),
                gateway_reference: None,
                created_at: self.now,
            }),
            ..TradeChanges::default()
        };
        let payment = commit(version(3), begin).await.payment.unwrap();
        let paid = InvoiceState::Paid { at: self.now };
        let settle = TradeChanges {
            invoice: Some(InvoiceChange {
                id: invoice,
                paid: self.fee,
                pending: nothing,
                refunded: nothing,
                state: paid,
                due_date,
                overdue_at: None,
            }),
            payment: Some(PaymentChange {
                id: payment,
                state: PaymentState::Succeeded { at: self.now },
                gateway_reference: Some("reference".to_owned()),
                refunded: nothing,
                refunding: nothing,
            }),
            state: Some(TradeMove::Complete(agreement, self.now)),
            ..TradeChanges::default()
        };
        commit(version(4), settle).await;
    }

    async fn open(&mut self, number: usize) -> TradeId {
        let (vehicle_id, version) = self.vehicles.get_mut(number).unwrap();
        let opening = Opening {
            trade: Trade {
                vehicle_id: *vehicle_id,
                service_id: self.service,
                customer_id: self.owner,
                title: "Well kept, one owner".to_owned(),
                description: String::new(),
                state: TradeState::Open,
                offered: OfferedVehicle::from(&vehicle(self.owner, 0, self.now)),
                asking: None,
                invoice_id: None,
                created_at: self.now,
                annotations: Annotations::default(),
            },
            vehicle_version: *version,
            first_use_of_service: None,
        };
        *version = version.next();
        write(&self.store, self.now, opening).await.trade.unwrap()
    }

    /// Each round leases a vehicle for the day after that of the previous round.
    fn proposal(&self, trade_id: TradeId, customer_id: CustomerId, round: usize) -> Proposal {
        Proposal {
            trade_id,
            customer_id,
            amount: self.fee,
            period: period(round),
            message: String::new(),
            expires_at: None,
            created_at: self.now,
            state: ProposalState::Pending,
        }
    }
}

/// The day on which the vehicle is let in this round.
fn period(round: usize) -> Option<Period> {
    let start = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(round as u64);
    Period::new(start, start + Days::new(1))
}

async fn write(store: &MemoryRepository, now: DateTime<Utc>, change: impl Into<Change>) -> NewIds {
    store.commit(&Commit::new(Envelope::new(Actor::System, now), change)).await.unwrap()
}

async fn customer(store: &MemoryRepository, name: &str, now: DateTime<Utc>) -> CustomerId {
    let user = User {
        username: Username::parse(name).unwrap(),
        email: Some(Email::parse(&format!("{name}@example.com")).unwrap()),
        first_name: String::new(),
        last_name: String::new(),
        password: PasswordHash::from_phc(String::new()),
        is_active: true,
        role: Role::Customer,
        date_joined: now,
        last_login: None,
        token_epoch: 0,
        email_verified_at: None,
        links: Vec::new(),
        notices: NoticeSettings::default(),
        annotations: Annotations::default(),
    };
    let new = NewAccount { user, profile: Some(Profile::default()), token: None, only_first_superuser: false };
    write(store, now, new).await.customer.unwrap()
}

fn lease(fee: Money) -> Service {
    Service {
        name: "Lease".to_owned(),
        kind: ServiceKind::Lease,
        invoice_on: InvoiceOn::FirstProposal,
        bill_to: BillTo::Owner,
        fee,
        payment_due_days: 14,
        description: String::new(),
        is_active: true,
        is_used: true,
    }
}

fn wallet(customer_id: CustomerId, now: DateTime<Utc>) -> WalletChange {
    let card = CreditCard {
        customer_id,
        brand: CardBrand::Visa,
        last4: "4242".to_owned(),
        exp_month: 12,
        exp_year: 2040,
        holder_name: "Owner".to_owned(),
        is_default: true,
        token: CardToken::new("token".to_owned()),
        created_at: now,
        deleted_at: None,
    };
    WalletChange { customer_id, expected: Version::FIRST, card: CardChange::Create(card), others: DefaultCard::Clear }
}

fn vehicle(customer_id: CustomerId, number: usize, now: DateTime<Utc>) -> Vehicle {
    Vehicle {
        customer_id,
        identity: Some(VehicleIdentity::Vin(Vin::parse(&format!("WVWZZZ1JZ3W{number:06}")).unwrap())),
        make: "Volkswagen".to_owned(),
        model: "Golf".to_owned(),
        year: 2003,
        color: String::new(),
        mileage: None,
        license_plate: String::new(),
        description: String::new(),
        created_at: now,
        annotations: Annotations::default(),
    }
}

fn cycles(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("the commits of a trade cycle");
    for trades in [1_000, 1_000_000] {
        let mut world = runtime.block_on(World::with_trades(trades));
        group.bench_function(format!("with {trades} trades stored"), |bencher| {
            bencher.iter(|| runtime.block_on(world.cycle()));
        });
    }
    group.finish();
}

criterion_group!(benches, cycles);
criterion_main!(benches);
