//! The model: the possible transitions, which use the decisions of the core.

use std::rc::Rc;

use chrono::{Days, Duration, NaiveDate};
use lease_core::gateway::ChargeKey;
use lease_core::id::{CreditCardId, InvoiceId, PaymentId, ProposalId};
use lease_core::input::{Field, NamedIn};
use lease_core::invoicing::{PaymentDraft, VoidDraft, WriteOffDraft, begin_payment, void, write_off};
use lease_core::lifecycle::{
    CancellationDraft, EndDraft, ProposalDraft, TradeSnapshot, accept, cancel, end, propose, reject, withdraw,
};
use lease_core::model::{InvoiceState, PaymentState, ProposalStatus, ServiceKind, TradeStatus};
use lease_core::repository::TradeKey;
use rust_decimal::Decimal;

use super::explore::Model;
use super::fault::Fault;
use super::state::{Process, State, Task};
use crate::support::{day, now};
use crate::world::{CUSTOMERS, Decided, Step, World};

/// The first owner, two other customers, and staff.
const PEOPLE: [usize; 4] = [0, 1, 2, CUSTOMERS];
/// The step in which time passes: from noon to midnight, beyond expiries and due dates.
const HALF_A_DAY: u32 = 12 * 60;

/// A command of a person.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Command {
    Propose { expires: bool },
    Accept(ProposalId),
    Reject(ProposalId),
    Withdraw(ProposalId),
    Cancel,
    End,
    Void(InvoiceId),
    WriteOff(InvoiceId),
    Pay { invoice: InvoiceId, card: CreditCardId, in_part: bool },
}

/// A transition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    /// A command is carried out without interruption.
    Do(usize, Command),
    /// A command is loaded and decided; the commit comes later.
    Ask(usize, Command),
    /// A decision is committed, or is stale.
    Commit(Process),
    /// The gateway charges or declines the card.
    Charge(Process, bool),
    /// The charge is sent, and nobody waits for the response.
    TimeOut(Process),
    /// A charge on its way reaches the gateway.
    Arrive(PaymentId, bool),
    /// The process dies in the middle of a payment.
    Crash(Process),
    /// A clerk begins to settle a pending payment.
    Recover(usize, PaymentId),
    /// The outcome of a charge is stored without interruption.
    Settle(Process),
    /// The outcome of a charge is decided; the commit comes later.
    Decide(Process),
    /// A trade is opened under this service.
    Open(usize, usize),
    /// The service's fee changes.
    Fee,
    /// Time passes.
    Wait,
}

/// The initial state of a search, and the limits that make the number of states finite.
#[derive(Clone, Debug)]
pub(crate) struct TradeModel {
    pub(crate) world: World,
    /// The new fee, if it changes once.
    pub(crate) next_fee: Option<u8>,
    /// Whether further trades are opened.
    pub(crate) opens: bool,
    /// Whether staff end days, write off, and cancel what was agreed. Without that, a search gets deeper.
    pub(crate) has_ways_out: bool,
    /// The number of times that time passes.
    pub(crate) waits: i32,
    /// The maximum number of payments.
    pub(crate) payments: usize,
    /// The maximum number of decisions that are not committed at a time. One is enough to conflict with every immediate command.
    pub(crate) held: usize,
    pub(crate) fault: Fault,
}

impl TradeModel {
    /// The same with a fault.
    pub(crate) fn with(&self, fault: Fault) -> Self {
        Self { fault, ..self.clone() }
    }

    /// Starts the search after these steps.
    pub(crate) fn after(mut self, steps: &[Step]) -> Self {
        for step in steps {
            self.world.run(step).unwrap();
        }
        self
    }

    fn commands(&self, state: &State) -> Vec<Command> {
        let books = &state.world.books;
        let mut commands = vec![Command::Propose { expires: false }, Command::Propose { expires: true }, Command::Cancel];
        commands.extend(self.has_ways_out.then_some(Command::End));
        for proposal in &books.proposals {
            commands.extend([Command::Accept(proposal.id), Command::Reject(proposal.id), Command::Withdraw(proposal.id)]);
        }
        for invoice in &books.invoices {
            commands.push(Command::Void(invoice.id));
            commands.extend(self.has_ways_out.then_some(Command::WriteOff(invoice.id)));
            if books.payments.len() < self.payments {
                for card in &books.cards {
                    let pay = |in_part| Command::Pay { invoice: invoice.id, card: card.id, in_part };
                    commands.extend([pay(false), pay(true)]);
                }
            }
        }
        commands
    }

