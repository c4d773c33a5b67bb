//! A state of the model: the rows, the charges at the gateway, and the unfinished work of each process.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use lease_core::gateway::ChargeOutcome;
use lease_core::id::{PaymentId, Stored};
use lease_core::invariants::Books;
use lease_core::invoicing::settle_payment;
use lease_core::lifecycle::TradeSnapshot;
use lease_core::model::{Invoice, Payment, PaymentState};
use lease_core::money::Money;
use lease_core::permission::Actor;
use lease_core::repository::TradeKey;

use super::fault::Fault;
use crate::world::{Decided, World};

/// Somebody who acts step by step: a person by number, or a clerk who settles pending payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Process {
    Person(usize),
    Clerk(usize),
}

/// The unfinished work of a process.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Task {
    /// The process has loaded and decided, and will commit. This is stale once the trade has changed.
    Commit { decided: Rc<Decided>, is_stale: bool },
    /// The process has stored the payment as pending, and will have the card charged.
    Charge(PaymentId),
    /// The process knows the outcome of the charge, and will store it.
    Settle(PaymentId, bool),
}

/// The outcome of a charge at the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Charged {
    pub(crate) is_taken: bool,
    /// The number of charges under one key. The key exists to prevent more than one.
    pub(crate) times: u8,
    pub(crate) amount: Money,
}

#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    /// By payment, each of which has a key of its own.
    pub(crate) charges: BTreeMap<PaymentId, Charged>,
    /// Charges on their way to the gateway whose response nobody waits for.
    pub(crate) on_the_way: BTreeSet<PaymentId>,
    pub(crate) tasks: BTreeMap<Process, Task>,
    pub(crate) is_fee_changed: bool,
}

impl Hash for State {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { world, charges, on_the_way, tasks, is_fee_changed } = self;
        let Books { services, vehicles, trades, proposals, invoices, payments, cards: _, steps: _, past } = &world.books;
        (trades, proposals, invoices, payments, world.now).hash(state);
        (charges, on_the_way, tasks, is_fee_changed, &past.fees).hash(state);
        for service in services {
            service.fee.hash(state);
        }
        for vehicle in vehicles {
            vehicle.customer_id.hash(state);
        }
    }
}

impl State {
    /// Whether no process has unfinished work.
    pub(crate) fn at_rest(world: World) -> Self {
        Self { world, charges: BTreeMap::new(), on_the_way: BTreeSet::new(), tasks: BTreeMap::new(), is_fee_changed: false }
    }

    pub(crate) fn payment(&self, id: PaymentId) -> &Stored<Payment> {
        self.world.books.payments.iter().find(|payment| payment.id == id).expect("a payment that was begun is there")
    }

    pub(crate) fn pending(&self) -> impl Iterator<Item = PaymentId> {
        let pending = self.world.books.payments.iter().filter(|payment| payment.state == PaymentState::Pending);
        pending.map(|payment| payment.id)
    }

    /// The gateway receives a charge. The first one under a key decides the outcome, unless the gateway has a fault.
    pub(crate) fn charge(&mut self, id: PaymentId, would_succeed: bool, fault: Fault) -> bool {
        let amount = self.payment(id).amount;
        match self.charges.get_mut(&id) {
            Some(known) if !matches!(fault, Fault::ForgetfulGateway) => known.is_taken,
            Some(known) => {
                known.times += u8::from(would_succeed);
                known.is_taken |= would_succeed;
                would_succeed
            }
            None => {
                self.charges.insert(id, Charged { is_taken: would_succeed, times: u8::from(would_succeed), amount });
                would_succeed
            }
        }
    }

    /// The changes that store the outcome of a charge; `None` if it is stored already.
    pub(crate) fn settlement(&self, id: PaymentId, is_taken: bool, fault: Fault) -> Option<Decided> {
        let reference = format!("ch_{id}");
        let outcome = if is_taken {
            ChargeOutcome::Succeeded { reference }
        } else {
            ChargeOutcome::Declined { failure_code: "card_declined".into(), reference }
        };
        let settle = |snapshot: &TradeSnapshot| {
            let decision = settle_payment(&fault.seen(snapshot, Actor::Gateway), &outcome, self.world.now).transpose()?;
            Some(decision.map(|decision| fault.written(decision.changes)))
        };
        self.world.decide(TradeKey::Payment(id), None, None, settle)?.ok()
    }

    /// Commits a decision; all other decisions on the same trade are now stale.
    pub(crate) fn write(&mut self, decided: &Decided) {
        self.world.write(decided);
        for task in self.tasks.values_mut() {
            if let Task::Commit { decided: other, is_stale } = task {
                *is_stale |= other.trade == decided.trade;
            }
        }
    }

    /// The differences between the stored payments and the charges.
    fn money(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for payment in &self.world.books.payments {
            let charged = self.charges.get(&payment.id);
            let taken = charged.is_some_and(|charged| charged.is_taken);
            let fits = match payment.state {
                PaymentState::Pending => true,
                PaymentState::Succeeded { .. } => taken && charged.is_some_and(|charged| charged.amount == payment.amount),
                PaymentState::Failed { .. } => !taken,
            };
            if !fits {
                wrong.push(format!("charge lost: {payment:?} was {charged:?}"));
            }
            if charged.is_some_and(|charged| charged.times > 1) {
                wrong.push(format!("charge doubled: {payment:?} was {charged:?}"));
            }
        }
        wrong.extend(self.world.books.invoices.iter().filter_map(|invoice| self.too_much(invoice)));
        wrong
    }

    fn too_much(&self, invoice: &Stored<Invoice>) -> Option<String> {
        let taken = self.charges.iter().filter(|(id, charged)| charged.is_taken && self.payment(**id).invoice_id == invoice.id);
        let taken: rust_decimal::Decimal = taken.map(|(_, charged)| charged.amount.amount()).sum();
        (taken > invoice.amount.amount()).then(|| format!("charge too high: {taken} taken for {invoice:?}"))
    }

    /// All processes die, and another one settles their pending payments.
    fn recovered(&self, fault: Fault) -> Self {
        let mut state = Self { tasks: BTreeMap::new(), ..self.clone() };
        for id in state.on_the_way.clone() {
            state.charge(id, true, fault);
        }
        for id in state.pending().collect::<Vec<_>>() {
            let known = state.charges.get(&id).map(|charged| charged.is_taken);
            let is_taken = known.unwrap_or_else(|| state.charge(id, true, fault));
            if let Some(decided) = state.settlement(id, is_taken, fault) {
                state.write(&decided);
            }
        }
        state
    }

    /// All errors of this state, and of the state after a crash.
    pub(crate) fn faults(&self, fault: Fault) -> Vec<String> {
        let mut wrong = self.world.books.violations();
        wrong.extend(super::rules::broken(&self.world));
        wrong.extend(self.money());
        if wrong.is_empty() && self.pending().next().is_some() {
            let recovered = self.recovered(fault);
            wrong = recovered.world.books.violations();
            wrong.extend(recovered.money());
            wrong.extend(recovered.pending().map(|id| format!("payment {id} is not settled")));
        }
        wrong
    }
}
