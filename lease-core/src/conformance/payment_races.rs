//! Races of a payment or a refund with others and with the end of an invoice, a card or a payment under way, at two processes: what
//! is recorded is what the gateway has charged and given back.
//!
//! Rules 5.3 to 5.7.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{Datelike as _, Duration};
use rust_decimal::Decimal;

use super::Handles;
use super::build::*;
use super::processes::{Act, Processes, ROUNDS, count};
use super::race::together;
use crate::engine::PayerDraft;
use crate::gateway::{
    CardDetails, Charge, ChargeKey, ChargeOutcome, GatewayError, GatewayInfo, PayerOutcome, PaymentGateway, RefundKey,
    RefundOutcome, RefundRequest, SandboxGateway, Tokenization,
};
use crate::id::{CreditCardId, InvoiceId, PaymentId, ServiceId, TradeId, Version};
use crate::invariants::Books;
use crate::invoicing::{PaymentCancellationDraft, PaymentDraft, RefundDraft, VoidDraft};
use crate::model::{InvoiceState, PaymentState, PaymentStatus, RefundState, Role, ServiceKind};
use crate::permission::Actor;
use crate::repository::{PaymentFilter, TradeKey};

/// The number of payments at the same time.
const PAYERS: usize = 6;

pub async fn one_of_many_pays_in_full(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let (_, invoice) = race.bill().await;
        let counts = count((0..PAYERS).map(|_| race.pay(invoice, race.card, None)).collect()).await;
        // The others came while that payment was pending, or after the invoice was paid.
        let [pending, paid] = ["payment_pending", "invoice_not_open"].map(|code| counts.get(code).copied().unwrap_or(0));
        assert_eq!((counts["ok"], pending + paid), (1, PAYERS - 1), "{counts:?}");
    }
    race.assert_paid(*ROUNDS, *ROUNDS).await;
}

/// Three payments of 30.00 fit into 100.00.
pub async fn part_payments_never_overshoot(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let (_, invoice) = race.bill().await;
        let counts = count((0..PAYERS).map(|_| race.pay(invoice, race.card, Some(30))).collect()).await;
        assert_eq!(counts, [("ok", 3), ("validation_error", PAYERS - 3)].into());
    }
    race.assert_paid(*ROUNDS * 3, 0).await;
}

pub async fn voiding_and_paying_exclude_each_other(handles: Handles) {
    let race = Race::start(handles).await;
    let staff = race.processes.actor(Role::Staff).await;
    let mut paid = 0;
    for _ in 0..*ROUNDS {
        let (_, invoice) = race.bill().await;
        let reason = VoidDraft { reason: "a mistake".into() };
        let mut acts = vec![race.processes.act(|engine| async move { engine.void_invoice(&staff, invoice, &reason).await })];
        acts.extend((0..3).map(|_| race.pay(invoice, race.card, Some(30))));
        let responses = together(acts).await;
        match responses[..] {
            ["ok", ref pays @ ..] => assert!(pays.iter().all(|pay| *pay == "invoice_not_open"), "{responses:?}"),
            ["invoice_has_payments", ref pays @ ..] => {
                assert!(pays.iter().all(|pay| *pay == "ok"), "{responses:?}");
                paid += pays.len();
            }
            _ => panic!("{responses:?}"),
        }
    }
    race.assert_paid(paid, 0).await;
}

/// A payment that was begun before the deletion continues; none can be begun afterwards.
pub async fn a_card_that_is_deleted_meanwhile_pays_or_is_refused(handles: Handles) {
    let race = Race::start(handles).await;
    let owner = race.owner;
    let mut paid = 0;
    for _ in 0..*ROUNDS {
        let (_, invoice) = race.bill().await;
        let card = race.processes.card(&owner, 9999).await;
        let mut acts = vec![race.processes.act(|engine| async move { engine.delete_card(&owner, card).await })];
        acts.extend((0..3).map(|_| race.pay(invoice, card, Some(30))));
        let responses = together(acts).await;
        let (deleted, pays) = responses.split_first().unwrap();
        assert!(*deleted == "ok" && pays.iter().all(|pay| ["ok", "card_not_usable"].contains(pay)), "{responses:?}");
        paid += pays.iter().filter(|pay| **pay == "ok").count();
        assert_eq!(count(vec![race.pay(invoice, card, Some(1))]).await, [("card_not_usable", 1)].into());
    }
    race.assert_paid(paid, 0).await;
}

