//! Payments and refunds through a gateway that fails on purpose, in one way at a time, with exact expectations. (In `business` it
//! fails at random, with many requests at once.)
//!
//! Rules 5.5, 5.7.

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
    CardDetails, CardToken, Charge, ChargeKey, ChargeOutcome, GatewayError, GatewayInfo, PayerOutcome, PaymentGateway, RefundKey,
    RefundOutcome, RefundRequest, SandboxGateway, Tokenization,
};
use crate::id::{CreditCardId, InvoiceId, PaymentId, RefundId, Stored};
use crate::invariants::Books;
use crate::invoicing::{PaymentCancellationDraft, PaymentDraft, RefundDraft, VoidDraft};
use crate::model::{CreditCard, Payment, PaymentState, PaymentStatus, Refund, RefundState, RefundStatus, Role, ServiceKind};
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
            shop.bank.deliver_late_requests().await;
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

/// What a payer does while somebody gives up the payment that waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Payer {
    /// Confirms before anything else happens.
    First,
    /// Confirms at the end, when it may be too late.
    Last,
}

/// Rule 5.5: a payment that waits is to be given up while the gateway is down, gives up without a response, or is told so late that
/// others come first. Its amount is released only once the gateway has given it up; whoever confirms in time has paid.
pub async fn a_payment_that_waits_ends_right_however_the_gateway_fails(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    let mut succeeded = 0;
    for line in [Line::Dead, Line::Silent, Line::Late] {
        for payer in [Payer::First, Payer::Last] {
            let (bill, good, till) = (shop.bill("sandbox_asks_payer").await, shop.till(Line::Good), shop.till(line));
            let payment = good.pay(&bill).await.unwrap();
            assert_eq!(PaymentStatus::from(&payment.state), PaymentStatus::RequiresAction);
            assert_eq!(good.engine.settle_payment(payment.id).await.unwrap(), payment, "nobody has acted yet");
            bill.assert_waits(&good, &shop.staff).await;
            if payer == Payer::First {
                shop.bank.payer_confirms(&payment).await;
            }
            let cancelled = till.engine.cancel_payment(&bill.actor, payment.id, &PaymentCancellationDraft::default()).await;
            assert_eq!(cancelled.unwrap_err().code(), "unavailable", "{line:?}");
            bill.assert_waits(&good, &shop.staff).await;
            shop.bank.deliver_late_requests().await;
            shop.bank.payer_confirms(&payment).await;
            let (one, other) = (shop.till(Line::Good), shop.till(Line::Good));
            together([one.clone(), other].map(|till| Box::pin(async move { till.recover().await }))).await;
            // The bank was told to give up before the payer confirmed, unless nothing got through.
            let end = match (line, payer) {
                (Line::Dead, _) | (_, Payer::First) => PaymentStatus::Succeeded,
                (_, Payer::Last) => PaymentStatus::Cancelled,
            };
            assert_eq!(shop.state(payment.id).await, end, "{line:?} {payer:?}");
            let again = one.engine.cancel_payment(&shop.staff, payment.id, &PaymentCancellationDraft::default()).await;
            assert_eq!(again.unwrap_err().code(), "payment_settled");
            succeeded += usize::from(end == PaymentStatus::Succeeded);
            // Its amount is free again, or paid.
            let again = one.pay(&Bill { card: shop.card(&bill.actor, "sandbox_ok").await, ..bill }).await;
            assert_eq!(again.is_ok(), end == PaymentStatus::Cancelled, "{again:?}");
            succeeded += usize::from(again.is_ok());
        }
    }
    shop.close(succeeded).await;
}