    /// Loads and decides; `None` if the command is refused.
    fn decide(&self, state: &State, who: usize, command: Command) -> Option<Decided> {
        let world = &state.world;
        let actor = world.actor(who).ok()?;
        if !self.has_ways_out && command == Command::Cancel && !world.books.trades.last()?.is_open() {
            return None;
        }
        let (key, card) = match command {
            Command::Propose { .. } | Command::End => (TradeKey::Trade(world.books.trades.last()?.id), None),
            Command::Cancel => (World::cancelled(world.books.trades.last()?), None),
            Command::Accept(id) | Command::Reject(id) | Command::Withdraw(id) => (TradeKey::Proposal(id), None),
            Command::Void(invoice) | Command::WriteOff(invoice) => (TradeKey::Invoice(invoice), None),
            Command::Pay { invoice, card, .. } => (TradeKey::Invoice(invoice), Some(card)),
        };
        let decide = |snapshot: &TradeSnapshot| {
            let snapshot = &*self.fault.seen(snapshot, actor);
            let decision = match command {
                Command::Propose { expires } => {
                    let draft = terms(world, snapshot, who, expires);
                    propose(Some(snapshot), NamedIn::Path, &actor, &draft, &world.policy, world.now)
                }
                Command::Accept(_) => accept(snapshot, &actor, world.now),
                Command::Reject(_) => reject(snapshot, &actor, world.now),
                Command::Withdraw(_) => withdraw(snapshot, &actor, world.now),
                Command::Cancel => cancel(snapshot, &actor, &CancellationDraft { reason: "a mistake".into() }, world.now),
                Command::End => {
                    let draft = EndDraft { end_date: first_day(snapshot)?.into(), reason: "returned".into() };
                    end(snapshot, &actor, &draft)
                }
                Command::Void(_) => void(snapshot, &actor, &VoidDraft { reason: "a mistake".into() }, world.now),
                Command::WriteOff(_) => write_off(snapshot, &actor, &WriteOffDraft { reason: "hopeless".into() }, world.now),
                Command::Pay { card, in_part, .. } => {
                    let amount = if in_part { Decimal::from(60).into() } else { Field::Missing };
                    let draft = PaymentDraft { credit_card_id: card.into(), amount, ..PaymentDraft::default() };
                    let key = ChargeKey::new(format!("key-{}-{who}", world.books.payments.len()));
                    begin_payment(Some(snapshot), NamedIn::Path, &actor, &draft, &world.policy, key, world.now)
                }
            };
            Some(decision.map(|decision| self.fault.written(decision.changes)))
        };
        world.decide(key, actor.customer(), card, decide)?.ok()
    }

    /// Commits, unless the trade has changed since: then a settlement is decided again, and a person gives up.
    fn commit(&self, mut state: State, process: Process, decided: &Decided, is_stale: bool) -> State {
        state.tasks.remove(&process);
        if is_stale && !matches!(self.fault, Fault::StaleCommits) {
            if let Some((id, outcome)) = &decided.changes.settled {
                let is_taken = matches!(outcome, PaymentState::Succeeded { .. });
                state.tasks.insert(process, Task::Settle(*id, is_taken));
            }
            return state;
        }
        state.write(decided);
        if let (Some(_), Some(payment)) = (&decided.changes.new_payment, state.world.books.payments.last()) {
            state.tasks.insert(process, Task::Charge(payment.id));
        }
        state
    }

    fn may_hold(&self, state: &State) -> bool {
        state.tasks.values().filter(|task| matches!(task, Task::Commit { .. })).count() < self.held
    }

    fn hold(state: &State, process: Process, decided: Decided) -> State {
        let mut state = state.clone();
        state.tasks.insert(process, Task::Commit { decided: Rc::new(decided), is_stale: false });
        state
    }