/// The clock passes the end of the month in which the card expires.
pub async fn a_card_that_expires_meanwhile_pays_in_time_or_is_refused(handles: Handles) {
    let race = Race::start(handles).await;
    let clock = Arc::clone(&race.processes.clock);
    let mut paid = 0;
    for round in 0..*ROUNDS {
        let year = base().year() + i32::try_from(round).unwrap();
        let new_year = base().with_day(1).unwrap().with_month(1).unwrap().with_year(year + 1).unwrap();
        clock.set(new_year - Duration::days(1));
        let (_, invoice) = race.bill().await;
        let card = race.processes.card(&race.owner, year).await;
        let moves = Arc::clone(&clock);
        let time_passes: Act = Box::pin(async move {
            moves.set(new_year);
            "passed"
        });
        let mut acts: Vec<_> = (0..3).map(|_| race.pay(invoice, card, Some(30))).collect();
        acts.insert(1, time_passes);
        let counts = count(acts).await;
        let [ok, refused] = ["ok", "card_not_usable"].map(|code| counts.get(code).copied().unwrap_or(0));
        assert_eq!(ok + refused, 3, "{counts:?}");
        paid += ok;
    }
    let books = race.assert_paid(paid, 0).await;
    for payment in &books.payments {
        let card = books.cards.iter().find(|card| card.id == payment.credit_card_id).unwrap();
        assert_eq!(payment.created_at.year(), card.exp_year, "begun before the card expired");
    }
}

/// The gateway's response is lost; two processes then recover the payment at once, twice each.
pub async fn many_recoveries_settle_once(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let (trade, invoice) = race.bill().await;
        race.gateway.is_silent.store(true, Ordering::Relaxed);
        assert_eq!(count(vec![race.pay(invoice, race.card, None)]).await, [("ok", 1)].into());
        race.gateway.is_silent.store(false, Ordering::Relaxed);
        let before = race.version(trade).await;
        let counts = count((0..4).map(|_| race.recover()).collect()).await;
        assert_eq!(counts, [("ok", 4)].into());
        assert_eq!(race.version(trade).await, before.next(), "it was settled once");
    }
    race.assert_paid(*ROUNDS, *ROUNDS).await;
}

/// The card was just charged, and the response is on its way, when others try to recover the payment.
pub async fn recoveries_and_who_pays_settle_once(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let (trade, invoice) = race.bill().await;
        let Version(before) = race.version(trade).await;
        let acts = vec![race.pay(invoice, race.card, None), race.recover(), race.recover(), race.recover()];
        assert_eq!(count(acts).await, [("ok", 4)].into());
        assert_eq!(race.version(trade).await, Version(before + 2), "it was begun once, and settled once");
    }
    race.assert_paid(*ROUNDS, *ROUNDS).await;
}

/// The payer confirms, and staff and the payer cancel, all at once: either the money is taken and nobody has cancelled, or it is
/// not, and whoever asked is told.
pub async fn confirming_and_cancelling_exclude_each_other(handles: Handles) {
    let race = Race::start(handles).await;
    let (owner, staff) = (race.owner, race.processes.actor(Role::Staff).await);
    let card = race.processes.card_with(&owner, "sandbox_asks_payer").await;
    let (mut ids, mut ends) = (Vec::new(), BTreeMap::<_, usize>::new());
    for round in 0..*ROUNDS {
        let (_, invoice) = race.bill().await;
        assert_eq!(count(vec![race.pay(invoice, card, None)]).await, [("ok", 1)].into());
        let id = race.waiting().await;
        let draft = PayerDraft { outcome: "succeed".into() };
        let mut acts = vec![
            race.processes
                .act(|engine| async move { engine.cancel_payment(&owner, id, &PaymentCancellationDraft::default()).await }),
            race.processes
                .act(|engine| async move { engine.cancel_payment(&staff, id, &PaymentCancellationDraft::default()).await }),
            race.processes.act(|engine| async move { engine.settle_waiting(100).await }),
        ];
        acts.insert(round % 3, race.processes.act(|engine| async move { engine.act_as_payer(&owner, id, &draft).await }));
        let mut responses = together(acts).await;
        let confirmed = responses.remove(round % 3);
        let payment = race.processes.engine().get_payment(&owner, id).await.unwrap().stored;
        let status = PaymentStatus::from(&payment.state);
        *ends.entry(status.to_string()).or_default() += 1;
        assert!(["ok", "payment_settled"].contains(&confirmed), "{confirmed}");
        let expected = if status == PaymentStatus::Cancelled { ["ok", "payment_settled"] } else { ["payment_settled"; 2] };
        assert!(responses[..2].iter().all(|response| expected.contains(response)), "{responses:?} of one that is {status}");
        if status == PaymentStatus::Succeeded {
            ids.push(id);
        }
    }
    let books = race.processes.books().await;
    assert_eq!(books.payments.len(), *ROUNDS);
    let taken = books.payments.iter().filter(|payment| ids.contains(&payment.id));
    let taken: BTreeMap<_, _> = taken.map(|payment| (payment.charge_key.clone(), payment.amount.amount())).collect();
    assert_eq!(taken, *race.gateway.taken.lock().unwrap(), "{ends:?}");
}

