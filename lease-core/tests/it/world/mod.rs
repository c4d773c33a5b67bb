//! A small world for the pure core: rows in memory, no store. It builds the data that a decision reads, calls the decision, and
//! applies the changes by [`TradeSnapshot::apply`], plus the one change that affects rows which were not loaded.

mod load;

use chrono::{DateTime, Duration, Utc};
use lease_core::Error;
use lease_core::catalog::{TakenBy, update_service, update_vehicle};
use lease_core::decision::{Decision, RowChange};
use lease_core::gateway::{ChargeKey, ChargeOutcome, RefundKey, RefundOutcome};
use lease_core::id::{CreditCardId, CustomerId, NewIds, PaymentId, RefundId, Stored, TradeId};
use lease_core::input::{NamedIn, UpdateMode};
use lease_core::invariants::Books;
use lease_core::invoicing::{
    FeeBasis, FeePolicy as _, begin_payment, begin_refund, move_due_date, record_overdue, require_cancellable, settle_payment,
    settle_refund, void, write_off,
};
use lease_core::lifecycle::{
    self, OpeningSnapshot, TradeChanges, TradeMove, TradeSnapshot, accept, amend, cancel, expire, open, propose, reject, withdraw,
};
use lease_core::model::{
    BillTo, CreditCard, InvoiceOn, OfferedVehicle, PaymentStatus, ProposalState, RefundState, Service, ServiceKind, Trade,
    TradeState, Vehicle,
};
use lease_core::money::Money;
use lease_core::permission::Actor;
use lease_core::policy::{LatePayments, Policy};
use lease_core::repository::TradeKey;
use serde_json::{Value, json};

use crate::support::*;
use load::{next_id, pick, push, put, row, row_mut, rows};

/// The number of customers: 1 and 2 own vehicles; the last one is deactivated at first.
pub(crate) const CUSTOMERS: usize = 4;

/// A command. Its numbers are taken modulo the number of rows.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Open { who: usize, vehicle: usize, service: usize },
    Propose { who: usize, trade: usize, terms: Terms },
    Accept { who: usize, proposal: usize },
    Reject { who: usize, proposal: usize },
    Withdraw { who: usize, proposal: usize },
    Cancel { who: usize, trade: usize },
    Amend { who: usize, trade: usize },
    End { who: usize, trade: usize, day: u64 },
    Void { who: usize, trade: usize },
    WriteOff { who: usize, trade: usize },
    MoveDueDate { who: usize, trade: usize, day: u64 },
    Pay { who: usize, trade: usize, card: usize, cents: Option<u32> },
    Settle { payment: usize, said: Said },
    GiveUp { who: usize, payment: usize },
    Refund { who: usize, payment: usize, cents: Option<u32> },
    SettleRefund { refund: usize, said: Said },
    Expire { proposal: usize },
    Overdue { trade: usize },
    Fee { service: usize, amount: u8 },
    Edit { who: usize, vehicle: usize, mileage: u16 },
    Activate { customer: usize, is_active: bool },
    Wait { minutes: u32 },
}

/// What the gateway says of a charge or of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Said {
    /// The money moved.
    Taken,
    /// It did not, and never will.
    Declined,
    /// The payer must act first.
    Waits,
    /// The charge was given up before the payer acted.
    GivenUp,
    /// The gateway does not know yet.
    Unsure,
}

impl Said {
    /// Of this charge.
    pub(crate) fn of_charge(self, id: PaymentId) -> ChargeOutcome {
        let reference = format!("ch_{id}");
        match self {
            Self::Taken => ChargeOutcome::Succeeded { reference },
            Self::Declined => ChargeOutcome::Declined { failure_code: "card_declined".into(), reference: Some(reference) },
            Self::Waits => ChargeOutcome::ActionRequired { reference, next_action: next_action() },
            Self::GivenUp => ChargeOutcome::Cancelled { reference },
            Self::Unsure => ChargeOutcome::Pending { reference },
        }
    }

    /// Of this refund, which nobody has to wait for and nobody gives up.
    pub(crate) fn of_refund(self, id: RefundId) -> RefundOutcome {
        let reference = format!("re_{id}");
        match self {
            Self::Taken => RefundOutcome::Succeeded { reference },
            Self::Declined => RefundOutcome::Failed { failure_code: "lost_card".into(), reference: Some(reference) },
            Self::Waits | Self::GivenUp | Self::Unsure => RefundOutcome::Pending { reference },
        }
    }
}

