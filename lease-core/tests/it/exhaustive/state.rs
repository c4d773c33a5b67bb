//! A state of the model: the rows, the money at the gateway, and the unfinished work of each process.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use lease_core::id::{PaymentId, RefundId, Stored};
use lease_core::invariants::Books;
use lease_core::invoicing::{settle_payment, settle_refund};
use lease_core::lifecycle::TradeSnapshot;
use lease_core::model::{Invoice, Payment, PaymentState, Refund, RefundState};
use lease_core::money::Money;
use lease_core::permission::Actor;
use lease_core::repository::TradeKey;
use rust_decimal::Decimal;

use super::fault::Fault;
use crate::world::{Decided, Said, World};

/// Somebody who acts step by step: a person by number, or a clerk who settles payments and refunds under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Process {
    Person(usize),
    Clerk(usize),
}

/// Money that moves under a key of its own at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Moving {
    Payment(PaymentId),
    Refund(RefundId),
}

/// What the gateway is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Request {
    /// To charge the card, or to give the money back.
    Move(Moving),
    /// To give up a charge that waits for its payer.
    GiveUp(PaymentId),
}

/// What the gateway has said.
pub(crate) type Answer = (Moving, Said);

/// The unfinished work of a process.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Task {
    /// The process has loaded and decided, and will commit. This is stale once the trade has changed. What the gateway has said is
    /// decided again then.
    Commit { decided: Rc<Decided>, answer: Option<Answer>, is_stale: bool },
    /// The process has stored what it is about to do, and will tell the gateway.
    Send(Request),
    /// The process knows what the gateway has said, and will store it.
    Settle(Answer),
}

/// Money at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Moved {
    pub(crate) said: Said,
    /// The number of times that money moved under one key. The key exists to prevent more than one.
    pub(crate) times: u8,
    pub(crate) amount: Money,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) gateway: BTreeMap<Moving, Moved>,
    /// Requests on their way to the gateway whose response nobody waits for.
    pub(crate) on_the_way: BTreeSet<Request>,
    pub(crate) tasks: BTreeMap<Process, Task>,
    pub(crate) is_fee_changed: bool,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { world, gateway, on_the_way, tasks, is_fee_changed } = self;
        let Books { services, vehicles, trades, proposals, invoices, payments, refunds, cards: _, steps: _, past } = &world.books;
        (trades, proposals, invoices, payments, refunds, world.now).hash(state);
        (gateway, on_the_way, tasks, is_fee_changed, &past.fees).hash(state);
        for service in services {
            service.fee.hash(state);
        }
        for vehicle in vehicles {
            vehicle.customer_id.hash(state);
        }
    }
}

impl State {
    /// No process has unfinished work, and the gateway knows the payments that are there.
    pub(crate) fn at_rest(world: World) -> Self {
        let paid = world.books.payments.iter().map(|payment| {
            let moved = Moved { said: Said::Taken, times: 1, amount: payment.amount };
            (Moving::Payment(payment.id), moved)
        });
        let gateway = paid.collect();
        Self { world, gateway, on_the_way: BTreeSet::new(), tasks: BTreeMap::new(), is_fee_changed: false }
    }

    pub(crate) fn payment(&self, id: PaymentId) -> &Stored<Payment> {
        self.world.books.payments.iter().find(|payment| payment.id == id).expect("a payment that was begun is there")
    }

    fn refund(&self, id: RefundId) -> &Stored<Refund> {
        self.world.books.refunds.iter().find(|refund| refund.id == id).expect("a refund that was begun is there")
    }

    fn amount(&self, moving: Moving) -> Money {
        match moving {
            Moving::Payment(id) => self.payment(id).amount,
            Moving::Refund(id) => self.refund(id).amount,
        }
    }