/// Rule 5.5: whoever does not confirm in time has not paid, and the amount stays reserved until the gateway has given the charge up.
pub async fn a_payment_that_nobody_confirms_is_given_up_at_the_gateway_first(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    let (good, dead, silent) = (shop.till(Line::Good), shop.till(Line::Dead), shop.till(Line::Silent));
    for till in [&good, &silent] {
        let bill = shop.bill("sandbox_asks_payer").await;
        let payment = good.pay(&bill).await.unwrap();
        let hour = good.engine.policy().payment_action;
        shop.clock.set(payment.created_at + hour - tick());
        good.engine.settle_waiting(100).await.unwrap();
        assert_eq!(shop.state(payment.id).await, PaymentStatus::RequiresAction, "there is a moment left");
        shop.clock.set(payment.created_at + hour);
        assert_eq!(dead.engine.settle_waiting(100).await.unwrap(), 0);
        bill.assert_waits(&good, &shop.staff).await;
        till.engine.settle_waiting(100).await.unwrap();
        shop.bank.payer_confirms(&payment).await;
        good.engine.settle_waiting(100).await.unwrap();
        assert_eq!(shop.state(payment.id).await, PaymentStatus::Cancelled);
        good.pay(&Bill { card: shop.card(&bill.actor, "sandbox_ok").await, ..bill }).await.unwrap();
    }
    shop.close(2).await;
}

/// Rule 5.5: a process that dies while it has a charge given up leaves a payment that others settle, whether or not the gateway was
/// told.
pub async fn a_payment_whose_canceller_died_is_settled_by_another(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    for (line, end) in [(Line::StopsBefore, PaymentStatus::Succeeded), (Line::StopsAfter, PaymentStatus::Cancelled)] {
        for dies in [true, false] {
            let bill = shop.bill("sandbox_asks_payer").await;
            let (till, other) = (shop.till(line), shop.till(Line::Good));
            let payment = other.pay(&bill).await.unwrap();
            let (dead, actor) = (till.clone(), bill.actor);
            let request = tokio::spawn(async move {
                dead.engine.cancel_payment(&actor, payment.id, &PaymentCancellationDraft::default()).await
            });
            till.wire.stopped.notified().await;
            bill.assert_waits(&other, &shop.staff).await;
            shop.bank.payer_confirms(&other.engine.settle_payment(payment.id).await.unwrap()).await;
            other.recover().await;
            assert_eq!(shop.state(payment.id).await, end, "{line:?}");
            if dies {
                request.abort();
            } else {
                till.wire.go.notify_one();
                let response = request.await.unwrap();
                let code = response.map_or_else(|error| error.code(), |_| "ok");
                assert_eq!(code, if end == PaymentStatus::Cancelled { "ok" } else { "payment_settled" });
            }
        }
    }
    shop.close(2).await;
}

/// A card whose refunds succeed and one whose refunds fail, each with the status of its refund.
const REFUNDED_CARDS: [(&str, RefundStatus); 2] =
    [("sandbox_ok", RefundStatus::Succeeded), ("sandbox_refuses_refunds", RefundStatus::Failed)];

/// Rule 5.7, I8: the gateway is down, gives back (or refuses) without a response, or responds so late that recovery comes first.
/// While the outcome is unknown, nothing else is refunded, and in the end the true outcome is recorded.
pub async fn a_refund_ends_right_however_the_gateway_fails(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    for line in [Line::Dead, Line::Silent, Line::Late] {
        for (token, end) in REFUNDED_CARDS {
            let (till, payment) = (shop.till(line), shop.paid(token).await);
            let refund = till.refund(&shop.staff, payment).await.unwrap();
            assert_eq!(refund.state, RefundState::Pending, "{line:?}");
            let (one, other) = (shop.till(Line::Good), shop.till(Line::Good));
            assert_eq!(one.refund(&shop.staff, payment).await.unwrap_err().code(), "payment_refunded");
            if line == Line::Dead {
                till.recover().await;
                assert_eq!(shop.refund_state(refund.id).await, RefundStatus::Pending, "without a response nothing changes");
            }
            together([one.clone(), other].map(|till| Box::pin(async move { till.recover().await }))).await;
            shop.bank.deliver_late_requests().await;
            one.recover().await;
            assert_eq!(shop.refund_state(refund.id).await, end, "{line:?}");
            // What was refused may be tried again, what was given back may not.
            let expected = if end == RefundStatus::Failed { "refund_failed" } else { "payment_refunded" };
            assert_eq!(one.refund(&shop.staff, payment).await.unwrap_err().code(), expected);
        }
    }
    shop.close(6).await;
}

