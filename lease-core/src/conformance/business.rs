//! Engines on the store, used by many customers at once and with an unreliable gateway: the resulting books must satisfy the
//! [invariants](crate::invariants).
//!
//! Rules 5.5, 5.7, and the invariants of chapter 5.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::Duration;
use rust_decimal::Decimal;

use super::Handles;
use super::build::*;
use super::processes::{Processes, offer_of};
use super::race::together;
use super::script::Draw;
use crate::engine::PayerDraft;
use crate::gateway::{
    CardDetails, Charge, ChargeKey, ChargeOutcome, GatewayError, GatewayInfo, PayerOutcome, PaymentGateway, RefundKey,
    RefundOutcome, RefundRequest, SandboxGateway, Tokenization,
};
use crate::id::{CreditCardId, CustomerId, InvoiceId, PaymentId, ProposalId, ServiceId, TradeId, VehicleId};
use crate::invariants::Books;
use crate::invoicing::{PaymentCancellationDraft, PaymentDraft, RefundDraft};
use crate::lifecycle::{CancellationDraft, ProposalDraft};
use crate::model::{PaymentState, PaymentStatus, RefundState, Role, ServiceKind};
use crate::page::PageRequest;
use crate::permission::Actor;
use crate::repository::{InvoiceFilter, PaymentFilter, ProposalFilter, TradeFilter, VehicleFilter};

/// The number of customers who act at once.
const TRADERS: u64 = 6;
/// The number of acts that each of them attempts.
const ACTS: u64 = 40;

/// Everybody opens, proposes, accepts, cancels and pays whatever they can see, confirms payments or gives them up, and staff refund,
/// so that they conflict all the time.
pub async fn many_at_once_leave_the_books_in_order(handles: Handles) {
    let market = Market::open(handles).await;
    let mut traders = Vec::new();
    for number in 0..TRADERS {
        let trader = market.trader(number).await;
        traders.push(async move {
            let mut trader = trader;
            for _ in 0..ACTS {
                trader.act().await;
            }
        });
    }
    together(traders).await;
    let books = market.books().await;
    market.assert_true_to_the_gateway(&books);
    assert!(books.trades.iter().any(|trade| trade.agreement().is_some()), "something was agreed");
    assert!(books.payments.iter().any(|payment| matches!(payment.state, PaymentState::Succeeded { .. })), "something was paid");
}

/// The gateway is down, or charges and gives no response, or declines too late; payers confirm and give up, staff refund, and two
/// processes settle what is under way all the time. In the end, every payment and every refund has the gateway's outcome, and
/// every charge is recorded.
pub async fn a_gateway_that_fails_loses_no_charge_and_makes_none_twice(handles: Handles) {
    let market = Market::open(handles).await;
    let mut payers: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
    for number in 0..TRADERS {
        let mut trader = market.trader(number).await;
        let invoice = trader.billed().await;
        payers.push(Box::pin(async move {
            for _ in 0..ACTS / 2 {
                trader.pay(invoice).await;
                trader.confirm_or_cancel().await;
                trader.refund().await;
            }
        }));
    }
    for _ in 0..2 {
        let market = market.clone();
        payers.push(Box::pin(async move {
            for _ in 0..ACTS {
                market.recover().await;
                tokio::task::yield_now().await;
            }
        }));
    }
    together(payers).await;
    let books = market.books().await;
    market.assert_true_to_the_gateway(&books);
    let ends: BTreeSet<_> = books.payments.iter().map(|payment| PaymentStatus::from(&payment.state).to_string()).collect();
    assert!(ends.contains("failed") && ends.contains("succeeded"), "{ends:?}");
    assert!(books.refunds.iter().any(|refund| matches!(refund.state, RefundState::Succeeded { .. })), "something was given back");
}

/// Two processes, and the customers and services in their store.
#[derive(Clone)]
struct Market {
    processes: Arc<Processes>,
    gateway: Arc<FlakyGateway>,
    services: [ServiceId; 2],
    staff: Actor,
}

