use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use foldhash::HashSet;
use lease_core::gateway::ChargeKey;
use lease_core::id::{CustomerId, PaymentId, ProposalId, TradeId, VehicleId};
use lease_core::lifecycle::InvoiceChange;
use lease_core::model::{
    Invoice, InvoiceStatus, Payment, PaymentState, PaymentStatus, Period, Proposal, ProposalState, ProposalStatus, Trade,
    TradeState, TradeStatus, Vehicle,
};
use smallvec::SmallVec;

use super::table::Table;
use super::vehicle::model_terms;
use crate::expiry;
use crate::index::{Kind, Term, row_number, text_terms};
use crate::slots::Slots;
use crate::walk::{Direction, Query};

/// Trades, and what a vehicle has of them.
#[derive(Debug, Default)]
pub(crate) struct Trades {
    pub(crate) rows: Table<Trade>,
    /// The open or agreed trade of each vehicle that has one.
    live: Slots<TradeId>,
    /// The agreed periods of each vehicle in their order, and the trade. They never overlap, so their ends are in order too.
    agreed: Slots<SmallVec<[(Period, TradeId); 1]>>,
}

/// All terms of a new trade.
pub(crate) fn trade_terms(trade: &Trade, vehicle: &Vehicle) -> Vec<Term> {
    let mut terms = vec![
        trade_status(TradeStatus::from(trade.state)),
        Term::id(Kind::Service, trade.service_id),
        Term::id(Kind::Vehicle, trade.vehicle_id),
        Term::id(Kind::Customer, trade.customer_id),
    ];
    terms.extend(model_terms(vehicle));
    terms.extend(word_terms(trade));
    terms
}

/// The terms of a trade's words.
pub(crate) fn word_terms(trade: &Trade) -> Vec<Term> {
    text_terms(&trade.search_text())
}

/// The term of trades of a status.
pub(crate) const fn trade_status(status: TradeStatus) -> Term {
    Term::number(Kind::Status, status as u32)
}

impl Trades {
    /// An agreed period of the vehicle, in another trade than this one, that shares a day with `period`; without a period
    /// one that ends after `today`.
    pub(crate) fn agreed_in_the_way(
        &self,
        vehicle: VehicleId,
        trade: TradeId,
        period: Option<Period>,
        today: NaiveDate,
    ) -> Option<Period> {
        let (from, until) = period.map_or((today, NaiveDate::MAX), |period| (period.start(), period.end()));
        let agreed = self.agreed.get(row_number(vehicle))?;
        let (before, _) = agreed.split_at(agreed.partition_point(|(period, _)| period.start() < until));
        let (last, _) = before.iter().rev().find(|(_, other)| *other != trade)?;
        (last.end() > from).then_some(*last)
    }

    /// A period of a vehicle is agreed in a trade.
    pub(crate) fn agree(&mut self, vehicle: VehicleId, trade: TradeId, period: Period) {
        let agreed = self.agreed.get_or_insert_with(row_number(vehicle), SmallVec::new);
        let place = agreed.partition_point(|(other, _)| other.start() < period.start());
        agreed.insert(place, (period, trade));
    }

    /// The open or agreed trade of a vehicle.
    pub(crate) fn live_of(&self, vehicle: VehicleId) -> Option<TradeId> {
        self.live.get(row_number(vehicle)).copied()
    }

    /// Notes whether a trade of a vehicle is open or agreed.
    pub(crate) fn set_live(&mut self, vehicle: VehicleId, trade: TradeId, is_live: bool) {
        if is_live {
            self.live.insert(row_number(vehicle), trade);
        } else if self.live_of(vehicle) == Some(trade) {
            self.live.remove(row_number(vehicle));
        }
    }

    /// Lets a trade be found by the state that it has now.
    pub(crate) fn moved(&mut self, id: TradeId, before: TradeState) {
        let Some(row) = self.rows.get(id).filter(|row| row.value.state != before) else { return };
        let (state, vehicle, is_live) = (row.value.state, row.value.vehicle_id, row.value.is_live());
        let counterparty = row.value.agreement().map(|agreement| agreement.counterparty_id);
        self.rows.retag(id, &[trade_status(before.into())], &[trade_status(state.into())]);
        if let Some(counterparty) = counterparty {
            self.rows.index.insert(Term::id(Kind::Counterparty, counterparty), id);
        }
        self.set_live(vehicle, id, is_live);
    }
}