/// The terms of a proposal.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) amount: u32,
    /// The first day and the number of days, counted from the first day of the world.
    pub(crate) days: (u64, u64),
    /// Whether the dates contradict the kind of the service: given where it has none, or left out where it requires them.
    pub(crate) is_odd: bool,
    pub(crate) expires_in_hours: Option<u16>,
}

/// All rows, the time, and the active customers. Row `n` of a table has the id `n + 1`.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) books: Books,
    pub(crate) now: DateTime<Utc>,
    pub(crate) policy: Policy,
    pub(crate) fees: Fees,
    active: [bool; CUSTOMERS],
}

/// A decision that is to be committed, at once or after others.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Decided {
    pub(crate) trade: TradeId,
    pub(crate) changes: TradeChanges,
    key: TradeKey,
    viewer: Option<CustomerId>,
    card: Option<CreditCardId>,
    /// The fee if this is the moment of invoicing, whether or not an invoice is issued.
    fee: Option<Money>,
}

impl World {
    /// Three vehicles, seven services of every kind, a card for each customer and one that has expired; at most three proposals.
    pub(crate) fn new(late_payments: LatePayments) -> Self {
        let custom = |invoice_on, bill_to| Service { invoice_on, bill_to, ..service(ServiceKind::Custom) };
        let services = [
            service(ServiceKind::Lease),
            service(ServiceKind::Sell),
            Service { bill_to: BillTo::Counterparty, ..service(ServiceKind::Sell) },
            custom(InvoiceOn::FirstProposal, BillTo::Owner),
            custom(InvoiceOn::Acceptance, BillTo::Owner),
            custom(InvoiceOn::Acceptance, BillTo::Counterparty),
            Service { fee: usd("0"), ..service(ServiceKind::Lease) },
        ];
        let cards = (1..=4).map(card).chain([CreditCard { exp_year: 2026, exp_month: 2, ..card(OWNER) }]);
        Self::of(services, [vehicle(1), vehicle(1), vehicle(2)], cards, late_payments)
    }

    /// These services, vehicles and cards; nothing has been traded yet.
    pub(crate) fn of(
        services: impl IntoIterator<Item = Service>,
        vehicles: impl IntoIterator<Item = Vehicle>,
        cards: impl IntoIterator<Item = CreditCard>,
        late_payments: LatePayments,
    ) -> Self {
        let mut books = Books { services: rows(services), vehicles: rows(vehicles), cards: rows(cards), ..Books::default() };
        books.past.first_owners = books.vehicles.iter().map(|vehicle| (vehicle.id, vehicle.customer_id)).collect();
        let policy = Policy::default().with_late_payments(late_payments).with_max_proposals(3);
        Self { books, now: now(), policy, fees: Fees::OfService, active: [true, true, true, false] }
    }

