//! The model: the possible transitions, which use the decisions of the core.

use std::rc::Rc;

use chrono::{Days, Duration, NaiveDate};
use lease_core::gateway::{ChargeKey, RefundKey};
use lease_core::id::{CreditCardId, InvoiceId, PaymentId, ProposalId, Stored};
use lease_core::input::{Field, NamedIn};
use lease_core::invoicing::{
    PaymentDraft, RefundDraft, VoidDraft, WriteOffDraft, begin_payment, begin_refund, has_waited_too_long, require_cancellable,
    void, write_off,
};
use lease_core::lifecycle::{
    CancellationDraft, EndDraft, ProposalDraft, TradeSnapshot, accept, cancel, end, propose, reject, withdraw,
};
use lease_core::model::{
    InvoiceState, Payment, PaymentState, ProposalStatus, RefundState, RefundStatus, ServiceKind, TradeStatus,
};
use lease_core::repository::TradeKey;
use rust_decimal::Decimal;

use super::explore::Model;
use super::fault::Fault;
use super::state::{Answer, Moving, Process, Request, State, Task};
use crate::support::{day, now};
use crate::world::{CUSTOMERS, Decided, Said, Step, World};

/// The first owner, two other customers, and staff.
pub(super) const PEOPLE: &[usize] = &[0, 1, 2, CUSTOMERS];
/// Two members of staff: a number says who somebody is only up to the number of actors.
pub(super) const STAFF: &[usize] = &[CUSTOMERS, CUSTOMERS + CUSTOMERS + 2];
/// The gateway decides at once.
pub(super) const DECIDES: &[Said] = &[Said::Taken, Said::Declined];
/// The gateway decides, or asks for the payer.
pub(super) const ASKS_PAYERS: &[Said] = &[Said::Taken, Said::Declined, Said::Waits];
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
    Refund { payment: PaymentId, in_part: bool },
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
    /// The payer, or staff, ask the gateway to give up a charge that waits.
    GiveUp(usize, PaymentId),
    /// The gateway carries out a request, in this way if that is not decided yet.
    Send(Process, Said),
    /// The request is sent, and nobody waits for the response.
    TimeOut(Process),
    /// A request on its way reaches the gateway.
    Arrive(Request, Said),
    /// The payer does their part in a charge that waits for them, or fails to.
    PayerActs(PaymentId, bool),
    /// The process dies in the middle of a payment or a refund.
    Crash(Process),
    /// A clerk begins to settle money under way.
    Recover(usize, Moving),
    /// What the gateway has said is stored without interruption.
    Settle(Process),
    /// What the gateway has said is decided; the commit comes later.
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
    /// The maximum number of refunds.
    pub(crate) refunds: usize,
    /// Who acts.
    pub(crate) people: &'static [usize],
    /// Whether proposals are made and decided. Without that, a search of the money gets deeper.
    pub(crate) negotiates: bool,
    /// What the gateway may say of a new charge.
    pub(crate) outcomes: &'static [Said],
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
        let mut commands = Vec::new();
        if self.negotiates {
            commands.extend([Command::Propose { expires: false }, Command::Propose { expires: true }, Command::Cancel]);
        }
        commands.extend(self.has_ways_out.then_some(Command::End));
        for proposal in books.proposals.iter().filter(|_| self.negotiates) {
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
        for payment in books.payments.iter().filter(|_| books.refunds.len() < self.refunds) {
            let refund = |in_part| Command::Refund { payment: payment.id, in_part };
            commands.extend([refund(false), refund(true)]);
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
            Command::Refund { payment, .. } => (TradeKey::Payment(payment), None),
        };
        let decide = |snapshot: &TradeSnapshot| {
            let snapshot = &*self.fault.seen(snapshot, actor);
            let decision = match command {
                Command::Propose { expires } => {
                    let draft = terms(world, snapshot, who, expires);
                    propose(Some(snapshot), NamedIn::Path, &actor, &draft, &world.policy, &world.fees, world.now)
                }
                Command::Accept(_) => accept(snapshot, &actor, &world.fees, world.now),
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
                    let amount = part(in_part);
                    let draft = PaymentDraft { credit_card_id: card.into(), amount, ..PaymentDraft::default() };
                    let key = ChargeKey::new(format!("key-{}-{who}", world.books.payments.len()));
                    begin_payment(Some(snapshot), NamedIn::Path, &actor, &draft, &world.policy, key, world.now)
                }
                Command::Refund { in_part, .. } => {
                    let draft = RefundDraft { amount: part(in_part), reason: "other".into(), ..RefundDraft::default() };
                    let key = RefundKey::new(format!("refund-{}-{who}", world.books.refunds.len()));
                    begin_refund(snapshot, &actor, &draft, key, world.now)
                }
            };
            Some(decision.map(|decision| self.fault.written(decision.changes)))
        };
        world.decide(key, actor.customer(), card, decide)?.ok()
    }

    /// Commits, unless the trade has changed since: then what the gateway has said is decided again, and a person gives up.
    fn commit(&self, mut state: State, process: Process, decided: &Decided, answer: Option<Answer>, is_stale: bool) -> State {
        state.tasks.remove(&process);
        if is_stale && !matches!(self.fault, Fault::StaleCommits) {
            state.tasks.extend(answer.map(|answer| (process, Task::Settle(answer))));
            return state;
        }
        state.write(decided);
        let (changes, books) = (&decided.changes, &state.world.books);
        let payment = changes.new_payment.as_ref().and(books.payments.last()).map(|payment| Moving::Payment(payment.id));
        let refund = changes.new_refund.as_ref().and(books.refunds.last()).map(|refund| Moving::Refund(refund.id));
        let begun = payment.or(refund).map(|moving| (process, Task::Send(Request::Move(moving))));
        state.tasks.extend(begun);
        state
    }

    fn may_hold(&self, state: &State) -> bool {
        state.tasks.values().filter(|task| matches!(task, Task::Commit { .. })).count() < self.held
    }

    fn hold(state: &State, process: Process, decided: Decided, answer: Option<Answer>) -> State {
        taken_up(state, process, Task::Commit { decided: Rc::new(decided), answer, is_stale: false })
    }

    /// The transitions of people without unfinished work.
    fn begin(&self, state: &State, next: &mut Vec<(Act, State)>) {
        for &who in self.people.iter().filter(|who| !state.tasks.contains_key(&Process::Person(**who))) {
            let process = Process::Person(who);
            for command in self.commands(state) {
                let Some(decided) = self.decide(state, who, command) else { continue };
                next.push((Act::Do(who, command), self.commit(state.clone(), process, &decided, None, false)));
                if self.may_hold(state) {
                    next.push((Act::Ask(who, command), Self::hold(state, process, decided, None)));
                }
            }
            let cancellable = |payment: &&Stored<Payment>| {
                state.world.actor(who).is_ok_and(|actor| require_cancellable(payment, &actor).is_ok())
            };
            next.extend(
                state
                    .waiting()
                    .filter(cancellable)
                    .map(|payment| (Act::GiveUp(who, payment.id), taken_up(state, process, self.give_up(payment.id)))),
            );
            if self.opens {
                next.extend((0..state.world.books.services.len()).filter_map(|service| {
                    let mut state = state.clone();
                    state.world.run(&Step::Open { who, vehicle: 0, service }).ok()?;
                    Some((Act::Open(who, service), state))
                }));
            }
        }
        // The two clerks are alike: the second one acts if the first is busy.
        if let Some(clerk) = (0..2).find(|clerk| !state.tasks.contains_key(&Process::Clerk(*clerk))) {
            next.extend(
                self.to_settle(state)
                    .into_iter()
                    .map(|(moving, task)| (Act::Recover(clerk, moving), taken_up(state, Process::Clerk(clerk), task))),
            );
        }
    }

    /// What a clerk does about all that is under way.
    fn to_settle(&self, state: &State) -> Vec<(Moving, Task)> {
        let pending = state.pending().map(|moving| match state.said(moving) {
            Some(said) => (moving, Task::Settle((moving, said))),
            None if matches!(self.fault, Fault::HastyRecovery) => (moving, Task::Settle((moving, Said::Declined))),
            None => (moving, Task::Send(Request::Move(moving))),
        });
        let waiting = state.waiting().filter_map(|payment| {
            let moving = Moving::Payment(payment.id);
            let is_over = has_waited_too_long(payment, &state.world.policy, state.world.now);
            let said = state.said(moving).filter(|said| *said != Said::Waits);
            let task = if is_over { Some(self.give_up(payment.id)) } else { said.map(|said| Task::Settle((moving, said))) };
            Some((moving, task?))
        });
        pending.chain(waiting).collect()
    }

    /// A charge that waits for its payer is given up at the gateway first.
    fn give_up(&self, payment: PaymentId) -> Task {
        match self.fault {
            Fault::HastyRelease => Task::Settle((Moving::Payment(payment), Said::GivenUp)),
            _ => Task::Send(Request::GiveUp(payment)),
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
                Task::Commit { decided, answer, is_stale } => {
                    next.push((Act::Commit(process), self.commit(state.clone(), process, decided, *answer, *is_stale)));
                }
                &Task::Send(request) => {
                    for &would_say in self.choices(state, request) {
                        let mut state = state.clone();
                        let answer = state.receive(request, would_say, self.fault);
                        state.tasks.insert(process, Task::Settle(answer));
                        next.push((Act::Send(process, would_say), state));
                    }
                    let mut timed_out = left();
                    timed_out.on_the_way.insert(request);
                    next.push((Act::TimeOut(process), timed_out));
                    next.push((Act::Crash(process), left()));
                }
                &Task::Settle(answer) => {
                    next.push((Act::Crash(process), left()));
                    let Some(decided) = state.settlement(answer, self.fault) else {
                        next.push((Act::Settle(process), left()));
                        continue;
                    };
                    let committed = self.commit(state.clone(), process, &decided, Some(answer), false);
                    next.push((Act::Settle(process), committed));
                    if self.may_hold(state) {
                        next.push((Act::Decide(process), Self::hold(state, process, decided, Some(answer))));
                    }
                }
            }
        }
        for &request in &state.on_the_way {
            for &would_say in self.choices(state, request) {
                let mut state = state.clone();
                state.on_the_way.remove(&request);
                state.receive(request, would_say, self.fault);
                next.push((Act::Arrive(request, would_say), state));
            }
        }
        for (moving, moved) in &state.gateway {
            let (Moving::Payment(id), Said::Waits) = (*moving, moved.said) else { continue };
            for succeeds in [true, false] {
                let mut state = state.clone();
                state.payer_acts(id, succeeds);
                next.push((Act::PayerActs(id, succeeds), state));
            }
        }
    }

    /// The gateway's choices: it makes one only once for a key.
    fn choices(&self, state: &State, request: Request) -> &'static [Said] {
        let is_open = |moving| state.said(moving).is_none() || matches!(self.fault, Fault::ForgetfulGateway);
        match request {
            Request::Move(moving @ Moving::Payment(_)) if is_open(moving) => self.outcomes,
            Request::Move(moving @ Moving::Refund(_)) if is_open(moving) => DECIDES,
            Request::Move(_) | Request::GiveUp(_) => &[Said::Taken],
        }
    }
}