    /// What was begun, and of which it is not stored what the gateway has said.
    pub(crate) fn pending(&self) -> impl Iterator<Item = Moving> {
        let books = &self.world.books;
        let payments = books.payments.iter().filter(|payment| payment.state == PaymentState::Pending);
        let refunds = books.refunds.iter().filter(|refund| refund.state == RefundState::Pending);
        payments.map(|payment| Moving::Payment(payment.id)).chain(refunds.map(|refund| Moving::Refund(refund.id)))
    }

    /// The payments that wait for their payers.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Stored<Payment>> {
        self.world.books.payments.iter().filter(|payment| matches!(payment.state, PaymentState::RequiresAction(_)))
    }

    /// Whether it is stored what came of it.
    pub(crate) fn is_settled(&self, moving: Moving) -> bool {
        match moving {
            Moving::Payment(id) => !self.payment(id).state.is_under_way(),
            Moving::Refund(id) => self.refund(id).state != RefundState::Pending,
        }
    }

    pub(crate) fn said(&self, moving: Moving) -> Option<Said> {
        self.gateway.get(&moving).map(|moved| moved.said)
    }

    /// The gateway receives a request. The first one under a key decides, unless the gateway has a fault.
    pub(crate) fn receive(&mut self, request: Request, would_say: Said, fault: Fault) -> Answer {
        let (moving, is_new) = match request {
            Request::Move(moving) => (moving, matches!(fault, Fault::ForgetfulGateway)),
            Request::GiveUp(payment) => (Moving::Payment(payment), false),
        };
        let amount = self.amount(moving);
        let times = u8::from(would_say == Said::Taken);
        let moved = match self.gateway.get_mut(&moving) {
            None => self.gateway.entry(moving).or_insert(Moved { said: would_say, times, amount }),
            Some(known) if is_new => {
                *known = Moved { said: would_say, times: known.times + times, amount };
                known
            }
            Some(known) => known,
        };
        if matches!(request, Request::GiveUp(_)) && moved.said == Said::Waits {
            moved.said = Said::GivenUp;
        }
        (moving, moved.said)
    }

    /// The payer does their part in a charge that waits for them, or fails to.
    pub(crate) fn payer_acts(&mut self, payment: PaymentId, succeeds: bool) {
        if let Some(moved) = self.gateway.get_mut(&Moving::Payment(payment)) {
            moved.said = if succeeds { Said::Taken } else { Said::Declined };
            moved.times += u8::from(succeeds);
        }
    }

    /// The changes that store what the gateway has said; `None` if that is stored already.
    pub(crate) fn settlement(&self, (moving, said): Answer, fault: Fault) -> Option<Decided> {
        let now = self.world.now;
        let settle = |snapshot: &TradeSnapshot| {
            let snapshot = fault.seen(snapshot, Actor::Gateway);
            let decision = match moving {
                Moving::Payment(id) => settle_payment(&snapshot, &said.of_charge(id), now),
                Moving::Refund(id) => settle_refund(&snapshot, &said.of_refund(id), now),
            };
            Some(decision.transpose()?.map(|decision| fault.written(decision.changes)))
        };
        let key = match moving {
            Moving::Payment(id) => TradeKey::Payment(id),
            Moving::Refund(id) => TradeKey::Refund(id),
        };
        self.world.decide(key, None, None, settle)?.ok()
    }

    /// Commits a decision; all other decisions on the same trade are now stale.
    pub(crate) fn write(&mut self, decided: &Decided) {
        self.world.write(decided);
        for task in self.tasks.values_mut() {
            if let Task::Commit { decided: other, is_stale, .. } = task {
                *is_stale |= other.trade == decided.trade;
            }
        }
    }

    /// The differences between the rows and the money at the gateway.
    fn money(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for payment in &self.world.books.payments {
            let said = self.said(Moving::Payment(payment.id));
            let fits = match payment.state {
                PaymentState::Pending => true,
                PaymentState::RequiresAction(_) => said.is_some(),
                PaymentState::Succeeded { .. } => said == Some(Said::Taken),
                PaymentState::Failed { .. } => !matches!(said, Some(Said::Taken | Said::Waits)),
                PaymentState::Cancelled { .. } => said == Some(Said::GivenUp),
            };
            if !fits {
                wrong.push(format!("charge lost: {payment:?} was {said:?}"));
            }
        }
        for refund in &self.world.books.refunds {
            let said = self.said(Moving::Refund(refund.id));
            let fits = match refund.state {
                RefundState::Pending => true,
                RefundState::Succeeded { .. } => said == Some(Said::Taken),
                RefundState::Failed { .. } => said != Some(Said::Taken),
            };
            if !fits {
                wrong.push(format!("refund lost: {refund:?} was {said:?}"));
            }
        }
        for (moving, moved) in &self.gateway {
            if moved.times > 1 {
                wrong.push(format!("money moved twice: {moving:?} was {moved:?}"));
            }
            if moved.amount != self.amount(*moving) {
                wrong.push(format!("another amount: {moving:?} was {moved:?}"));
            }
        }
        wrong.extend(self.world.books.invoices.iter().filter_map(|invoice| self.too_much_taken(invoice)));
        wrong.extend(self.world.books.payments.iter().filter_map(|payment| self.too_much_given_back(payment)));
        wrong
    }

    /// The sum of the money that moved.
    fn sum(&self, wanted: impl Fn(&Moving) -> bool) -> Decimal {
        let moved = self.gateway.iter().filter(|(moving, moved)| moved.said == Said::Taken && wanted(moving));
        moved.map(|(_, moved)| moved.amount.amount()).sum()
    }

    fn too_much_taken(&self, invoice: &Stored<Invoice>) -> Option<String> {
        let taken = self.sum(|moving| matches!(moving, Moving::Payment(id) if self.payment(*id).invoice_id == invoice.id));
        (taken > invoice.amount.amount()).then(|| format!("charge too high: {taken} taken for {invoice:?}"))
    }

    fn too_much_given_back(&self, payment: &Stored<Payment>) -> Option<String> {
        let back = self.sum(|moving| matches!(moving, Moving::Refund(id) if self.refund(*id).payment_id == payment.id));
        (back > payment.amount.amount()).then(|| format!("refund too high: {back} given back of {payment:?}"))
    }

    /// All processes die, and another one settles what was under way; payers have waited too long.
    fn recovered(&self, fault: Fault) -> Self {
        let mut state = Self { tasks: BTreeMap::new(), ..self.clone() };
        for request in state.on_the_way.clone() {
            state.receive(request, Said::Taken, fault);
        }
        for moving in state.pending().collect::<Vec<_>>() {
            let said = state.said(moving).unwrap_or_else(|| state.receive(Request::Move(moving), Said::Taken, fault).1);
            state.store((moving, said), fault);
        }
        for id in state.waiting().map(|payment| payment.id).collect::<Vec<_>>() {
            let answer = state.receive(Request::GiveUp(id), Said::GivenUp, fault);
            state.store(answer, fault);
        }
        state
    }

    fn store(&mut self, answer: Answer, fault: Fault) {
        if let Some(decided) = self.settlement(answer, fault) {
            self.write(&decided);
        }
    }

    fn is_under_way(&self) -> bool {
        self.pending().next().is_some() || self.waiting().next().is_some()
    }

    /// All errors of this state, and of the state after a crash.
    pub(crate) fn faults(&self, fault: Fault) -> Vec<String> {
        let mut wrong = self.world.books.violations();
        wrong.extend(super::rules::broken(&self.world));
        wrong.extend(self.money());
        if wrong.is_empty() && self.is_under_way() {
            let recovered = self.recovered(fault);
            wrong = recovered.world.books.violations();
            wrong.extend(recovered.money());
            wrong.extend(recovered.is_under_way().then(|| "not settled: money is under way after a recovery".to_owned()));
        }
        wrong
    }
}