    /// Carries out a command, or returns its error.
    pub(crate) fn run(&mut self, step: &Step) -> Result<(), Error> {
        match *step {
            Step::Open { who, vehicle, service } => self.open(who, vehicle, service),
            Step::Propose { who, trade, ref terms } => {
                let (key, policy, fees) = (self.trade(trade)?, self.policy.clone(), self.fees);
                let draft = self.proposal_draft(trade, terms);
                self.change(key, who, None, |snapshot, actor, now| {
                    propose(Some(snapshot), NamedIn::Path, actor, &draft, &policy, &fees, now)
                })
            }
            Step::Accept { who, proposal } => {
                let fees = self.fees;
                self.change(self.proposal(proposal)?, who, None, |snapshot, actor, now| accept(snapshot, actor, &fees, now))
            }
            Step::Reject { who, proposal } => self.change(self.proposal(proposal)?, who, None, reject),
            Step::Withdraw { who, proposal } => self.change(self.proposal(proposal)?, who, None, withdraw),
            Step::Cancel { who, trade } => {
                let key = Self::cancelled(pick(&self.books.trades, trade)?);
                let why = draft(json!({"reason": "a mistake"}));
                self.change(key, who, None, |snapshot, actor, now| cancel(snapshot, actor, &why, now))
            }
            Step::End { who, trade, day: end } => {
                let days = pick(&self.books.trades, trade).ok().and_then(|trade| trade.days());
                // Now and then on the first day, so that none is left.
                let end = days.filter(|_| end.is_multiple_of(4)).map_or(day(end), lease_core::model::Period::start);
                let draft = draft(json!({"end_date": end.to_string(), "reason": "returned"}));
                self.change(self.trade(trade)?, who, None, |snapshot, actor, _| lifecycle::end(snapshot, actor, &draft))
            }
            Step::Amend { who, trade } => {
                let words = draft(json!({"title": self.now.to_string()}));
                self.change(self.trade(trade)?, who, None, |snapshot, actor, _| amend(snapshot, actor, &words, None))
            }
            Step::Void { who, trade } => {
                let why = draft(json!({"reason": "a mistake"}));
                self.change(self.trade(trade)?, who, None, |snapshot, actor, now| void(snapshot, actor, &why, now))
            }
            Step::WriteOff { who, trade } => {
                let why = draft(json!({"reason": "hopeless"}));
                self.change(self.trade(trade)?, who, None, |snapshot, actor, now| write_off(snapshot, actor, &why, now))
            }
            Step::MoveDueDate { who, trade, day: due } => {
                let draft = draft(json!({"due_date": day(due).to_string()}));
                self.change(self.trade(trade)?, who, None, |snapshot, actor, now| move_due_date(snapshot, actor, &draft, now))
            }
            Step::Pay { who, trade, card, cents } => self.pay(who, trade, card, cents),
            Step::Settle { payment, said } => self.settle(pick(&self.books.payments, payment)?.id, said),
            Step::GiveUp { who, payment } => self.give_up(who, payment),
            Step::Refund { who, payment, cents } => self.refund(who, payment, cents),
            Step::SettleRefund { refund, said } => self.settle_refund(refund, said),
            Step::Expire { proposal } => self.let_time_bring(self.proposal(proposal)?, expire),
            Step::Overdue { trade } => self.let_time_bring(self.trade(trade)?, record_overdue),
            Step::Fee { service, amount } => self.set_fee(service, amount),
            Step::Edit { who, vehicle, mileage } => self.edit(who, vehicle, mileage),
            Step::Activate { customer, is_active } => {
                self.active[customer % CUSTOMERS] = is_active;
                Ok(())
            }
            Step::Wait { minutes } => {
                self.now += Duration::minutes(minutes.into());
                Ok(())
            }
        }
    }

    /// The actor: a customer, staff, or an anonymous caller. A deactivated customer has no session.
    pub(crate) fn actor(&self, who: usize) -> Result<Actor, Error> {
        match who % (CUSTOMERS + 2) {
            number if number < CUSTOMERS && !self.active[number] => Err(Error::NotAuthenticated),
            number if number < CUSTOMERS => Ok(customer(i64::try_from(number).unwrap() + 1)),
            CUSTOMERS => Ok(staff()),
            _ => Ok(Actor::Anonymous),
        }
    }

    fn open(&mut self, who: usize, vehicle: usize, service: usize) -> Result<(), Error> {
        let actor = self.actor(who)?;
        let vehicle = pick(&self.books.vehicles, vehicle)?.id;
        let service = pick(&self.books.services, service)?.id;
        let offer = OpeningSnapshot {
            vehicle: Some(first(self.vehicle_snapshot(vehicle, actor.customer()))),
            service: Some(first(row(&self.books.services, service).clone())),
        };
        let json = json!({"vehicle_id": vehicle.get(), "service_id": service.get()});
        let opening = open(&offer, &actor, &draft(json), None, self.now)?.changes;
        if opening.first_use_of_service.is_some() {
            row_mut(&mut self.books.services, service).value.is_used = true;
        }
        push(&mut self.books.trades, opening.trade);
        Ok(())
    }

    /// Changes a vehicle, and what its live trade offers.
    fn edit(&mut self, who: usize, vehicle: usize, mileage: u16) -> Result<(), Error> {
        let actor = self.actor(who)?;
        let id = pick(&self.books.vehicles, vehicle)?.id;
        let found = first(self.vehicle_snapshot(id, actor.customer()));
        let draft = draft(json!({"mileage": mileage}));
        let change = update_vehicle(&found, &actor, &draft, UpdateMode::Partial, TakenBy::default(), self.now)?.changes;
        let RowChange::Update { value, .. } = change.vehicle else { panic!("a vehicle is updated") };
        if let Some((trade, _)) = change.offered_in {
            row_mut(&mut self.books.trades, trade).value.offered = OfferedVehicle::from(&value);
        }
        row_mut(&mut self.books.vehicles, id).value = value;
        Ok(())
    }

