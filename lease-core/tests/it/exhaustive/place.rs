//! A state of the model: the rows, what the gateway knows, and what everybody is in the middle of.

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

/// Who does something step by step: a person by number, or one of those who settle what is pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Process {
    Person(usize),
    Clerk(usize),
}

/// What a process is in the middle of.
#[derive(Clone, Debug, Hash)]
pub(crate) enum Task {
    /// Has loaded and decided, and will commit. It is stale once the trade has moved.
    Commit { decided: Rc<Decided>, is_stale: bool },
    /// Has written the payment as pending, and will have the card charged.
    Charge(PaymentId),
    /// Knows what became of the charge, and will write it down.
    Settle(PaymentId, bool),
}

/// What the gateway did under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Charged {
    pub(crate) is_taken: bool,
    /// How often; more than once is what the key is there to prevent.
    pub(crate) times: u8,
    pub(crate) amount: Money,
}

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) world: World,
    /// By the payment, each of which has a key of its own.
    pub(crate) charges: BTreeMap<PaymentId, Charged>,
    /// Charges on their way to the gateway, whose response nobody waits for any more.
    pub(crate) on_the_way: BTreeSet<PaymentId>,
    pub(crate) tasks: BTreeMap<Process, Task>,
    pub(crate) is_fee_changed: bool,
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { world, charges, on_the_way, tasks, is_fee_changed } = self;
        let Books { services, vehicles, trades, proposals, invoices, payments, cards: _, past } = &world.books;
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

impl Place {
    /// Nobody is in the middle of anything.
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

    /// The gateway gets a charge: the first one under a key decides what becomes of it, if it is a gateway as it should be.
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

    /// What writing down the outcome of a charge comes to; `None` where it is written already.
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

    /// Writes what was decided; whoever else has decided on the same trade is too late.
    pub(crate) fn write(&mut self, decided: &Decided) {
        self.world.write(decided);
        for task in self.tasks.values_mut() {
            if let Task::Commit { decided: other, is_stale } = task {
                *is_stale |= other.trade == decided.trade;
            }
        }
    }

    /// What is wrong with the money: what is written down and what was taken differ.
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

    /// All processes die, and another settles what they left pending.
    fn recovered(&self, fault: Fault) -> Self {
        let mut place = Self { tasks: BTreeMap::new(), ..self.clone() };
        for id in place.on_the_way.clone() {
            place.charge(id, true, fault);
        }
        for id in place.pending().collect::<Vec<_>>() {
            let known = place.charges.get(&id).map(|charged| charged.is_taken);
            let is_taken = known.unwrap_or_else(|| place.charge(id, true, fault));
            if let Some(decided) = place.settlement(id, is_taken, fault) {
                place.write(&decided);
            }
        }
        place
    }

    /// All that is wrong here, and would be after a crash.
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