/// Proposals, and what each customer has of them in each trade.
///
/// The term of everybody (`Public`) is set by an owner's proposals in open trades; that of a customer (`Audience`) by those
/// in trades that are no longer open and that the customer takes part in.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    pub(crate) rows: Table<Proposal>,
    /// Who made one, of each trade, in the order of their ids.
    authors: Slots<SmallVec<[Author; 2]>>,
}

/// What a customer has in a trade.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author {
    customer: CustomerId,
    /// How many proposals they made.
    pub(crate) made: u32,
    /// The stored-pending one.
    pub(crate) pending: Option<ProposalId>,
}

/// The term of proposals that everybody may see.
pub(crate) const fn public() -> Term {
    Term::number(Kind::Public, 0)
}

/// The term of proposals that are stored as being of this status; pending ones that may expire have those of [`expiry`].
pub(crate) const fn proposal_status(status: ProposalStatus) -> Term {
    Term::number(Kind::Status, status as u32)
}

fn standing_terms(proposal: &Proposal) -> impl Iterator<Item = Term> + use<> {
    let expires = proposal.expires_at.filter(|_| proposal.state == ProposalState::Pending).map(expiry::hour);
    let status = expires.is_none().then(|| proposal_status(proposal.state.into()));
    expires.into_iter().flat_map(expiry::terms).chain(status)
}

impl Proposals {
    /// What a customer has in a trade, if they ever made a proposal there.
    pub(crate) fn author(&self, trade: TradeId, customer: CustomerId) -> Option<&Author> {
        let authors = self.authors(trade);
        authors.binary_search_by_key(&customer, |author| author.customer).ok().and_then(|place| authors.get(place))
    }

    /// Those who made a proposal in a trade.
    pub(crate) fn authors(&self, trade: TradeId) -> &[Author] {
        self.authors.get(row_number(trade)).map_or(&[], SmallVec::as_slice)
    }

    /// The stored-pending proposals of a trade.
    pub(crate) fn pending_in(&self, trade: TradeId) -> Vec<ProposalId> {
        self.authors(trade).iter().filter_map(|author| author.pending).collect()
    }

    /// The proposals of one customer in a trade.
    pub(crate) fn of(&self, trade: TradeId, customer: CustomerId) -> Vec<ProposalId> {
        let query = Query::default().and(Some(Term::id(Kind::Trade, trade))).and(Some(Term::id(Kind::Customer, customer)));
        self.rows.walk(query, Direction::Up, 1).map(|(id, _)| id).collect()
    }

    /// Whether another proposal of the trade than this one was accepted.
    pub(crate) fn another_accepted(&self, trade: TradeId, than: ProposalId) -> bool {
        let accepted = proposal_status(ProposalStatus::Accepted);
        let query = Query::default().and(Some(Term::id(Kind::Trade, trade))).and(Some(accepted));
        self.rows.walk(query, Direction::Up, 1).any(|(id, _)| id != than)
    }

    /// Puts a new proposal in; `owner` is the trade's.
    pub(crate) fn insert(&mut self, id: ProposalId, proposal: Proposal, owner: CustomerId) {
        let key = (proposal.trade_id, proposal.customer_id);
        let author = self.author_mut(key.0, key.1);
        author.made += 1;
        if proposal.state == ProposalState::Pending {
            author.pending = Some(id);
        }
        let seen_by = if key.1 == owner { public() } else { Term::id(Kind::TradeOwner, owner) };
        let found_by = [Term::id(Kind::Trade, key.0), Term::id(Kind::Customer, key.1), seen_by];
        let viewer_history = standing_terms(&proposal);
        self.rows.insert(id, proposal, viewer_history.chain(found_by));
    }

    /// A proposal gets a state.
    pub(crate) fn set_state(&mut self, id: ProposalId, state: ProposalState) {
        let Some(row) = self.rows.get_mut(id) else { return };
        let old = standing_terms(&row.value);
        row.value.state = state;
        let new = standing_terms(&row.value);
        let key = (row.value.trade_id, row.value.customer_id);
        old.for_each(|term| self.rows.index.remove(term, id));
        new.for_each(|term| self.rows.index.insert(term, id));
        let author = self.author_mut(key.0, key.1);
        if state == ProposalState::Pending {
            author.pending = Some(id);
        } else if author.pending == Some(id) {
            author.pending = None;
        }
    }