    /// The transitions of people without unfinished work.
    fn begin(&self, state: &State, next: &mut Vec<(Act, State)>) {
        for who in PEOPLE.into_iter().filter(|who| !state.tasks.contains_key(&Process::Person(*who))) {
            let process = Process::Person(who);
            for command in self.commands(state) {
                let Some(decided) = self.decide(state, who, command) else { continue };
                next.push((Act::Do(who, command), self.commit(state.clone(), process, &decided, false)));
                if self.may_hold(state) {
                    next.push((Act::Ask(who, command), Self::hold(state, process, decided)));
                }
            }
            if self.opens {
                next.extend((0..state.world.books.services.len()).filter_map(|service| {
                    let mut state = state.clone();
                    state.world.run(&Step::Open { who, vehicle: 0, service }).ok()?;
                    Some((Act::Open(who, service), state))
                }));
            }
        }
        // The two clerks are alike: the second one acts if the first is busy.
        let clerk = (0..2).find(|clerk| !state.tasks.contains_key(&Process::Clerk(*clerk)));
        for (clerk, id) in clerk.into_iter().flat_map(|clerk| state.pending().map(move |id| (clerk, id))) {
            let task = match state.charges.get(&id) {
                Some(charged) => Task::Settle(id, charged.is_taken),
                None if matches!(self.fault, Fault::HastyRecovery) => Task::Settle(id, false),
                None => Task::Charge(id),
            };
            let mut state = state.clone();
            state.tasks.insert(Process::Clerk(clerk), task);
            next.push((Act::Recover(clerk, id), state));
        }
    }

    /// The transitions of processes with unfinished work.
    fn go_on(&self, state: &State, next: &mut Vec<(Act, State)>) {
        for (&process, task) in &state.tasks {
            let left = || {
                let mut state = state.clone();
                state.tasks.remove(&process);
                state
            };
            match task {
                Task::Commit { decided, is_stale } => {
                    next.push((Act::Commit(process), self.commit(state.clone(), process, decided, *is_stale)));
                }
                &Task::Charge(id) => {
                    for would_succeed in self.outcomes(state, id) {
                        let mut state = state.clone();
                        let is_taken = state.charge(id, would_succeed, self.fault);
                        state.tasks.insert(process, Task::Settle(id, is_taken));
                        next.push((Act::Charge(process, would_succeed), state));
                    }
                    let mut timed_out = left();
                    timed_out.on_the_way.insert(id);
                    next.push((Act::TimeOut(process), timed_out));
                    next.push((Act::Crash(process), left()));
                }
                &Task::Settle(id, is_taken) => {
                    next.push((Act::Crash(process), left()));
                    let Some(decided) = state.settlement(id, is_taken, self.fault) else {
                        next.push((Act::Settle(process), left()));
                        continue;
                    };
                    next.push((Act::Settle(process), self.commit(state.clone(), process, &decided, false)));
                    if self.may_hold(state) {
                        next.push((Act::Decide(process), Self::hold(state, process, decided)));
                    }
                }
            }
        }
        for &id in &state.on_the_way {
            for would_succeed in self.outcomes(state, id) {
                let mut state = state.clone();
                state.on_the_way.remove(&id);
                state.charge(id, would_succeed, self.fault);
                next.push((Act::Arrive(id, would_succeed), state));
            }
        }
    }

    /// The gateway's choice, which it makes only once for a key.
    fn outcomes(&self, state: &State, id: PaymentId) -> Vec<bool> {
        match state.charges.get(&id) {
            Some(_) if !matches!(self.fault, Fault::ForgetfulGateway) => vec![true],
            _ => vec![true, false],
        }
    }
}

/// The day on which the agreed days end: the second one, so that the first is kept.
fn first_day(snapshot: &TradeSnapshot) -> Option<NaiveDate> {
    snapshot.trade.days()?.start().succ_opt()
}