impl Market {
    async fn open(handles: Handles) -> Self {
        let gateway = Arc::new(FlakyGateway::default());
        let processes = Arc::new(Processes::with_gateway(handles, &(gateway.clone() as _)));
        let services = [processes.world.service(ServiceKind::Lease).await, processes.world.service(ServiceKind::Sell).await];
        let staff = processes.actor(Role::Staff).await;
        Self { processes, gateway, services, staff }
    }

    /// A customer with two vehicles and four cards: one is always declined, one needs its payer, of one refunds fail.
    async fn trader(&self, number: u64) -> Trader {
        let account = self.processes.world.account(Role::Customer).await;
        let customer = account.customer_id.unwrap();
        let mut cards = Vec::new();
        let actor = Actor::of(&account);
        for token in ["sandbox_ok", "sandbox_declines_card_declined", "sandbox_asks_payer", "sandbox_refuses_refunds"] {
            cards.push(self.processes.card_with(&actor, token).await);
        }
        for _ in 0..2 {
            self.processes.world.vehicle(customer).await;
        }
        Trader { market: self.clone(), actor, customer, cards, draw: Draw(number) }
    }

    async fn recover(&self) {
        self.processes.clock.advance(Duration::milliseconds(1));
        self.processes.engine().settle_pending(Duration::zero(), 100).await.unwrap();
        self.processes.engine().settle_waiting(100).await.unwrap();
    }

    /// The books after everything is settled, because payers have waited too long; asserts that they are in order.
    async fn books(&self) -> Books {
        self.gateway.mend();
        self.processes.clock.advance(self.processes.engine().policy().payment_action);
        for _ in 0..3 {
            self.recover().await;
        }
        let books = self.processes.books().await;
        assert!(books.payments.iter().all(|payment| !payment.state.is_under_way()), "every payment is settled");
        assert!(books.refunds.iter().all(|refund| refund.state != RefundState::Pending), "every refund is settled");
        books
    }

    /// Asserts that the money that was taken and given back is the money that the books say.
    fn assert_true_to_the_gateway(&self, books: &Books) {
        let paid = books.payments.iter().filter(|payment| matches!(payment.state, PaymentState::Succeeded { .. }));
        let paid: BTreeSet<_> = paid.map(|payment| (payment.charge_key.clone(), payment.amount.amount())).collect();
        let refunded = books.refunds.iter().filter(|refund| matches!(refund.state, RefundState::Succeeded { .. }));
        let refunded: BTreeSet<_> = refunded.map(|refund| (refund.refund_key.clone(), refund.amount.amount())).collect();
        let Line { taken, given_back, .. } = &*self.gateway.state.lock().unwrap();
        assert_eq!((&paid, &refunded), (taken, given_back), "what is recorded, and what the gateway has done");
    }
}

/// A customer who acts at random.
struct Trader {
    market: Market,
    actor: Actor,
    customer: CustomerId,
    cards: Vec<CreditCardId>,
    draw: Draw,
}

impl Trader {
    /// Attempts an act. A refusal is fine: others may come first, or the rules may not allow it.
    async fn act(&mut self) {
        let engine = self.market.processes.engine();
        match self.draw.one_of(&[0, 1, 1, 1, 2, 2, 3, 4, 4, 5, 6]) {
            Some(0) => {
                if let (Some(vehicle), Some(service)) = (self.vehicle().await, self.draw.one_of(&self.market.services).copied()) {
                    drop(engine.open_trade(&self.actor, &offer_of(vehicle, service)).await);
                }
            }
            Some(1) => {
                if let Some((trade, kind)) = self.trade().await {
                    let terms = self.terms(kind);
                    drop(engine.propose(&self.actor, trade, &terms).await);
                }
            }
            Some(2) => {
                if let Some(proposal) = self.proposal().await {
                    drop(engine.accept_proposal(&self.actor, proposal).await);
                }
            }
            Some(3) => {
                if let Some((trade, _)) = self.trade().await.filter(|_| self.draw.chance(30)) {
                    drop(engine.cancel_trade(&self.actor, trade, &CancellationDraft::default()).await);
                }
            }
            Some(5) => self.confirm_or_cancel().await,
            Some(6) => self.refund().await,
            _ => {
                if let Some(invoice) = self.invoice().await {
                    self.pay(invoice).await;
                }
            }
        }
    }