/// Rule 5.7: if a process dies before the money is given back, or before that is recorded, another process settles the refund; a
/// request that was only slow finds it settled, and returns its outcome.
pub async fn a_refund_whose_process_died_is_settled_by_another(store: Arc<dyn Repository>) {
    let shop = Shop::open(store).await;
    for line in [Line::StopsBefore, Line::StopsAfter] {
        for (token, end) in REFUNDED_CARDS {
            for dies in [true, false] {
                let (till, next, payment) = (shop.till(line), shop.till(Line::Good), shop.paid(token).await);
                let (slow, staff) = (till.clone(), shop.staff);
                let request = tokio::spawn(async move { slow.refund(&staff, payment).await });
                till.wire.stopped.notified().await;
                assert_eq!(next.refund(&shop.staff, payment).await.unwrap_err().code(), "payment_refunded");
                if dies {
                    request.abort();
                    next.recover().await;
                } else {
                    next.recover().await;
                    till.wire.go.notify_one();
                    match (end, request.await.unwrap()) {
                        (RefundStatus::Failed, Err(Error::RefundFailed(refund))) => {
                            assert_eq!(shop.refund_state(refund.id).await, end);
                        }
                        (_, response) => assert_eq!(RefundStatus::from(&response.unwrap().state), end),
                    }
                }
                let refunds = shop.refunds(payment).await;
                assert_eq!(refunds.iter().map(|refund| RefundStatus::from(&refund.state)).collect::<Vec<_>>(), [end]);
            }
        }
    }
    shop.close(8).await;
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

    /// A payment of a new customer that succeeded, with this card.
    async fn paid(&self, token: &str) -> PaymentId {
        self.till(Line::Good).pay(&self.bill(token).await).await.unwrap().id
    }

    async fn refunds(&self, payment: PaymentId) -> Vec<Stored<Refund>> {
        let mut books = Books::read(&*self.world.store).await.unwrap();
        books.refunds.retain(|refund| refund.payment_id == payment);
        books.refunds
    }

    async fn refund_state(&self, id: RefundId) -> RefundStatus {
        RefundStatus::from(&self.world.store.find_refund(id).await.unwrap().unwrap().state)
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
        let refunded = books.refunds.iter().filter(|refund| matches!(refund.state, RefundState::Succeeded { .. }));
        let refunded: BTreeMap<_, _> = refunded.map(|refund| (refund.refund_key.clone(), (refund.amount.amount(), 1))).collect();
        assert_eq!(refunded, *self.bank.given_back.lock().await);
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

    /// Refunds the whole payment.
    async fn refund(&self, staff: &Actor, payment: PaymentId) -> Result<Stored<Refund>, Error> {
        let draft = RefundDraft { reason: "other".into(), ..RefundDraft::default() };
        self.engine.refund_payment(staff, payment, &draft).await
    }

    /// Settles what is under way, as far as the gateway says more.
    async fn recover(&self) {
        self.clock.advance(Duration::milliseconds(1));
        self.engine.settle_pending(Duration::zero(), 100).await.unwrap();
        self.engine.settle_waiting(100).await.unwrap();
    }
}

/// The behaviour of the line between a process and the bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Works normally.
    Good,
    /// Nothing gets through, not even a query.
    Dead,
    /// The bank does what it is told; the response is lost.
    Silent,
    /// What the bank is told arrives after everybody has stopped waiting.
    Late,
    /// Stops before the bank is told.
    StopsBefore,
    /// Stops after the bank has done what it was told.
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

    /// Tells the bank to do something; `done` is what it does.
    async fn send<T>(&self, request: Request, done: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
        match self.line {
            Line::Good => done.await,
            Line::Dead => Err(GatewayError::new("connection refused")),
            Line::Silent => {
                done.await?;
                Err(GatewayError::new("timed out"))
            }
            Line::Late => {
                self.bank.late.lock().unwrap().push(request);
                Err(GatewayError::new("timed out"))
            }
            Line::StopsBefore => {
                self.stop().await;
                done.await
            }
            Line::StopsAfter => {
                let outcome = done.await;
                self.stop().await;
                outcome
            }
        }
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
        self.send(Request::Charge(charge.clone()), self.bank.charge(charge)).await
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.reach()?;
        self.bank.sandbox.find_charge(charge).await
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.send(Request::GiveUp(charge.clone()), self.bank.give_up(charge)).await
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        self.send(Request::Refund(refund.clone()), self.bank.refund(refund)).await
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        self.reach()?;
        self.bank.sandbox.find_refund(refund).await
    }
}