/// Each author has dates of their own: those of the first and the third are adjacent, the second's share one day with both.
fn terms(world: &World, snapshot: &TradeSnapshot, who: usize, expires: bool) -> ProposalDraft {
    let terms = ProposalDraft { amount: Decimal::from(250).into(), ..ProposalDraft::default() };
    let half_a_day = Duration::minutes(HALF_A_DAY.into());
    let expires_at = if expires { (world.now + half_a_day).into() } else { Field::Missing };
    let first = u64::try_from(who).unwrap();
    match snapshot.service.kind {
        ServiceKind::Sell => ProposalDraft { expires_at, ..terms },
        ServiceKind::Lease | ServiceKind::Custom => {
            ProposalDraft { start_date: day(first).into(), end_date: day(first + 2).into(), expires_at, ..terms }
        }
    }
}

impl Model for TradeModel {
    type State = State;
    type Act = Act;

    fn start(&self) -> State {
        State::at_rest(self.world.clone())
    }

    fn successors(&self, state: &State) -> Vec<(Act, State)> {
        let mut next = Vec::new();
        let mut passes = |act: Act, step: &Step| {
            let mut state = state.clone();
            state.is_fee_changed |= act == Act::Fee;
            state.world.run(step).unwrap();
            next.push((act, state));
        };
        if state.world.now < now() + Duration::minutes(HALF_A_DAY.into()) * self.waits {
            passes(Act::Wait, &Step::Wait { minutes: HALF_A_DAY });
        }
        if let Some(amount) = self.next_fee.filter(|_| !state.is_fee_changed) {
            passes(Act::Fee, &Step::Fee { service: 0, amount });
        }
        self.begin(state, &mut next);
        self.go_on(state, &mut next);
        next
    }

    fn faults(&self, state: &State) -> Vec<String> {
        state.faults(self.fault)
    }

    fn faults_between(&self, before: &State, after: &State) -> Vec<String> {
        after.world.books.violations_since(&before.world.books)
    }

    fn sights(&self, state: &State) -> Vec<&'static str> {
        let books = &state.world.books;
        let mut sights: Vec<&'static str> = Vec::new();
        sights.extend(books.trades.iter().map(|trade| match TradeStatus::from(&trade.state) {
            TradeStatus::Open => "trade open",
            TradeStatus::Agreed => "trade agreed",
            TradeStatus::Completed => "trade completed",
            TradeStatus::Cancelled => "trade cancelled",
        }));
        sights.extend(books.proposals.iter().map(|proposal| <&'static str>::from(ProposalStatus::from(proposal.state))));
        sights.extend(books.invoices.iter().map(|invoice| match invoice.state {
            InvoiceState::Open if invoice.paid.is_zero() => "invoice open",
            InvoiceState::Open => "invoice paid in part",
            InvoiceState::Paid { .. } => "invoice paid",
            InvoiceState::Void { .. } => "invoice void",
            InvoiceState::WrittenOff { .. } => "invoice written off",
        }));
        for payment in &books.payments {
            sights.push(match (&payment.state, payment.is_late) {
                (PaymentState::Pending, false) => "payment pending",
                (PaymentState::Pending, true) => "late payment pending",
                (PaymentState::Succeeded { .. }, false) => "payment succeeded",
                (PaymentState::Succeeded { .. }, true) => "late payment succeeded",
                (PaymentState::Failed { .. }, _) => "payment declined",
            });
        }
        if books.trades.iter().any(|trade| trade.days().is_some_and(|days| days.end() == days.start() + Days::new(1))) {
            sights.push("days ended early");
        }
        if state.pending().count() > 1 {
            sights.push("two payments pending");
        }
        let is_stale = |task: &Task| matches!(task, Task::Commit { is_stale: true, .. });
        if state.tasks.values().any(is_stale) {
            sights.push("commit too late");
        }
        if state.pending().any(|id| state.charges.get(&id).is_some_and(|charged| charged.is_taken)) {
            sights.push("charged, not written down");
        }
        if !state.on_the_way.is_empty() {
            sights.push("charge on its way");
        }
        let is_settled = |id: &PaymentId| state.payment(*id).state != PaymentState::Pending;
        if state.on_the_way.iter().any(is_settled) {
            sights.push("settled before its charge arrived");
        }
        let sold = books.vehicles.iter().any(|vehicle| books.past.first_owners.get(&vehicle.id) != Some(&vehicle.customer_id));
        if sold {
            sights.push("vehicle sold");
        }
        sights.sort_unstable();
        sights.dedup();
        sights
    }
}
