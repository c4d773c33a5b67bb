//! Payments through a gateway that fails on purpose, in one way at a time, with exact expectations. (In `business` it fails at
//! random, with many requests at once.)
//!
//! Rule 5.5.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::Duration;
use rust_decimal::Decimal;
use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::build::*;
use super::race::together;
use super::world::World;
use crate::clock::ManualClock;
use crate::gateway::{
    CardDetails, CardToken, Charge, ChargeKey, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome,
    RefundRequest, SandboxGateway, Tokenization,
};
use crate::id::{CreditCardId, InvoiceId, PaymentId, Stored};
use crate::invariants::Books;
use crate::invoicing::{PaymentDraft, VoidDraft};
use crate::model::{CreditCard, Payment, PaymentState, PaymentStatus, Role, ServiceKind};
use crate::permission::Actor;
use crate::repository::Repository;
use crate::{Error, LeaseEngine};

/// A card that the sandbox accepts and one that it declines, each with the status of its payment.
const CARDS: [(&str, PaymentStatus); 2] =
    [("sandbox_ok", PaymentStatus::Succeeded), ("sandbox_declines_card_declined", PaymentStatus::Failed)];

/// Rule 5.5: the gateway is down, charges (or declines) without a response, or responds so late that recovery comes first. While
/// the outcome of a charge is unknown, nothing else happens to the invoice, and in the end the true outcome is recorded.
pub async fn a_payment_ends_right_however_the_gateway_fails(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    for line in [Line::Dead, Line::Silent, Line::Late] {
        for (token, end) in CARDS {
            let till = shop.till(line);
            let bill = shop.bill(token).await;
            let payment = till.pay(&bill).await.unwrap();
            assert_eq!(payment.state, PaymentState::Pending, "{line:?}");
            bill.assert_waits(&till, &shop.staff).await;
            if line == Line::Dead {
                till.recover().await;
                assert_eq!(shop.state(payment.id).await, PaymentStatus::Pending, "a recovery without a response changes nothing");
            }
            let (one, other) = (shop.till(Line::Good), shop.till(Line::Good));
            together([one.clone(), other].map(|till| Box::pin(async move { till.recover().await }))).await;
            shop.bank.deliver_late_charges().await;
            one.recover().await;
            assert_eq!(shop.state(payment.id).await, end, "{line:?}");
            // After a decline, the whole amount is still to be paid; after a success, nothing.
            let again = one.pay(&Bill { card: shop.card(&bill.actor, "sandbox_ok").await, ..bill }).await;
            assert_eq!(again.is_ok(), end == PaymentStatus::Failed, "{again:?}");
        }
    }
    shop.close(6).await;
}

/// Rule 5.5: if a process dies before the card is charged, or before the outcome is recorded, another process settles the
/// payment.
pub async fn a_payment_whose_process_died_is_settled_by_another(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    for line in [Line::StopsBefore, Line::StopsAfter] {
        for (token, end) in CARDS {
            let bill = shop.bill(token).await;
            let (dead, next) = (shop.till(line), shop.till(Line::Good));
            let request = dead.clone().pays_until_it_stops(&bill).await;
            bill.assert_waits(&next, &shop.staff).await;
            request.abort();
            next.recover().await;
            let payments = shop.payments(bill.invoice).await;
            assert_eq!(payments.iter().map(|payment| PaymentStatus::from(&payment.state)).collect::<Vec<_>>(), [end]);
        }
    }
    shop.close(2).await;
}

/// Rule 5.5: recovery runs while the request is still under way: the request finds the payment settled, and returns its outcome.
pub async fn a_request_whose_payment_was_settled_by_recovery_gets_that_outcome(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    for line in [Line::StopsBefore, Line::StopsAfter] {
        for (token, end) in CARDS {
            let bill = shop.bill(token).await;
            let (slow, other) = (shop.till(line), shop.till(Line::Good));
            let request = slow.clone().pays_until_it_stops(&bill).await;
            other.recover().await;
            slow.wire.go.notify_one();
            let response = request.await.unwrap();
            match (end, response) {
                (PaymentStatus::Failed, Err(Error::CardDeclined { payment: Some(payment), .. })) => {
                    assert_eq!(shop.state(payment.id).await, end);
                }
                (_, response) => assert_eq!(PaymentStatus::from(&response.unwrap().state), end),
            }
            assert_eq!(shop.payments(bill.invoice).await.len(), 1);
        }
    }
    shop.close(2).await;
}