/// The same state, in which the process has this to do.
fn taken_up(state: &State, process: Process, task: Task) -> State {
    let mut state = state.clone();
    state.tasks.insert(process, task);
    state
}

/// More than half of what is paid or refunded, or all of it.
fn part(in_part: bool) -> Field<Decimal> {
    if in_part { Decimal::from(60).into() } else { Field::Missing }
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
                (PaymentState::RequiresAction(_), _) => "payment waits for its payer",
                (PaymentState::Cancelled { .. }, _) => "payment cancelled",
            });
        }
        for refund in &books.refunds {
            sights.push(match RefundStatus::from(&refund.state) {
                RefundStatus::Pending => "refund pending",
                RefundStatus::Succeeded => "refund succeeded",
                RefundStatus::Failed => "refund failed",
            });
        }
        if books.payments.iter().any(|payment| payment.refunded == payment.amount) {
            sights.push("refunded in full");
        }
        if books.trades.iter().any(|trade| trade.days().is_some_and(|days| days.end() == days.start() + Days::new(1))) {
            sights.push("days ended early");
        }
        let under_way = books.payments.iter().filter(|payment| payment.state.is_under_way()).count();
        if under_way > 1 {
            sights.push("two payments under way");
        }
        if books.refunds.iter().filter(|refund| refund.state == RefundState::Pending).count() > 1 {
            sights.push("two refunds under way");
        }
        let is_stale = |task: &Task| matches!(task, Task::Commit { is_stale: true, .. });
        if state.tasks.values().any(is_stale) {
            sights.push("commit too late");
        }
        if state.pending().any(|moving| state.said(moving) == Some(Said::Taken)) {
            sights.push("moved, not written down");
        }
        if !state.on_the_way.is_empty() {
            sights.push("request on its way");
        }
        let comes_late = |request: &Request| matches!(request, Request::Move(moving) if state.is_settled(*moving));
        if state.on_the_way.iter().any(comes_late) {
            sights.push("settled before its request arrived");
        }
        let gives_up = |task: &Task| match task {
            Task::Send(Request::GiveUp(id)) => state.said(Moving::Payment(*id)) == Some(Said::Taken),
            _ => false,
        };
        if state.tasks.values().any(gives_up) {
            sights.push("paid while it was being cancelled");
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