    fn proposal_draft(&self, trade: usize, terms: &Terms) -> lease_core::lifecycle::ProposalDraft {
        let kind = pick(&self.books.trades, trade).map(|trade| row(&self.books.services, trade.service_id).kind);
        let is_dated = match kind {
            Ok(ServiceKind::Lease) => true,
            Ok(ServiceKind::Sell) | Err(_) => false,
            Ok(ServiceKind::Custom) => terms.amount.is_multiple_of(2),
        };
        let mut json = json!({"amount": terms.amount});
        if is_dated != terms.is_odd {
            json["start_date"] = Value::from(day(terms.days.0).to_string());
            json["end_date"] = Value::from(day(terms.days.0 + terms.days.1).to_string());
        }
        if let Some(hours) = terms.expires_in_hours {
            json["expires_at"] = Value::from((self.now + Duration::hours(hours.into())).to_rfc3339());
        }
        draft(json)
    }

    fn pay(&mut self, who: usize, trade: usize, card: usize, cents: Option<u32>) -> Result<(), Error> {
        let card = pick(&self.books.cards, card)?.id;
        let draft = draft(with_amount(json!({"credit_card_id": card.get()}), cents));
        let key = ChargeKey::new(format!("key-{}", self.books.payments.len()));
        let policy = self.policy.clone();
        self.change(self.trade(trade)?, who, Some(card), |snapshot, actor, now| {
            begin_payment(Some(snapshot), NamedIn::Path, actor, &draft, &policy, key.clone(), now)
        })
    }

    /// Records what the gateway says of a charge, if it is new.
    fn settle(&mut self, id: PaymentId, said: Said) -> Result<(), Error> {
        let payment = row(&self.books.payments, id);
        let (before, is_referenced) = (PaymentStatus::from(&payment.state), payment.gateway_reference.is_some());
        let is_new = match before {
            PaymentStatus::Pending => said != Said::Unsure || !is_referenced,
            PaymentStatus::RequiresAction => !matches!(said, Said::Unsure | Said::Waits),
            PaymentStatus::Succeeded | PaymentStatus::Failed | PaymentStatus::Cancelled => false,
        };
        let decided = self.decide(TradeKey::Payment(id), None, None, |snapshot| {
            let decision = settle_payment(snapshot, &said.of_charge(id), self.now).transpose()?;
            Some(decision.map(|decision| decision.changes))
        });
        assert_eq!(decided.is_some(), is_new, "{said:?} of a payment that is {before}");
        if let Some(decided) = decided {
            self.commit(&decided?);
        }
        Ok(())
    }

    /// The gateway gives up a charge that its payer, or staff, want to cancel.
    fn give_up(&mut self, who: usize, payment: usize) -> Result<(), Error> {
        let payment = pick(&self.books.payments, payment)?;
        require_cancellable(payment, &self.actor(who)?)?;
        self.settle(payment.id, Said::GivenUp)
    }

    fn refund(&mut self, who: usize, payment: usize, cents: Option<u32>) -> Result<(), Error> {
        let draft = draft(with_amount(json!({"reason": "other"}), cents));
        let refund_key = RefundKey::new(format!("refund-{}", self.books.refunds.len()));
        let key = TradeKey::Payment(pick(&self.books.payments, payment)?.id);
        self.change(key, who, None, |snapshot, actor, now| begin_refund(snapshot, actor, &draft, refund_key.clone(), now))
    }

    /// Records what the gateway says of a refund, if it is new.
    fn settle_refund(&mut self, refund: usize, said: Said) -> Result<(), Error> {
        let refund = pick(&self.books.refunds, refund)?;
        let (id, was_pending) = (refund.id, refund.state == RefundState::Pending);
        let is_referenced = refund.gateway_reference.is_some();
        let decided = self.decide(TradeKey::Refund(id), None, None, |snapshot| {
            let decision = settle_refund(snapshot, &said.of_refund(id), self.now).transpose()?;
            Some(decision.map(|decision| decision.changes))
        });
        assert_eq!(
            decided.is_some(),
            was_pending && (matches!(said, Said::Taken | Said::Declined) || !is_referenced),
            "a refund is settled once"
        );
        if let Some(decided) = decided {
            self.commit(&decided?);
        }
        Ok(())
    }

