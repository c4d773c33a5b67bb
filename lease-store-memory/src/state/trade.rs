use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, RangeInclusive};

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use lease_core::id::{CustomerId, InvoiceId, ProposalId, TradeId, VehicleId};
use lease_core::lifecycle::InvoiceChange;
use lease_core::model::{
    Invoice, InvoiceStatus, OfferedVehicle, Period, Proposal, ProposalState, ProposalStatus, Trade, TradeStatus,
};

use lease_core::money::Money;
use lease_core::repository::TradeFilter;
use rust_decimal::Decimal;

use super::annotation::called;
use super::table::Table;
use super::vehicle::model_terms;
use crate::index::{Kind, Term, text_terms};
use crate::walk::{Direction, Query};

/// Trades, and those of each vehicle.
#[derive(Debug, Default)]
pub(crate) struct Trades {
    pub(crate) rows: Table<Trade>,
    /// The open trades for which something is asked, by price, of each currency.
    prices: BTreeMap<String, BTreeSet<(Decimal, i64)>>,
    /// The open or agreed trade of each vehicle that has one.
    live: BTreeMap<VehicleId, TradeId>,
    /// The agreed periods of each vehicle by their first day, and the trade. They never overlap, so their ends are in order
    /// too.
    agreed: BTreeMap<(VehicleId, NaiveDate), (Period, TradeId)>,
}

/// All terms of a new trade.
pub(crate) fn trade_terms(trade: &Trade) -> Vec<Term> {
    let mut terms = vec![
        trade_status(TradeStatus::from(&trade.state)),
        Term::id(Kind::Service, trade.service_id),
        Term::id(Kind::Vehicle, trade.vehicle_id),
        Term::id(Kind::Customer, trade.customer_id),
    ];
    terms.extend(offer_terms(&trade.offered));
    terms.extend(word_terms(trade));
    terms.extend(external_terms(trade));
    terms
}

/// The terms of what a trade offers.
fn offer_terms(offered: &OfferedVehicle) -> Vec<Term> {
    let mut terms: Vec<Term> = model_terms(offered).into();
    terms.extend(offered.mileage.map(mileage));
    terms
}

/// The term of an odometer reading. Readings of the same number of binary digits share one, so there are few.
fn mileage(reading: i64) -> Term {
    Term::number(Kind::Mileage, (u64::BITS - reading.cast_unsigned().leading_zeros()).into())
}

/// The terms of all readings up to this one, and of some higher ones.
pub(crate) fn mileages(max: i64) -> RangeInclusive<Term> {
    Term::number(Kind::Mileage, 0)..=mileage(max)
}

/// The price that is asked for a trade, expired or not.
fn asked(trade: &Trade) -> Option<Money> {
    trade.asking.filter(|_| trade.is_open()).map(|asking| asking.amount)
}

/// The terms of a trade's title and description.
pub(crate) fn word_terms(trade: &Trade) -> Vec<Term> {
    text_terms(&trade.search_text())
}

/// The term of a trade's external id, if it has one.
pub(crate) fn external_terms(trade: &Trade) -> Vec<Term> {
    trade.annotations.external_id.as_ref().map(called).into_iter().collect()
}

