//! Races of a payment with other payments and with the end of an invoice, a card or a pending payment, at two processes: the
//! recorded payments are those that the gateway charged.
//!
//! Rules 5.3 to 5.6.

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
use crate::gateway::{
    CardDetails, Charge, ChargeKey, ChargeOutcome, GatewayError, GatewayInfo, PaymentGateway, RefundOutcome, RefundRequest,
    SandboxGateway, Tokenization,
};
use crate::id::{CreditCardId, InvoiceId, ServiceId, TradeId, Version};
use crate::invariants::Books;
use crate::invoicing::{PaymentDraft, VoidDraft};
use crate::model::{InvoiceState, PaymentState, Role, ServiceKind};
use crate::permission::Actor;
use crate::repository::TradeKey;

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

/// An owner who has a card and is billed for one lease after another.
pub(super) struct Race {
    pub(super) processes: Processes,
    gateway: Arc<CountingGateway>,
    pub(super) owner: Actor,
    pub(super) card: CreditCardId,
    lease: ServiceId,
}

impl Race {
    pub(super) async fn start(handles: Handles) -> Self {
        let gateway = Arc::new(CountingGateway::default());
        let processes = Processes::with_gateway(handles, &(gateway.clone() as _));
        let lease = processes.world.service(ServiceKind::Lease).await;
        let owner = processes.actor(Role::Customer).await;
        let card = processes.card(&owner, 9999).await;
        Self { processes, gateway, owner, card, lease }
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

/// The sandbox, with slow responses and a record of the charges that it made.
#[derive(Debug, Default)]
struct CountingGateway {
    sandbox: SandboxGateway,
    taken: Mutex<BTreeMap<ChargeKey, Decimal>>,
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
        self.taken.lock().unwrap().insert(charge.key.clone(), charge.amount.amount());
        let outcome = self.sandbox.charge(charge).await?;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        if self.is_silent.load(Ordering::Relaxed) { Err(GatewayError::new("nobody hears it")) } else { Ok(outcome) }
    }

    async fn find_charge(&self, charge: &Charge) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.sandbox.find_charge(charge).await
    }

    async fn cancel_charge(&self, charge: &Charge) -> Result<ChargeOutcome, GatewayError> {
        self.sandbox.cancel_charge(charge).await
    }

    async fn refund(&self, refund: &RefundRequest) -> Result<RefundOutcome, GatewayError> {
        self.sandbox.refund(refund).await
    }

    async fn find_refund(&self, refund: &RefundRequest) -> Result<Option<RefundOutcome>, GatewayError> {
        self.sandbox.find_refund(refund).await
    }
}