/// Rule 5.5: if a card is deleted while it is being charged, the payment succeeds all the same, whether or not the request dies.
pub async fn a_card_that_is_deleted_meanwhile_has_paid(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    for line in [Line::StopsBefore, Line::StopsAfter] {
        for dies in [true, false] {
            let bill = shop.bill("sandbox_ok").await;
            let (till, other) = (shop.till(line), shop.till(Line::Good));
            let request = till.clone().pays_until_it_stops(&bill).await;
            other.engine.delete_card(&bill.actor, bill.card).await.unwrap();
            if dies {
                request.abort();
                other.recover().await;
            } else {
                till.wire.go.notify_one();
                request.await.unwrap().unwrap();
            }
            assert_eq!(shop.payments(bill.invoice).await.iter().filter(|payment| has_succeeded(payment)).count(), 1);
            assert_eq!(other.pay(&bill).await.unwrap_err().code(), "invoice_not_open");
        }
    }
    shop.close(4).await;
}

/// A store, and the bank with which all gateways communicate.
struct Shop {
    world: World,
    clock: Arc<ManualClock>,
    bank: Arc<Bank>,
    staff: Actor,
    service: crate::id::ServiceId,
}

impl Shop {
    async fn open(store: Arc<dyn Repository>) -> Self {
        let world = World::new(store);
        let staff = Actor::of(&world.account(Role::Staff).await);
        let service = world.service(ServiceKind::Custom).await;
        Self { world, clock: Arc::new(ManualClock::at(at(1))), bank: Arc::default(), staff, service }
    }

    /// A separate process, with such a line to the bank.
    fn till(&self, line: Line) -> Till {
        let wire = Arc::new(Wire { line, bank: Arc::clone(&self.bank), stopped: Notify::new(), go: Notify::new() });
        let builder = LeaseEngine::builder(Arc::clone(&self.world.store), wire.clone()).clock(self.clock.clone());
        Till { engine: builder.build().unwrap(), clock: Arc::clone(&self.clock), wire }
    }

    /// An open invoice of a new customer, who has a card with this token.
    async fn bill(&self, token: &str) -> Bill {
        let account = self.world.account(Role::Customer).await;
        let (actor, customer) = (Actor::of(&account), account.customer_id.unwrap());
        let vehicle = self.world.vehicle(customer).await;
        let trade = self.world.open(vehicle, self.service).await;
        let proposal = self.world.propose(trade, customer).await;
        self.world.agree(trade, proposal, self.world.customer().await).await;
        let invoice = self.world.bill(trade, proposal, customer).await;
        Bill { actor, invoice, card: self.card(&actor, token).await }
    }

    async fn card(&self, actor: &Actor, token: &str) -> CreditCardId {
        let token = CardToken::new(token.to_owned());
        self.world.card_of(CreditCard { token, is_default: false, ..credit_card(actor.customer().unwrap()) }).await
    }

    async fn payments(&self, invoice: InvoiceId) -> Vec<Stored<Payment>> {
        let mut books = Books::read(&*self.world.store).await.unwrap();
        books.payments.retain(|payment| payment.invoice_id == invoice);
        books.payments
    }

    async fn state(&self, id: PaymentId) -> PaymentStatus {
        let books = Books::read(&*self.world.store).await.unwrap();
        PaymentStatus::from(&books.payments.iter().find(|payment| payment.id == id).unwrap().state)
    }

    /// Asserts that the books are in order and agree with the bank, and that this many payments succeeded.
    async fn close(&self, succeeded: usize) {
        // The trades were written without events.
        let books = Books { steps: None, ..Books::read(&*self.world.store).await.unwrap() };
        assert_eq!(books.violations(), Vec::<String>::new());
        let paid = books.payments.iter().filter(|payment| has_succeeded(payment));
        let paid: BTreeMap<_, _> = paid.map(|payment| (payment.charge_key.clone(), (payment.amount.amount(), 1))).collect();
        assert_eq!(paid, *self.bank.taken.lock().await);
        assert_eq!(paid.len(), succeeded);
    }
}

fn has_succeeded(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Succeeded { .. })
}

/// An invoice to be paid, with its payer and card.
#[derive(Clone, Copy)]
struct Bill {
    actor: Actor,
    invoice: InvoiceId,
    card: CreditCardId,
}