    /// An invoice for the fee of a lease, billed to this customer.
    async fn billed(&mut self) -> InvoiceId {
        let engine = self.market.processes.engine();
        let vehicle = self.vehicle().await.unwrap();
        let trade = engine.open_trade(&self.actor, &offer_of(vehicle, self.market.services[0])).await.unwrap().stored.id;
        let terms = self.terms(ServiceKind::Lease);
        engine.propose(&self.actor, trade, &terms).await.unwrap();
        engine.get_trade(&self.actor, trade).await.unwrap().stored.invoice_id.unwrap()
    }

    /// Pays a small part of an invoice, or all of it.
    async fn pay(&mut self, invoice: InvoiceId) {
        let amounts = [Some(Decimal::new(701, 2)), Some(Decimal::new(1, 2)), None];
        let amount = self.draw.one_of(&amounts).copied().flatten();
        let draft = PaymentDraft {
            credit_card_id: self.draw.one_of(&self.cards).copied().unwrap().into(),
            amount: amount.map(Into::into).unwrap_or_default(),
            ..PaymentDraft::default()
        };
        drop(self.market.processes.engine().pay_invoice(&self.actor, invoice, &draft).await);
    }

    /// Confirms a payment that waits, or gives it up, or leaves it.
    async fn confirm_or_cancel(&mut self) {
        let Some(payment) = self.payment(PaymentStatus::RequiresAction).await else { return };
        let engine = self.market.processes.engine();
        match self.draw.one_of(&["succeed", "fail", "cancel", "leave"]) {
            Some(&"cancel") => drop(engine.cancel_payment(&self.actor, payment, &PaymentCancellationDraft::default()).await),
            Some(&outcome) if outcome != "leave" => {
                drop(engine.act_as_payer(&self.actor, payment, &PayerDraft { outcome: outcome.into() }).await);
            }
            _ => {}
        }
    }

    /// Staff give back a part of a payment of this customer, or all of it.
    async fn refund(&mut self) {
        let Some(payment) = self.payment(PaymentStatus::Succeeded).await else { return };
        let amounts = [Some(Decimal::new(1, 2)), None];
        let amount = self.draw.one_of(&amounts).copied().flatten().map(Into::into).unwrap_or_default();
        let draft = RefundDraft { amount, reason: "other".into(), ..RefundDraft::default() };
        drop(self.market.processes.engine().refund_payment(&self.market.staff, payment, &draft).await);
    }

    /// A payment of this customer in this state.
    async fn payment(&mut self, status: PaymentStatus) -> Option<PaymentId> {
        let filter = PaymentFilter { status: Some(status), ..PaymentFilter::default() };
        let engine = self.market.processes.engine();
        let found = engine.list_payments(&self.actor, filter, PageRequest::default()).await.unwrap();
        self.draw.one_of(&found.items).map(|payment| payment.stored.id)
    }

    fn terms(&mut self, kind: ServiceKind) -> ProposalDraft {
        let amount = self.draw.one_of(&[100, 200, 300]).copied().unwrap();
        let first = self.draw.one_of(&[10, 20, 30]).copied().unwrap();
        let terms = ProposalDraft { amount: Decimal::from(amount).into(), ..ProposalDraft::default() };
        match kind {
            ServiceKind::Lease => ProposalDraft { start_date: day(first).into(), end_date: day(first + 15).into(), ..terms },
            ServiceKind::Sell | ServiceKind::Custom => terms,
        }
    }