    /// Records what time has brought, if it is not recorded.
    fn let_time_bring(
        &mut self,
        key: TradeKey,
        decide: impl Fn(&TradeSnapshot, DateTime<Utc>) -> Option<Decision<TradeChanges>>,
    ) -> Result<(), Error> {
        let decided = self.decide(key, None, None, |snapshot| Some(Ok(decide(snapshot, self.now)?.changes)));
        if let Some(decided) = decided {
            self.commit(&decided?);
            let again = self.decide(key, None, None, |snapshot| Some(Ok(decide(snapshot, self.now)?.changes)));
            assert!(again.is_none(), "it is recorded once");
        }
        Ok(())
    }

    fn set_fee(&mut self, service: usize, amount: u8) -> Result<(), Error> {
        let found = first(pick(&self.books.services, service)?.clone());
        let draft = draft(json!({"amount": amount}));
        let RowChange::Update { id, value, .. } = update_service(&found, &staff(), &draft, UpdateMode::Partial)?.changes else {
            panic!("a service is updated")
        };
        row_mut(&mut self.books.services, id).value = value;
        Ok(())
    }

    /// Loads, decides (twice, since a decision is deterministic) and commits.
    fn change(
        &mut self,
        key: TradeKey,
        who: usize,
        card: Option<CreditCardId>,
        decide: impl Fn(&TradeSnapshot, &Actor, DateTime<Utc>) -> Result<Decision<TradeChanges>, Error>,
    ) -> Result<(), Error> {
        let actor = self.actor(who)?;
        let decided = self.decide(key, actor.customer(), card, |snapshot| {
            let decided = decide(snapshot, &actor, self.now);
            let again = decide(&snapshot.clone(), &actor, self.now);
            assert_eq!(format!("{decided:?}"), format!("{again:?}"), "a decision is deterministic");
            Some(decided.map(|decision| decision.changes))
        });
        if let Some(decided) = decided {
            self.commit(&decided?);
        }
        Ok(())
    }

    /// Loads and decides. `None` if the decision changes nothing.
    pub(crate) fn decide(
        &self,
        key: TradeKey,
        viewer: Option<CustomerId>,
        card: Option<CreditCardId>,
        decide: impl FnOnce(&TradeSnapshot) -> Option<Result<TradeChanges, Error>>,
    ) -> Option<Result<Decided, Error>> {
        let snapshot = self.load(key, viewer, card);
        let changes = match decide(&snapshot)? {
            Ok(changes) => changes,
            Err(error) => return Some(Err(error)),
        };
        let is_the_moment = match snapshot.service.invoice_on {
            InvoiceOn::FirstProposal => changes.new_proposal.is_some() && !snapshot.has_proposals,
            InvoiceOn::Acceptance => matches!(changes.decided, Some((_, ProposalState::Accepted { .. }))),
        };
        let fee = is_the_moment.then(|| self.fee(&snapshot, &changes));
        Some(Ok(Decided { trade: snapshot.trade.id, changes, key, viewer, card, fee }))
    }

    /// The fee of an invoice that these changes may issue: such changes come only with a valid one.
    fn fee(&self, snapshot: &TradeSnapshot, changes: &TradeChanges) -> Money {
        let TradeSnapshot { trade, service, proposal: viewed, .. } = snapshot;
        let accepted = viewed.as_ref().map(|view| &view.proposal.value);
        let proposal = changes.new_proposal.as_ref().or(accepted).expect("invoices are issued on proposals");
        let customer_id = match (service.bill_to, changes.state.as_ref()) {
            (BillTo::Counterparty, Some(TradeMove::Agree(agreement) | TradeMove::Complete(agreement, _))) => {
                agreement.counterparty_id
            }
            _ => trade.customer_id,
        };
        self.fees.fee(&FeeBasis { trade, service, proposal, customer_id, issued_at: self.now }).unwrap()
    }

    fn commit(&mut self, decided: &Decided) {
        if let Some(transfer) = decided.changes.transfer {
            assert_eq!(row(&self.books.vehicles, transfer.vehicle_id).customer_id, transfer.from);
        }
        let applied = self.write(decided);
        self.assert_reads_as_applied(&applied, decided.viewer, decided.card);
    }