/// What the bank is told to do.
#[derive(Debug)]
enum Request {
    Charge(Charge),
    GiveUp(Charge),
    Refund(RefundRequest),
}

/// The true state of the money: how much was taken and given back for each key, and how often.
#[derive(Debug, Default)]
struct Bank {
    sandbox: SandboxGateway,
    taken: AsyncMutex<BTreeMap<ChargeKey, (Decimal, u32)>>,
    given_back: AsyncMutex<BTreeMap<RefundKey, (Decimal, u32)>>,
    /// The charges that it was told of.
    charges: Mutex<BTreeMap<ChargeKey, Charge>>,
    late: Mutex<Vec<Request>>,
}

impl Bank {
    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.charges.lock().unwrap().entry(charge.key.clone()).or_insert_with(|| charge.clone());
        // Locked throughout, so that of two charges with one key only one is new.
        let mut taken = self.taken.lock().await;
        let is_new = self.sandbox.find_charge(charge).await?.is_none();
        let outcome = self.sandbox.charge(charge).await?;
        if is_new && matches!(outcome, ChargeOutcome::Succeeded { .. }) {
            taken.entry(charge.key.clone()).or_insert((charge.amount.amount(), 0)).1 += 1;
        }
        Ok(outcome)
    }

    async fn give_up(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let _taken = self.taken.lock().await;
        self.sandbox.cancel_charge(charge).await
    }

    /// The payer confirms with the bank, if their charge still waits for that. Nobody is told.
    async fn payer_confirms(&self, payment: &Payment) {
        let charge = self.charges.lock().unwrap()[&payment.charge_key].clone();
        let mut taken = self.taken.lock().await;
        let waits = matches!(self.sandbox.charge(&charge).await.unwrap(), ChargeOutcome::ActionRequired { .. });
        let outcome = self.sandbox.act_as_payer(&charge, PayerOutcome::Succeed);
        if waits && matches!(outcome, Some(ChargeOutcome::Succeeded { .. })) {
            taken.entry(charge.key).or_insert((charge.amount.amount(), 0)).1 += 1;
        }
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        let mut given_back = self.given_back.lock().await;
        let is_new = self.sandbox.find_refund(refund).await?.is_none();
        let outcome = self.sandbox.refund(refund).await?;
        if is_new && matches!(outcome, RefundOutcome::Succeeded { .. }) {
            given_back.entry(refund.key.clone()).or_insert((refund.amount.amount(), 0)).1 += 1;
        }
        Ok(outcome)
    }

    async fn deliver_late_requests(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for request in late {
            match request {
                Request::Charge(charge) => drop(self.charge(&charge).await.unwrap()),
                Request::GiveUp(charge) => drop(self.give_up(&charge).await.unwrap()),
                Request::Refund(refund) => drop(self.refund(&refund).await.unwrap()),
            }
        }
    }
}