    async fn vehicle(&mut self) -> Option<VehicleId> {
        let mine = VehicleFilter { customer_id: Some(self.customer), ..VehicleFilter::default() };
        let found = self.market.processes.engine().list_vehicles(&self.actor, mine, PageRequest::default()).await.unwrap();
        self.draw.one_of(&found.items).map(|vehicle| vehicle.id)
    }

    async fn trade(&mut self) -> Option<(TradeId, ServiceKind)> {
        let found = self
            .market
            .processes
            .engine()
            .list_trades(&self.actor, TradeFilter::default(), PageRequest::default())
            .await
            .unwrap();
        let trade = self.draw.one_of(&found.items)?;
        let is_lease = trade.stored.service_id == self.market.services[0];
        Some((trade.stored.id, if is_lease { ServiceKind::Lease } else { ServiceKind::Sell }))
    }

    async fn proposal(&mut self) -> Option<ProposalId> {
        let found = self
            .market
            .processes
            .engine()
            .list_proposals(&self.actor, ProposalFilter::default(), PageRequest::default())
            .await
            .unwrap();
        self.draw.one_of(&found.items).map(|proposal| proposal.stored.id)
    }

    async fn invoice(&mut self) -> Option<InvoiceId> {
        let found = self
            .market
            .processes
            .engine()
            .list_invoices(&self.actor, InvoiceFilter::default(), PageRequest::default())
            .await
            .unwrap();
        self.draw.one_of(&found.items).map(|invoice| invoice.id)
    }
}

/// The sandbox behind an unreliable line: some calls do not get through, and some responses are lost.
#[derive(Debug, Default)]
struct FlakyGateway {
    sandbox: SandboxGateway,
    state: Mutex<Line>,
}

/// The reliability of the line, and the money that moved over it.
#[derive(Debug, Default)]
struct Line {
    is_mended: bool,
    calls: u64,
    taken: BTreeSet<(ChargeKey, Decimal)>,
    given_back: BTreeSet<(RefundKey, Decimal)>,
}

impl FlakyGateway {
    fn mend(&self) {
        self.state.lock().unwrap().is_mended = true;
    }

    fn count(&self, charge: &Charge, outcome: &ChargeOutcome) {
        if matches!(outcome, ChargeOutcome::Succeeded { .. }) {
            self.state.lock().unwrap().taken.insert((charge.key.clone(), charge.amount.amount()));
        }
    }

    /// Fails for this percentage of calls.
    fn line(&self, percent: u64) -> Result<(), GatewayError> {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        let fails = !state.is_mended && Draw(state.calls).chance(percent);
        if fails { Err(GatewayError::new("the line is bad")) } else { Ok(()) }
    }
}

#[async_trait]
impl PaymentGateway for FlakyGateway {
    fn info(&self) -> GatewayInfo {
        self.sandbox.info()
    }

    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        self.sandbox.tokenize(card).await
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.line(25)?;
        let outcome = self.sandbox.charge(charge).await?;
        self.count(charge, &outcome);
        tokio::task::yield_now().await;
        self.line(50)?;
        Ok(outcome)
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.line(25)?;
        self.sandbox.find_charge(charge).await
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.line(25)?;
        let outcome = self.sandbox.cancel_charge(charge).await?;
        self.line(25)?;
        Ok(outcome)
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        self.line(25)?;
        let outcome = self.sandbox.refund(refund).await?;
        if matches!(outcome, RefundOutcome::Succeeded { .. }) {
            self.state.lock().unwrap().given_back.insert((refund.key.clone(), refund.amount.amount()));
        }
        tokio::task::yield_now().await;
        self.line(50)?;
        Ok(outcome)
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        self.line(25)?;
        self.sandbox.find_refund(refund).await
    }

    fn act_as_payer(&self, charge: &Charge, outcome: PayerOutcome) -> Option<ChargeOutcome> {
        let outcome = self.sandbox.act_as_payer(charge, outcome)?;
        self.count(charge, &outcome);
        Some(outcome)
    }
}