/// The term of trades of a status.
pub(crate) const fn trade_status(status: TradeStatus) -> Term {
    Term::number(Kind::Status, status as i64)
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
        self.agreed_between(vehicle, trade, from, until)
    }

    /// Whether another trade of the vehicle than this one has agreed on one of these days.
    pub(crate) fn is_taken(&self, vehicle: VehicleId, trade: TradeId, days: Period) -> bool {
        self.agreed_between(vehicle, trade, days.start(), days.end()).is_some()
    }

    fn agreed_between(&self, vehicle: VehicleId, trade: TradeId, from: NaiveDate, until: NaiveDate) -> Option<Period> {
        let before = self.agreed.range((vehicle, NaiveDate::MIN)..(vehicle, until));
        let (last, _) = before.map(|(_, agreed)| *agreed).rfind(|(_, other)| *other != trade)?;
        (last.end() > from).then_some(last)
    }

    /// Notes the agreed days of a trade. Empty ones are in nobody's way.
    fn set_days(&mut self, vehicle: VehicleId, trade: TradeId, before: Option<Period>, days: Option<Period>) {
        if let Some(before) = before.filter(|before| !before.is_empty()) {
            self.agreed.remove(&(vehicle, before.start()));
        }
        if let Some(days) = days.filter(|days| !days.is_empty()) {
            self.agreed.insert((vehicle, days.start()), (days, trade));
        }
    }

    /// The open or agreed trade of a vehicle.
    pub(crate) fn live_of(&self, vehicle: VehicleId) -> Option<TradeId> {
        self.live.get(&vehicle).copied()
    }

    /// Notes whether a trade of a vehicle is open or agreed.
    pub(crate) fn set_live(&mut self, vehicle: VehicleId, trade: TradeId, is_live: bool) {
        if is_live {
            self.live.insert(vehicle, trade);
        } else if self.live_of(vehicle) == Some(trade) {
            self.live.remove(&vehicle);
        }
    }

    /// Updates the order of the prices after a trade has changed.
    pub(crate) fn asked(&mut self, id: TradeId, before: &Trade) {
        let Some(row) = self.rows.get(id) else { return };
        let (old, new) = (asked(before), asked(&row.value));
        if old == new {
            return;
        }
        if let Some(old) = old
            && let Some(prices) = self.prices.get_mut(old.currency().code())
        {
            prices.remove(&(old.amount(), id.get()));
        }
        if let Some(new) = new {
            self.prices.entry(new.currency().code().to_owned()).or_default().insert((new.amount(), id.get()));
        }
    }

    /// The open trades for which something is asked in a currency, by price: upwards from `start` or from the lowest price that is
    /// wanted, or downwards from `start` or the highest.
    pub(crate) fn by_price(
        &self,
        filter: &TradeFilter,
        direction: Direction,
        start: Option<(Decimal, i64)>,
    ) -> Box<dyn Iterator<Item = TradeId> + '_> {
        let Some(prices) = filter.currency.and_then(|currency| self.prices.get(currency.code())) else {
            return Box::new(std::iter::empty());
        };
        let (min, max) = (filter.price_min.unwrap_or(Decimal::MIN), filter.price_max.unwrap_or(Decimal::MAX));
        let from = |first| start.map_or(Bound::Included(first), Bound::Excluded);
        match direction {
            Direction::Up => {
                let rising = prices.range((from((min, 0)), Bound::Unbounded)).take_while(move |(price, _)| *price <= max);
                Box::new(rising.filter_map(|(_, id)| TradeId::new(*id)))
            }
            Direction::Down => {
                let falling = prices.range((Bound::Unbounded, from((max, i64::MAX)))).rev();
                Box::new(falling.take_while(move |(price, _)| *price >= min).filter_map(|(_, id)| TradeId::new(*id)))
            }
        }
    }

    /// Changes what a trade offers.
    pub(crate) fn offer(&mut self, id: TradeId, offered: OfferedVehicle) {
        let Some(row) = self.rows.get_mut(id) else { return };
        let new = offer_terms(&offered);
        let old = offer_terms(&std::mem::replace(&mut row.value.offered, offered));
        row.bump();
        self.rows.retag(id, &old, &new);
    }

    /// The parties of each trade of a vehicle; a trade without a counterparty has its owner twice.
    pub(crate) fn parties_of(&self, vehicle: VehicleId) -> Vec<[CustomerId; 2]> {
        let trades = self.rows.index.rows(Term::id(Kind::Vehicle, vehicle)).filter_map(|id: TradeId| self.rows.get(id));
        let parties =
            |trade: &Trade| [trade.customer_id, trade.agreement().map_or(trade.customer_id, |made| made.counterparty_id)];
        trades.map(|row| parties(&row.value)).collect()
    }

    /// Updates the terms by which a trade's state is found, and its agreed days.
    pub(crate) fn moved(&mut self, id: TradeId, before: &Trade) {
        let Some(row) = self.rows.get(id).filter(|row| row.value.state != before.state) else { return };
        let (status, vehicle, is_live) = (TradeStatus::from(&row.value.state), row.value.vehicle_id, row.value.is_live());
        let counterparty = row.value.agreement().map(|agreement| agreement.counterparty_id);
        let days = row.value.days();
        self.set_days(vehicle, id, before.days(), days);
        self.rows.retag(id, &[trade_status(TradeStatus::from(&before.state))], &[trade_status(status)]);
        if let Some(counterparty) = counterparty {
            self.rows.index.insert(Term::id(Kind::Counterparty, counterparty), id);
        }
        self.set_live(vehicle, id, is_live);
    }
}