impl Bill {
    /// Asserts that, while a payment of the whole amount is pending, the invoice can be neither paid again nor voided.
    async fn assert_waits(&self, till: &Till, staff: &Actor) {
        assert_eq!(till.pay(self).await.unwrap_err().code(), "payment_pending");
        let void = VoidDraft { reason: "a mistake".into() };
        let dropped = till.engine.void_invoice(staff, self.invoice, &void).await;
        assert_eq!(dropped.unwrap_err().code(), "invoice_has_payments");
    }
}

/// A process that takes and settles payments.
#[derive(Clone)]
struct Till {
    engine: LeaseEngine,
    clock: Arc<ManualClock>,
    wire: Arc<Wire>,
}

impl Till {
    async fn pay(&self, bill: &Bill) -> Result<Stored<Payment>, Error> {
        let draft = PaymentDraft { credit_card_id: bill.card.into(), ..PaymentDraft::default() };
        Ok(self.engine.pay_invoice(&bill.actor, bill.invoice, &draft).await?.stored)
    }

    /// Pays until the line stops; returns the request, which waits there.
    async fn pays_until_it_stops(self, bill: &Bill) -> tokio::task::JoinHandle<Result<Stored<Payment>, Error>> {
        let (bill, wire) = (*bill, Arc::clone(&self.wire));
        let request = tokio::spawn(async move { self.pay(&bill).await });
        wire.stopped.notified().await;
        request
    }

    async fn recover(&self) {
        self.clock.advance(Duration::milliseconds(1));
        self.engine.settle_pending(Duration::zero(), 100).await.unwrap();
    }
}

/// The behaviour of the line between a process and the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Works normally.
    Good,
    /// Nothing gets through, not even a query.
    Dead,
    /// The charge is made; the response is lost.
    Silent,
    /// The charge arrives after everybody has given up.
    Late,
    /// Stops before the charge is made.
    StopsBefore,
    /// Stops after the charge was made.
    StopsAfter,
}

#[derive(Debug)]
struct Wire {
    line: Line,
    bank: Arc<Bank>,
    stopped: Notify,
    go: Notify,
}

impl Wire {
    /// Fails if nothing gets through.
    fn reach(&self) -> Result<(), GatewayError> {
        if self.line == Line::Dead { Err(GatewayError::new("connection refused")) } else { Ok(()) }
    }

    async fn stop(&self) {
        self.stopped.notify_one();
        self.go.notified().await;
    }
}

#[async_trait]
impl PaymentGateway for Wire {
    fn info(&self) -> GatewayInfo {
        self.bank.sandbox.info()
    }

    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        self.bank.sandbox.tokenize(card).await
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        match self.line {
            Line::Good => self.bank.charge(charge).await,
            Line::Dead => Err(GatewayError::new("connection refused")),
            Line::Silent => {
                self.bank.charge(charge).await?;
                Err(GatewayError::new("timed out"))
            }
            Line::Late => {
                self.bank.late.lock().unwrap().push(charge.clone());
                Err(GatewayError::new("timed out"))
            }
            Line::StopsBefore => {
                self.stop().await;
                self.bank.charge(charge).await
            }
            Line::StopsAfter => {
                let outcome = self.bank.charge(charge).await;
                self.stop().await;
                outcome
            }
        }
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.reach()?;
        self.bank.sandbox.find_charge(charge).await
    }
    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.reach()?;
        self.bank.sandbox.cancel_charge(charge).await
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        self.reach()?;
        self.bank.sandbox.refund(refund).await
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        self.reach()?;
        self.bank.sandbox.find_refund(refund).await
    }
}

/// The true state of the money: how much was taken for each key, and how often.
#[derive(Debug, Default)]
struct Bank {
    sandbox: SandboxGateway,
    taken: AsyncMutex<BTreeMap<ChargeKey, (Decimal, u32)>>,
    late: Mutex<Vec<Charge>>,
}

impl Bank {
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        // Locked throughout, so that of two charges with one key only one is new.
        let mut taken = self.taken.lock().await;
        let is_new = self.sandbox.find_charge(charge).await?.is_none();
        let outcome = self.sandbox.charge(charge).await?;
        if is_new && matches!(outcome, ChargeOutcome::Succeeded { .. }) {
            taken.entry(charge.key.clone()).or_insert((charge.amount.amount(), 0)).1 += 1;
        }
        Ok(outcome)
    }

    async fn deliver_late_charges(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for charge in late {
            self.charge(&charge).await.unwrap();
        }
    }
}