    fn author_mut(&mut self, trade: TradeId, customer: CustomerId) -> &mut Author {
        let authors = self.authors.get_or_insert_with(row_number(trade), SmallVec::new);
        let place = authors.binary_search_by_key(&customer, |author| author.customer).unwrap_or_else(|place| {
            authors.insert(place, Author { customer, made: 0, pending: None });
            place
        });
        &mut authors[place]
    }

    /// The owner's proposals of a trade that is no longer open are seen by those who take part in it, and nobody else.
    pub(crate) fn narrow(&mut self, trade: TradeId, owner: CustomerId, counterparty: Option<CustomerId>) {
        let audience: Vec<Term> = self
            .authors(trade)
            .iter()
            .map(|author| author.customer)
            .chain(counterparty)
            .filter(|who| *who != owner)
            .map(|who| Term::id(Kind::Audience, who))
            .collect();
        for id in self.of(trade, owner) {
            self.rows.retag(id, &[public()], &audience);
        }
    }
}

/// Invoices.
pub(crate) type Invoices = Table<Invoice>;

/// The term of invoices of a status.
pub(crate) const fn invoice_status(status: InvoiceStatus) -> Term {
    Term::number(Kind::Status, status as u32)
}

/// The terms of a new invoice.
pub(crate) fn invoice_terms(invoice: &Invoice) -> impl Iterator<Item = Term> + use<> {
    invoice_standing(invoice).chain([Term::id(Kind::Customer, invoice.customer_id)])
}

fn invoice_standing(invoice: &Invoice) -> impl Iterator<Item = Term> + use<> {
    let expires = invoice.is_open().then(|| expiry::day(invoice.due_date));
    expires.into_iter().flat_map(expiry::terms).chain([invoice_status((&invoice.state).into())])
}

/// An invoice changes, and is found by the state that it has now.
pub(crate) fn change_invoice(invoices: &mut Invoices, change: &InvoiceChange) {
    let Some(row) = invoices.get_mut(change.id) else { return };
    let before = row.value.clone();
    change.apply(&mut row.value);
    if row.value.state == before.state {
        return;
    }
    let new = invoice_standing(&row.value);
    invoice_standing(&before).for_each(|term| invoices.index.remove(term, change.id));
    new.for_each(|term| invoices.index.insert(term, change.id));
}

/// Payments.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    pub(crate) rows: Table<Payment>,
    /// Those that wait for the gateway's response, by when they were begun.
    pub(crate) pending: BTreeSet<(DateTime<Utc>, PaymentId)>,
    /// The charge keys of all.
    pub(crate) charge_keys: HashSet<ChargeKey>,
}

/// The term of payments of a status.
pub(crate) const fn payment_status(status: PaymentStatus) -> Term {
    Term::number(Kind::Status, status as u32)
}

impl Payments {
    /// Puts a new payment in.
    pub(crate) fn insert(&mut self, id: PaymentId, payment: Payment) {
        self.charge_keys.insert(payment.charge_key.clone());
        if payment.state == PaymentState::Pending {
            self.pending.insert((payment.created_at, id));
        }
        let terms = [
            payment_status((&payment.state).into()),
            Term::id(Kind::Invoice, payment.invoice_id),
            Term::id(Kind::Customer, payment.customer_id),
            Term::id(Kind::Card, payment.credit_card_id),
        ];
        self.rows.insert(id, payment, terms);
    }

    /// A payment gets a state.
    pub(crate) fn set_state(&mut self, id: PaymentId, state: &PaymentState) {
        let Some(row) = self.rows.get_mut(id) else { return };
        let old = std::mem::replace(&mut row.value.state, state.clone());
        let key = (row.value.created_at, id);
        self.rows.retag(id, &[payment_status((&old).into())], &[payment_status(state.into())]);
        if *state == PaymentState::Pending {
            self.pending.insert(key);
        } else {
            self.pending.remove(&key);
        }
    }
}