/// Staff refund the whole payment, all at once.
pub async fn one_of_many_refunds_the_whole_payment(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let payment = race.paid().await;
        let counts = count((0..PAYERS).map(|_| race.refund(payment, None)).collect()).await;
        assert_eq!(counts, [("ok", 1), ("payment_refunded", PAYERS - 1)].into());
    }
    race.assert_refunded(*ROUNDS).await;
}

/// Three refunds of 30.00 fit into 100.00.
pub async fn part_refunds_never_overshoot(handles: Handles) {
    let race = Race::start(handles).await;
    for _ in 0..*ROUNDS {
        let payment = race.paid().await;
        let counts = count((0..PAYERS).map(|_| race.refund(payment, Some(30))).collect()).await;
        assert_eq!(counts, [("ok", 3), ("validation_error", PAYERS - 3)].into());
    }
    race.assert_refunded(*ROUNDS * 3).await;
}

/// The gateway's response is lost, or on its way, when others settle the refund.
pub async fn recoveries_and_who_refunds_settle_once(handles: Handles) {
    let race = Race::start(handles).await;
    for round in 0..*ROUNDS {
        let payment = race.paid().await;
        race.gateway.is_silent.store(round % 2 == 0, Ordering::Relaxed);
        let acts = vec![race.refund(payment, None), race.recover(), race.recover(), race.recover()];
        assert_eq!(count(acts).await, [("ok", 4)].into());
        race.gateway.is_silent.store(false, Ordering::Relaxed);
        assert_eq!(count((0..3).map(|_| race.recover()).collect()).await, [("ok", 3)].into());
    }
    race.assert_refunded(*ROUNDS).await;
}

/// An owner who has a card and is billed for one lease after another.
pub(super) struct Race {
    pub(super) processes: Processes,
    gateway: Arc<CountingGateway>,
    pub(super) owner: Actor,
    staff: Actor,
    pub(super) card: CreditCardId,
    lease: ServiceId,
}

impl Race {
    pub(super) async fn start(handles: Handles) -> Self {
        let gateway = Arc::new(CountingGateway::default());
        let processes = Processes::with_gateway(handles, &(gateway.clone() as _));
        let lease = processes.world.service(ServiceKind::Lease).await;
        let owner = processes.actor(Role::Customer).await;
        let (staff, card) = (processes.actor(Role::Staff).await, processes.card(&owner, 9999).await);
        Self { processes, gateway, owner, staff, card, lease }
    }

    pub(super) async fn bill(&self) -> (TradeId, InvoiceId) {
        self.processes.bill(&self.owner, self.lease).await
    }

    /// The owner pays everything that is due, or this amount.
    pub(super) fn pay(&self, invoice: InvoiceId, card: CreditCardId, amount: Option<i64>) -> Act {
        let (owner, amount) = (self.owner, amount.map(|amount| Decimal::from(amount).into()).unwrap_or_default());
        let draft = PaymentDraft { credit_card_id: card.into(), amount, ..PaymentDraft::default() };
        self.processes.act(|engine| async move { engine.pay_invoice(&owner, invoice, &draft).await })
    }

    /// A process settles all pending payments, however recent.
    fn recover(&self) -> Act {
        self.processes.act(|engine| async move { engine.settle_pending(Duration::seconds(-1), 100).await })
    }

    /// A payment of the owner's over 100.00 that has succeeded.
    async fn paid(&self) -> PaymentId {
        let (_, invoice) = self.bill().await;
        let draft = PaymentDraft { credit_card_id: self.card.into(), ..PaymentDraft::default() };
        self.processes.engine().pay_invoice(&self.owner, invoice, &draft).await.unwrap().stored.id
    }

