//! An owner who owes the fee of a lease, and a gateway that can be silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::NaiveDate;
use lease_core::LeaseEngine;
use lease_core::account::{PasswordParams, RegistrationDraft};
use lease_core::catalog::VehicleDraft;
use lease_core::clock::Clock;
use lease_core::engine::{LeaseEngineBuilder, Maintenance};
use lease_core::gateway::{
    CardDetails, Charge, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome, RefundRequest, SandboxGateway,
    Tokenization,
};
use lease_core::id::{InvoiceId, PaymentId, TradeId};
use lease_core::invoicing::PaymentDraft;
use lease_core::lifecycle::{ProposalDraft, TradeDraft};
use lease_core::model::PaymentState;
use lease_core::money::{Currency, Money};
use lease_core::page::PageRequest;
use lease_core::permission::Actor;
use lease_core::repository::ServiceFilter;
use lease_core::wallet::CardDraft;
use lease_store_memory::MemoryRepository;
use rust_decimal::Decimal;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// A shop with one customer.
pub(crate) struct Shop {
    pub(crate) engine: LeaseEngine,
    pub(crate) gateway: Arc<SlowGateway>,
    pub(crate) owner: Actor,
    pub(crate) trade: TradeId,
    pub(crate) invoice: InvoiceId,
}

impl Shop {
    pub(crate) async fn open(clock: Arc<dyn Clock>) -> Self {
        Self::open_with(clock, |builder| builder).await
    }

    /// A shop whose engine is built like this.
    pub(crate) async fn open_with(clock: Arc<dyn Clock>, build: impl FnOnce(LeaseEngineBuilder) -> LeaseEngineBuilder) -> Self {
        Self::open_on(Arc::new(MemoryRepository::default()), clock, build).await
    }

    /// The same on this store.
    pub(crate) async fn open_on(
        store: Arc<MemoryRepository>,
        clock: Arc<dyn Clock>,
        build: impl FnOnce(LeaseEngineBuilder) -> LeaseEngineBuilder,
    ) -> Self {
        let gateway = Arc::new(SlowGateway::default());
        let builder = LeaseEngine::builder(store, Arc::clone(&gateway) as _)
            .clock(clock)
            .password_params(PasswordParams { memory_kib: 8, iterations: 1 });
        let engine = build(builder).build().unwrap();
        let usd = |text| Money::parse(text, Currency::USD).unwrap();
        engine.ensure_standard_services(usd("49.00"), usd("199.00")).await.unwrap();
        let owner = match register(&engine, "olivia").await {
            // The app has seen to it that the address is hers.
            Actor::Unverified { user, customer } => Actor::Customer { user, customer },
            owner => owner,
        };
        let trade = open_a_lease(&engine, &owner).await;
        let invoice = offer(&engine, &owner, trade).await;
        Self { engine, gateway, owner, trade, invoice }
    }

    /// Pays the invoice.
    pub(crate) async fn pay(&self) -> PaymentId {
        let card = CardDraft {
            number: "4242424242424242".into(),
            exp_month: 12.into(),
            exp_year: 2099.into(),
            holder_name: "Olivia".into(),
            ..CardDraft::default()
        };
        let card = self.engine.create_card(&self.owner, &card).await.unwrap().id;
        let draft = PaymentDraft { credit_card_id: card.into(), ..PaymentDraft::default() };
        self.engine.pay_invoice(&self.owner, self.invoice, &draft).await.unwrap().stored.id
    }

    /// Starts the background work, which ends once the sender is dropped.
    pub(crate) fn start(&self) -> (oneshot::Sender<()>, JoinHandle<()>) {
        let (end, ended) = oneshot::channel();
        let engine = self.engine.clone();
        let work = async move { engine.run_maintenance(&Maintenance::default(), async { _ = ended.await }).await };
        (end, tokio::spawn(work))
    }

    /// Does all background work that is due.
    pub(crate) async fn catch_up(&self) {
        self.engine.catch_up(&Maintenance::default()).await.unwrap();
    }

    pub(crate) async fn is_pending(&self, payment: PaymentId) -> bool {
        self.engine.get_payment(&self.owner, payment).await.unwrap().stored.state == PaymentState::Pending
    }
}

/// Registers a customer with this name.
pub(crate) async fn register(engine: &LeaseEngine, name: &str) -> Actor {
    let draft = RegistrationDraft {
        username: name.into(),
        email: format!("{name}@example.com").into(),
        first_name: name.into(),
        last_name: "Example".into(),
        password: "violet-harbor-93".into(),
        password2: "violet-harbor-93".into(),
        ..RegistrationDraft::default()
    };
    let registered = engine.register(Actor::Anonymous, &draft).await.unwrap();
    engine.authenticate(&registered.token).await.unwrap().actor
}

async fn open_a_lease(engine: &LeaseEngine, owner: &Actor) -> TradeId {
    let vehicle = VehicleDraft {
        vin: "1HGCM82633A004352".into(),
        make: "Honda".into(),
        model: "Accord".into(),
        year: 2003.into(),
        ..VehicleDraft::default()
    };
    let vehicle = engine.create_vehicle(owner, &vehicle).await.unwrap().id;
    let services = engine.list_services(owner, ServiceFilter::default(), PageRequest::default()).await.unwrap();
    let lease = services.items.iter().find(|service| service.name == "Lease").unwrap().id;
    let draft = TradeDraft { vehicle_id: vehicle.into(), service_id: lease.into(), ..TradeDraft::default() };
    engine.open_trade(owner, &draft).await.unwrap().stored.id
}

/// Makes the first proposal, with which the fee is invoiced.
async fn offer(engine: &LeaseEngine, owner: &Actor, trade: TradeId) -> InvoiceId {
    engine.propose(owner, trade, &terms(450)).await.unwrap();
    engine.get_trade(owner, trade).await.unwrap().stored.invoice_id.unwrap()
}

/// A year at this price a month.
pub(crate) fn terms(price: i64) -> ProposalDraft {
    ProposalDraft {
        amount: Decimal::from(price).into(),
        start_date: NaiveDate::from_ymd_opt(2020, 7, 1).unwrap().into(),
        end_date: NaiveDate::from_ymd_opt(2021, 7, 1).unwrap().into(),
        ..ProposalDraft::default()
    }
}

/// A gateway that gives no response while it is slow.
#[derive(Debug, Default)]
pub(crate) struct SlowGateway {
    bank: SandboxGateway,
    is_slow: AtomicBool,
    /// Told of each call to which it gives no response.
    pub(crate) called: Notify,
}

impl SlowGateway {
    pub(crate) fn set_slow(&self, is_slow: bool) {
        self.is_slow.store(is_slow, Ordering::Relaxed);
    }

    async fn respond(&self) {
        if self.is_slow.load(Ordering::Relaxed) {
            self.called.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl PaymentGateway for SlowGateway {
    fn info(&self) -> GatewayInfo {
        self.bank.info()
    }

    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        self.bank.tokenize(card).await
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.respond().await;
        self.bank.charge(charge).await
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.respond().await;
        self.bank.find_charge(charge).await
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.respond().await;
        self.bank.cancel_charge(charge).await
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        self.respond().await;
        self.bank.refund(refund).await
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        self.respond().await;
        self.bank.find_refund(refund).await
    }
}