/// Proposals, and those of each customer in each trade.
///
/// The term of everybody (`Public`) is set by an owner's proposals in open trades; that of a customer (`Audience`) by those
/// in trades that are no longer open and that the customer takes part in.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    pub(crate) rows: Table<Proposal>,
    /// Those that are stored as pending and expire, by when.
    pub(crate) expiring: BTreeSet<(DateTime<Utc>, ProposalId)>,
    /// The customers who made a proposal in each trade, in the order of their ids.
    authors: BTreeMap<TradeId, Vec<Author>>,
}

/// The proposals of one customer in a trade.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author {
    customer: CustomerId,
    /// The first one that they made.
    first: Option<ProposalId>,
    /// The number of proposals that they made.
    pub(crate) made: u32,
    /// The one that is stored as pending.
    pub(crate) pending: Option<ProposalId>,
}

/// The term of proposals that everybody may see.
pub(crate) const fn public() -> Term {
    Term::number(Kind::Public, 0)
}

/// The term of proposals whose stored status is this; pending ones that may expire have the day of their expiry instead.
pub(crate) const fn proposal_status(status: ProposalStatus) -> Term {
    Term::number(Kind::Status, status as i64)
}

/// The term of proposals that expire, and of open invoices that are due, on this day.
fn expires_on(day: NaiveDate) -> Term {
    Term::number(Kind::Expiry, day.num_days_from_ce().into())
}

/// The terms of everything that expires in a range of days.
pub(crate) fn expiring(first: Option<NaiveDate>, last: Option<NaiveDate>) -> RangeInclusive<Term> {
    let number = |day: NaiveDate| day.num_days_from_ce().into();
    Term::numbers(Kind::Expiry, first.map(number), last.map(number))
}

/// The status of a proposal as a term. A pending proposal that expires has the day of its expiry instead, because time alone
/// changes whether it is expired.
fn status_term(proposal: &Proposal) -> Term {
    match expiry(proposal) {
        Some(at) => expires_on(at.date_naive()),
        None => proposal_status(proposal.state.into()),
    }
}

/// When a proposal that is stored as pending expires.
fn expiry(proposal: &Proposal) -> Option<DateTime<Utc>> {
    proposal.expires_at.filter(|_| proposal.state == ProposalState::Pending)
}

impl Proposals {
    /// The proposals of a customer in a trade, if they ever made a proposal there.
    pub(crate) fn author(&self, trade: TradeId, customer: CustomerId) -> Option<&Author> {
        let authors = self.authors(trade);
        authors.binary_search_by_key(&customer, |author| author.customer).ok().and_then(|place| authors.get(place))
    }

    /// The customers who made a proposal in a trade.
    pub(crate) fn authors(&self, trade: TradeId) -> &[Author] {
        self.authors.get(&trade).map_or(&[], Vec::as_slice)
    }

    /// The ids of the customers who made a proposal in a trade.
    pub(crate) fn authors_of(&self, trade: TradeId) -> Vec<CustomerId> {
        self.authors(trade).iter().map(|author| author.customer).collect()
    }

    /// The customers after this one, or all, who made a proposal in a trade before this one.
    pub(crate) fn authors_before(
        &self,
        trade: TradeId,
        before: ProposalId,
        after: Option<CustomerId>,
    ) -> impl Iterator<Item = CustomerId> {
        let authors = self.authors(trade);
        let next = authors.partition_point(|author| after.is_some_and(|after| author.customer <= after));
        let earlier = move |author: &&Author| author.first.is_some_and(|first| first < before);
        authors.iter().skip(next).filter(earlier).map(|author| author.customer)
    }

    /// The proposals of a trade that are stored as pending.
    pub(crate) fn pending_in(&self, trade: TradeId) -> Vec<ProposalId> {
        self.authors(trade).iter().filter_map(|author| author.pending).collect()
    }

    /// The proposals of one customer in a trade.
    pub(crate) fn of(&self, trade: TradeId, customer: CustomerId) -> Vec<ProposalId> {
        let query = Query::default().and(Some(Term::id(Kind::Trade, trade))).and(Some(Term::id(Kind::Customer, customer)));
        self.rows.find(query, Direction::Up).map(|(id, _)| id).collect()
    }

    /// Whether another proposal of the trade than this one was accepted, also if it was rescinded since.
    pub(crate) fn another_accepted(&self, trade: TradeId, than: ProposalId) -> bool {
        let accepted = [ProposalStatus::Accepted, ProposalStatus::Rescinded].map(proposal_status);
        let query = Query::default().and(Some(Term::id(Kind::Trade, trade))).and_any(accepted);
        self.rows.find(query, Direction::Up).any(|(id, _)| id != than)
    }