    /// Writes the changes to the present rows, as a store does after it has checked the version.
    pub(crate) fn write(&mut self, decided: &Decided) -> TradeSnapshot {
        let Decided { trade, changes, key, viewer, card, fee } = decided;
        let ids = NewIds {
            proposal: changes.new_proposal.as_ref().map(|_| next_id(&self.books.proposals)),
            invoice: changes.new_invoice.as_ref().map(|_| next_id(&self.books.invoices)),
            payment: changes.new_payment.as_ref().map(|_| next_id(&self.books.payments)),
            refund: changes.new_refund.as_ref().map(|_| next_id(&self.books.refunds)),
            ..NewIds::default()
        };
        if let Some(fee) = fee {
            self.books.past.fees.insert(*trade, *fee);
        }
        let mut snapshot = self.load(*key, *viewer, *card);
        snapshot.apply(changes, ids);
        self.end_proposals(*trade, changes);
        put(&mut self.books.trades, Some(&snapshot.trade));
        put(&mut self.books.proposals, snapshot.proposal.as_ref().map(|view| &view.proposal));
        put(&mut self.books.invoices, snapshot.invoice.as_ref());
        put(&mut self.books.payments, snapshot.payment.as_ref().map(|(payment, _)| payment));
        put(&mut self.books.refunds, snapshot.refund.as_ref());
        if let Some(transfer) = changes.transfer {
            row_mut(&mut self.books.vehicles, transfer.vehicle_id).value.customer_id = transfer.to;
        }
        snapshot
    }

    /// The changes to existing proposals: the one that is decided, and all others if they are closed.
    fn end_proposals(&mut self, trade: TradeId, changes: &TradeChanges) {
        for proposal in self.books.proposals.iter_mut().filter(|proposal| proposal.trade_id == trade) {
            match (changes.decided, changes.close_others) {
                (Some((id, state)), _) if id == proposal.id => proposal.value.state = state,
                (_, Some(at)) if proposal.state == ProposalState::Pending => {
                    proposal.value.state = match proposal.state_at(at) {
                        ProposalState::Pending => ProposalState::Closed { at },
                        ended => ended,
                    };
                }
                _ => {}
            }
        }
    }

    /// A load after the commit returns the snapshot from before with the changes applied. The exception are the dates that
    /// conflict with a proposal that was just made, which only a load can find.
    fn assert_reads_as_applied(&self, applied: &TradeSnapshot, viewer: Option<CustomerId>, card: Option<CreditCardId>) {
        let key = match (&applied.refund, &applied.payment, &applied.proposal) {
            (Some(refund), ..) => TradeKey::Refund(refund.id),
            (None, Some((payment, _)), _) => TradeKey::Payment(payment.id),
            (None, None, Some(view)) => TradeKey::Proposal(view.proposal.id),
            (None, None, None) => TradeKey::Trade(applied.trade.id),
        };
        let level = |mut snapshot: TradeSnapshot| {
            if let Some(view) = &mut snapshot.proposal {
                view.agreed_period_in_the_way = None;
            }
            snapshot
        };
        let loaded = self.load(key, viewer, card);
        assert_eq!(level(loaded), level(applied.clone()), "committing is applying");
    }

    fn trade(&self, number: usize) -> Result<TradeKey, Error> {
        pick(&self.books.trades, number).map(|trade| TradeKey::Trade(trade.id))
    }

    /// The key for cancelling a trade: an agreed one is loaded with its accepted proposal.
    pub(crate) fn cancelled(trade: &Stored<Trade>) -> TradeKey {
        match trade.state {
            TradeState::Agreed(agreement) => TradeKey::Proposal(agreement.proposal_id),
            _ => TradeKey::Trade(trade.id),
        }
    }

    fn proposal(&self, number: usize) -> Result<TradeKey, Error> {
        pick(&self.books.proposals, number).map(|proposal| TradeKey::Proposal(proposal.id))
    }

    /// The number of trades in a state like this one.
    pub(crate) fn count(&self, wanted: impl Fn(&TradeState) -> bool) -> usize {
        self.books.trades.iter().filter(|trade| wanted(&trade.state)).count()
    }
}

/// The draft with this amount, if one is given.
fn with_amount(mut json: Value, cents: Option<u32>) -> Value {
    if let Some(cents) = cents {
        json["amount"] = format!("{}.{:02}", cents / 100, cents % 100).into();
    }
    json
}