    /// Staff refund all that is left, or this amount.
    fn refund(&self, payment: PaymentId, amount: Option<i64>) -> Act {
        let (staff, amount) = (self.staff, amount.map(|amount| Decimal::from(amount).into()).unwrap_or_default());
        let draft = RefundDraft { amount, reason: "other".into(), ..RefundDraft::default() };
        self.processes.act(|engine| async move { engine.refund_payment(&staff, payment, &draft).await })
    }

    /// The payment that waits for its payer.
    async fn waiting(&self) -> PaymentId {
        let filter = PaymentFilter { status: Some(PaymentStatus::RequiresAction), ..PaymentFilter::default() };
        self.processes.world.list_payments(&filter).await[0].id
    }

    /// Asserts that there are this many refunds, that all of them succeeded, and that each was given back once.
    async fn assert_refunded(&self, refunds: usize) {
        let books = self.processes.books().await;
        assert_eq!(books.refunds.len(), refunds);
        assert!(books.refunds.iter().all(|refund| matches!(refund.state, RefundState::Succeeded { .. })));
        let given: BTreeMap<_, _> = books.refunds.iter().map(|row| (row.refund_key.clone(), row.amount.amount())).collect();
        assert_eq!(given, *self.gateway.given_back.lock().unwrap(), "recorded refunds and those at the gateway");
    }

    async fn version(&self, trade: TradeId) -> Version {
        self.processes.world.load(TradeKey::Trade(trade)).await.version
    }

    /// Asserts the number of payments that succeeded and of invoices that are paid, that there are no others, and that each
    /// payment was charged once.
    pub(super) async fn assert_paid(&self, payments: usize, invoices: usize) -> Books {
        let books = self.processes.books().await;
        let paid = books.invoices.iter().filter(|invoice| matches!(invoice.state, InvoiceState::Paid { .. })).count();
        assert_eq!((books.payments.len(), paid), (payments, invoices));
        assert!(books.payments.iter().all(|payment| matches!(payment.state, PaymentState::Succeeded { .. })));
        let charged: BTreeMap<_, _> = books.payments.iter().map(|row| (row.charge_key.clone(), row.amount.amount())).collect();
        assert_eq!(charged, *self.gateway.taken.lock().unwrap(), "recorded payments and charges at the gateway");
        books
    }
}

/// The sandbox, with slow responses and a record of the money that it took and gave back.
#[derive(Debug, Default)]
struct CountingGateway {
    sandbox: SandboxGateway,
    taken: Mutex<BTreeMap<ChargeKey, Decimal>>,
    given_back: Mutex<BTreeMap<RefundKey, Decimal>>,
    /// Whether its responses are lost.
    is_silent: AtomicBool,
}

#[async_trait]
impl PaymentGateway for CountingGateway {
    fn info(&self) -> GatewayInfo {
        self.sandbox.info()
    }

    async fn tokenize(&self, card: &CardDetails) -> Result<Tokenization, GatewayError> {
        self.sandbox.tokenize(card).await
    }

    async fn charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let outcome = self.sandbox.charge(charge).await?;
        self.count(charge, &outcome);
        self.respond(outcome).await
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.sandbox.find_charge(charge).await
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        let outcome = self.sandbox.cancel_charge(charge).await?;
        self.respond(outcome).await
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        let outcome = self.sandbox.refund(refund).await?;
        if matches!(outcome, RefundOutcome::Succeeded { .. }) {
            self.given_back.lock().unwrap().insert(refund.key.clone(), refund.amount.amount());
        }
        self.respond(outcome).await
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        self.sandbox.find_refund(refund).await
    }

    fn act_as_payer(&self, charge: &Charge, outcome: PayerOutcome) -> Option<ChargeOutcome> {
        let outcome = self.sandbox.act_as_payer(charge, outcome)?;
        self.count(charge, &outcome);
        Some(outcome)
    }
}

impl CountingGateway {
    fn count(&self, charge: &Charge, outcome: &ChargeOutcome) {
        if matches!(outcome, ChargeOutcome::Succeeded { .. }) {
            self.taken.lock().unwrap().insert(charge.key.clone(), charge.amount.amount());
        }
    }

    async fn respond<T>(&self, outcome: T) -> Result<T, GatewayError> {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        if self.is_silent.load(Ordering::Relaxed) { Err(GatewayError::new("nobody hears it")) } else { Ok(outcome) }
    }
}