    /// Inserts a new proposal; `owner` is the trade's.
    pub(crate) fn insert(&mut self, id: ProposalId, proposal: Proposal, owner: CustomerId) {
        let key = (proposal.trade_id, proposal.customer_id);
        let author = self.author_mut(key.0, key.1);
        author.first.get_or_insert(id);
        author.made += 1;
        if proposal.state == ProposalState::Pending {
            author.pending = Some(id);
        }
        let seen_by = if key.1 == owner { public() } else { Term::id(Kind::TradeOwner, owner) };
        self.expiring.extend(expiry(&proposal).map(|at| (at, id)));
        let terms = [status_term(&proposal), Term::id(Kind::Trade, key.0), Term::id(Kind::Customer, key.1), seen_by];
        self.rows.insert(id, proposal, terms);
    }

    /// Sets the state of a proposal.
    pub(crate) fn set_state(&mut self, id: ProposalId, state: ProposalState) {
        let Some(row) = self.rows.get_mut(id) else { return };
        let (old, old_expiry) = (status_term(&row.value), expiry(&row.value));
        row.value.state = state;
        let (new, new_expiry) = (status_term(&row.value), expiry(&row.value));
        let key = (row.value.trade_id, row.value.customer_id);
        self.rows.retag(id, &[old], &[new]);
        if let Some(at) = old_expiry {
            self.expiring.remove(&(at, id));
        }
        self.expiring.extend(new_expiry.map(|at| (at, id)));
        let author = self.author_mut(key.0, key.1);
        if state == ProposalState::Pending {
            author.pending = Some(id);
        } else if author.pending == Some(id) {
            author.pending = None;
        }
    }

    fn author_mut(&mut self, trade: TradeId, customer: CustomerId) -> &mut Author {
        let authors = self.authors.entry(trade).or_default();
        let place = authors.binary_search_by_key(&customer, |author| author.customer).unwrap_or_else(|place| {
            authors.insert(place, Author { customer, first: None, made: 0, pending: None });
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
#[derive(Debug, Default)]
pub(crate) struct Invoices {
    pub(crate) rows: Table<Invoice>,
    /// Those that are open and not known to be overdue, by their due dates.
    pub(crate) due: BTreeSet<(NaiveDate, InvoiceId)>,
}

/// The term of invoices of a status.
pub(crate) const fn invoice_status(status: InvoiceStatus) -> Term {
    Term::number(Kind::Status, status as i64)
}

/// The terms of an invoice that may change.
fn invoice_status_term(invoice: &Invoice) -> impl Iterator<Item = Term> + use<> {
    let due = invoice.is_open().then(|| expires_on(invoice.due_date));
    due.into_iter().chain([invoice_status((&invoice.state).into())])
}

/// The due date of an invoice that is open and not known to be overdue.
fn falls_due(invoice: &Invoice) -> Option<NaiveDate> {
    (invoice.is_open() && invoice.overdue_at.is_none()).then_some(invoice.due_date)
}

impl Invoices {
    /// Inserts a new invoice.
    pub(crate) fn insert(&mut self, id: InvoiceId, invoice: Invoice) {
        self.due.extend(falls_due(&invoice).map(|day| (day, id)));
        let terms: Vec<Term> = invoice_status_term(&invoice).chain([Term::id(Kind::Customer, invoice.customer_id)]).collect();
        self.rows.insert(id, invoice, terms);
    }

    /// Changes an invoice.
    pub(crate) fn change(&mut self, change: &InvoiceChange) {
        let Some(row) = self.rows.get_mut(change.id) else { return };
        let before = row.value.clone();
        change.apply(&mut row.value);
        let new_due = falls_due(&row.value);
        let is_moved = (&row.value.state, row.value.due_date) != (&before.state, before.due_date);
        let new = is_moved.then(|| invoice_status_term(&row.value));
        if let Some(day) = falls_due(&before) {
            self.due.remove(&(day, change.id));
        }
        self.due.extend(new_due.map(|day| (day, change.id)));
        if let Some(new) = new {
            let old: Vec<Term> = invoice_status_term(&before).collect();
            self.rows.retag(change.id, &old, &new.collect::<Vec<_>>());
        }
    }
}
