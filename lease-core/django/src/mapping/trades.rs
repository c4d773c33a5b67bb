//! Trades, with what hangs on them: all trades of a vehicle are seen together, because they depend on each other.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lease_core::id::{CustomerId, ProposalId, Stored, TradeId};
use lease_core::import::Import;
use lease_core::model::{
    Agreement, Annotations, Asking, Invoice, InvoiceOn, OfferedVehicle, Payment, Proposal, ProposalState, Service, ServiceKind,
    Trade, TradeState, Vehicle,
};
use lease_core::text::FREE_TEXT_MAX;

use super::invoices::{Bill, InvoiceRows};
use super::metadata::Metadata;
use super::{Mapping, Notes, Terms, find, find_mut, last_id, past};
use crate::amount::positive;
use crate::report::Table;
use crate::rows::{CardRow, ProposalRow, Rows, TradeRow};
use crate::text;

/// The statuses of a trade.
const OPEN: i64 = 1;
const ACCEPTED: i64 = 2;
const CANCELLED: i64 = 3;
/// Those of a proposal, beside [`ACCEPTED`].
const PENDING: i64 = 1;
const REFUSED: i64 = 3;
const CLOSED: i64 = 4;
const TAKEN_BACK: i64 = 5;

/// A trade in Django, with what hangs on it, each in the order of its ids.
struct TradeRows<'a> {
    id: TradeId,
    row: &'a TradeRow,
    vehicle: &'a Stored<Vehicle>,
    service: &'a Stored<Service>,
    proposals: Vec<(ProposalId, &'a ProposalRow)>,
    invoices: InvoiceRows<'a>,
}

/// What becomes of a trade and of what hangs on it.
struct Deal {
    trade: Stored<Trade>,
    kind: ServiceKind,
    proposals: Vec<Stored<Proposal>>,
    invoice: Option<Stored<Invoice>>,
    payments: Vec<Stored<Payment>>,
    metadata: Metadata,
    notes: Notes,
}

impl Mapping {
    pub(super) fn trades(&mut self, rows: &Rows, cards: &BTreeMap<i64, &CardRow>) {
        let trades = self.notes.by_id(Table::Trades, &rows.trades, |row| row.id);
        let proposals = self.notes.by_id(Table::Proposals, &rows.proposals, |row| row.id);
        let invoices = self.notes.by_id(Table::Invoices, &rows.invoices, |row| row.id);
        let payments = self.notes.by_id(Table::Payments, &rows.payments, |row| row.id);
        let last_ids = &mut self.import.last_ids;
        (last_ids.trade, last_ids.proposal) = (last_id(&trades), last_id(&proposals));
        (last_ids.invoice, last_ids.payment) = (last_id(&invoices), last_id(&payments));

        let mut of_trade: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for (id, row) in &proposals {
            of_trade.entry(row.trade.unwrap_or_default()).or_default().extend(ProposalId::new(*id).map(|id| (id, *row)));
        }
        let mut invoices_of = InvoiceRows::by_trade(&invoices, &payments);
        let (vehicles, services) = (self.import.vehicles.clone(), self.import.services.clone());
        let mut of_vehicle: BTreeMap<i64, Vec<_>> = BTreeMap::new();
        for (id, row) in &trades {
            let (vehicle, service) = (find(&vehicles, row.vehicle), find(&services, row.service));
            let (Some(trade), Some(vehicle), Some(service)) = (TradeId::new(*id), vehicle, service) else {
                self.notes.dropped(Table::Trades, *id, "its vehicle or its service is not taken");
                continue;
            };
            let (proposals, invoices) = (of_trade.remove(id).unwrap_or_default(), invoices_of.remove(id).unwrap_or_default());
            let rows = TradeRows { id: trade, row, vehicle, service, proposals, invoices };
            of_vehicle.entry(vehicle.id.get()).or_default().push(rows);
        }
        for trades in of_vehicle.into_values() {
            self.trades_of_vehicle(&trades, cards);
        }
        self.sort();
        self.drop_the_rest(proposals.keys(), invoices.keys(), payments.keys());
    }

    /// The trades of one vehicle, in the order of their ids. None comes after one in which the vehicle was sold, or else after the first
    /// that is agreed; and only the last one can be live.
    fn trades_of_vehicle(&mut self, trades: &[TradeRows<'_>], cards: &BTreeMap<i64, &CardRow>) {
        let desk = Desk { terms: self.terms, import: &self.import, cards };
        let mut deals: Vec<_> = trades.iter().map(|rows| desk.deal(rows, None)).collect();
        let is_agreed = |deal: &Deal| matches!(deal.trade.state, TradeState::Agreed(_));
        let last = deals.iter().position(Deal::is_completed_sale).or_else(|| deals.iter().position(is_agreed));
        let kept = last.map_or(trades.len(), |last| last + 1);
        for (deal, rows) in deals.iter_mut().zip(trades).take(kept.saturating_sub(1)) {
            if deal.trade.is_live() {
                *deal = desk.deal(rows, Some("The vehicle is in a later trade."));
            }
        }
        for later in trades.iter().skip(kept) {
            self.notes.dropped(Table::Trades, later.id.get(), "its vehicle was sold or agreed on in an earlier one");
        }
        for deal in deals.into_iter().take(kept) {
            self.take(deal);
        }
    }

    fn take(&mut self, deal: Deal) {
        let is_sale = deal.is_completed_sale();
        let Deal { mut trade, proposals, invoice, payments, metadata, notes, .. } = deal;
        self.notes.absorb(notes);
        if metadata.is_full {
            self.notes.changed(Table::Trades, trade.id.get(), "not all details of its proposals had room in the metadata");
        }
        trade.value.annotations = metadata.annotations();
        if let Some(service) = find_mut(&mut self.import.services, trade.service_id) {
            service.is_used = true;
        }
        if let Some(agreement) = trade.agreement().filter(|_| is_sale)
            && let Some(vehicle) = find_mut(&mut self.import.vehicles, trade.vehicle_id)
        {
            vehicle.customer_id = agreement.counterparty_id;
            self.notes.changed(Table::Vehicles, vehicle.id.get(), "it was sold, and passed to the buyer");
        }
        self.import.trades.push(trade);
        self.import.proposals.extend(proposals);
        self.import.invoices.extend(invoice);
        self.import.payments.extend(payments);
    }

    fn sort(&mut self) {
        self.import.trades.sort_by_key(|row| row.id);
        self.import.proposals.sort_by_key(|row| row.id);
        self.import.invoices.sort_by_key(|row| row.id);
        self.import.payments.sort_by_key(|row| row.id);
    }

    /// Notes what hangs on something that is not taken.
    fn drop_the_rest<'a>(
        &mut self,
        proposals: impl Iterator<Item = &'a i64>,
        invoices: impl Iterator<Item = &'a i64>,
        payments: impl Iterator<Item = &'a i64>,
    ) {
        let taken = |ids: &mut dyn Iterator<Item = i64>| ids.collect::<BTreeSet<_>>();
        let import = &self.import;
        let of_proposals = taken(&mut import.proposals.iter().map(|row| row.id.get()));
        let of_invoices = taken(&mut import.invoices.iter().map(|row| row.id.get()));
        let of_payments = taken(&mut import.payments.iter().map(|row| row.id.get()));
        let proposals = proposals.map(|id| (Table::Proposals, id, &of_proposals, "its trade is not taken"));
        let invoices = invoices.map(|id| (Table::Invoices, id, &of_invoices, "its trade is not taken"));
        let payments = payments.map(|id| (Table::Payments, id, &of_payments, "its invoice is not taken"));
        let dropped = self.notes.all_dropped();
        for (table, id, taken, reason) in proposals.chain(invoices).chain(payments) {
            if !taken.contains(id) && !dropped.contains(&(table, *id)) {
                self.notes.dropped(table, *id, reason);
            }
        }
    }
}

impl Deal {
    fn is_completed_sale(&self) -> bool {
        self.kind == ServiceKind::Sell && matches!(self.trade.state, TradeState::Completed { .. })
    }
}

/// What is known when a trade is looked at.
pub(super) struct Desk<'a> {
    pub(super) terms: Terms,
    pub(super) import: &'a Import,
    pub(super) cards: &'a BTreeMap<i64, &'a CardRow>,
}

/// A proposal that is taken, whatever becomes of it.
struct Offer<'a> {
    id: ProposalId,
    row: &'a ProposalRow,
    customer: CustomerId,
    value: Proposal,
}

/// How a trade ended before it was completed: when, and why.
type End = (DateTime<Utc>, String);

impl Desk<'_> {
    fn customer(&self, id: Option<i64>) -> Option<CustomerId> {
        find(&self.import.customers, id).map(|customer| customer.id)
    }

    /// What becomes of a trade; one that is live is cancelled, if there is a reason.
    fn deal(&self, rows: &TradeRows<'_>, cancelled: Option<&str>) -> Deal {
        let (id, row, owner) = (rows.id, rows.row, rows.vehicle.customer_id);
        let mut notes = Notes::default();
        let created_at = past(row.created_at, self.terms.now);
        let updated_at = past(row.updated_at, self.terms.now).max(created_at);
        let mut offers = self.offers(rows, created_at, &mut notes);
        let agreement = self.agreement(&offers, owner, updated_at);
        let end = self.end(row, agreement.is_some(), cancelled, updated_at);
        if let Some((_, reason)) = end.as_ref().filter(|_| row.status != Some(CANCELLED)) {
            notes.changed(Table::Trades, id.get(), format!("it is cancelled: {reason}"));
        } else if agreement.is_some() && row.status == Some(OPEN) {
            notes.changed(Table::Trades, id.get(), "it was open, though a proposal was accepted");
        }
        self.decide(&mut offers, rows, agreement.as_ref(), end.as_ref(), updated_at, &mut notes);

        let cause = match rows.service.invoice_on {
            InvoiceOn::FirstProposal => offers.first().map(|offer| offer.id),
            InvoiceOn::Acceptance => agreement.map(|agreement| agreement.proposal_id),
        };
        let bill = Bill { trade: id, owner, cause };
        let (invoice, payments) = self.invoice(&bill, &rows.invoices, &mut notes);
        let state = match (end, agreement) {
            (Some((cancelled_at, reason)), agreement) => TradeState::Cancelled { cancelled_at, reason, agreement },
            (None, None) => TradeState::Open,
            (None, Some(agreement)) if invoice.as_ref().is_some_and(|invoice| invoice.is_open()) => TradeState::Agreed(agreement),
            (None, Some(agreement)) => {
                let paid_at = invoice.as_ref().and_then(|invoice| invoice.state.paid_at());
                TradeState::Completed { agreement, completed_at: paid_at.unwrap_or(updated_at).max(updated_at) }
            }
        };
        let metadata = details(&offers, rows);
        let proposals: Vec<_> = offers.into_iter().map(|offer| Stored { id: offer.id, value: offer.value }).collect();
        let is_asked = |made: &&Stored<Proposal>| made.customer_id == owner && made.state == ProposalState::Pending;
        let value = Trade {
            vehicle_id: rows.vehicle.id,
            service_id: rows.service.id,
            customer_id: owner,
            title: String::new(),
            description: notes.text(Table::Trades, id.get(), text::free(row.note.as_deref(), FREE_TEXT_MAX)),
            state,
            offered: OfferedVehicle::from(&rows.vehicle.value),
            asking: proposals.iter().find(is_asked).map(|made| Asking::of(made.id, made)),
            invoice_id: invoice.as_ref().map(|invoice| invoice.id),
            created_at,
            annotations: Annotations::default(),
        };
        Deal { trade: Stored { id, value }, kind: rows.service.kind, proposals, invoice, payments, metadata, notes }
    }

    /// The proposals that are taken, none of them decided yet.
    fn offers<'a>(&self, rows: &TradeRows<'a>, created_at: DateTime<Utc>, notes: &mut Notes) -> Vec<Offer<'a>> {
        let mut offers = Vec::new();
        for (id, row) in &rows.proposals {
            let Some(customer) = self.customer(row.created_by_customer) else {
                notes.dropped(Table::Proposals, id.get(), "its author is not taken");
                continue;
            };
            let Some(rounding) = positive(row.total_amount, self.terms.currency) else {
                notes.dropped(Table::Proposals, id.get(), "its amount is not above 0");
                continue;
            };
            notes.rounded(Table::Proposals, id.get(), rounding);
            let value = Proposal {
                trade_id: rows.id,
                customer_id: customer,
                amount: rounding.money,
                period: None,
                message: notes.text(Table::Proposals, id.get(), text::free(row.note.as_deref(), FREE_TEXT_MAX)),
                expires_at: None,
                created_at,
                state: ProposalState::Pending,
            };
            offers.push(Offer { id: *id, row, customer, value });
        }
        offers
    }

    /// The first proposal that was accepted, and has a second party.
    fn agreement(&self, offers: &[Offer<'_>], owner: CustomerId, agreed_at: DateTime<Utc>) -> Option<Agreement> {
        offers.iter().filter(|offer| offer.row.status == Some(ACCEPTED)).find_map(|offer| {
            let accepted_by = self.customer(offer.row.accepted_by_customer);
            let party = if offer.customer == owner { accepted_by } else { Some(offer.customer) };
            let counterparty_id = party.filter(|party| *party != owner)?;
            Some(Agreement { counterparty_id, proposal_id: offer.id, days: None, agreed_at })
        })
    }

    fn end(&self, row: &TradeRow, is_agreed: bool, cancelled: Option<&str>, updated_at: DateTime<Utc>) -> Option<End> {
        let by_the_import = |reason: &str| Some((self.terms.now, reason.to_owned()));
        match (cancelled, row.status) {
            (Some(reason), _) => by_the_import(reason),
            (None, Some(CANCELLED)) => Some((updated_at, "Cancelled in Django.".to_owned())),
            (None, Some(ACCEPTED)) if !is_agreed => by_the_import("Accepted in Django without an accepted proposal."),
            (None, Some(OPEN | ACCEPTED)) => None,
            (None, _) => by_the_import("Of an unknown status in Django."),
        }
    }

    /// Decides what becomes of each proposal.
    fn decide(
        &self,
        offers: &mut [Offer<'_>],
        rows: &TradeRows<'_>,
        agreement: Option<&Agreement>,
        end: Option<&End>,
        updated_at: DateTime<Utc>,
        notes: &mut Notes,
    ) {
        let ended_at = end.map(|(at, _)| *at);
        let is_open = agreement.is_none() && end.is_none();
        let last_pending: BTreeMap<CustomerId, ProposalId> =
            offers.iter().filter(|offer| offer.row.status == Some(PENDING)).map(|offer| (offer.customer, offer.id)).collect();
        for offer in offers {
            let is_own = offer.customer == rows.vehicle.customer_id;
            let is_agreed = agreement.is_some_and(|agreement| agreement.proposal_id == offer.id);
            let is_last = last_pending.get(&offer.customer) == Some(&offer.id);
            let (state, changed) = match (offer.row.status, ended_at) {
                (_, Some(at)) if is_agreed => {
                    (ProposalState::Rescinded { at }, Some("its trade is cancelled, so it is rescinded"))
                }
                (_, None) if is_agreed => (ProposalState::Accepted { at: updated_at }, None),
                (Some(PENDING), _) if is_open && rows.service.kind == ServiceKind::Lease => {
                    (ProposalState::Closed { at: self.terms.now }, Some("it was pending, and is closed: it has no days"))
                }
                (Some(PENDING), _) if is_open && is_last => (ProposalState::Pending, None),
                (Some(PENDING), _) if is_open => (
                    ProposalState::Superseded { at: updated_at },
                    Some("it was pending, and a later one of its author takes its place"),
                ),
                (Some(PENDING), at) => {
                    (ProposalState::Closed { at: at.unwrap_or(updated_at) }, Some("it was pending in a trade that is not open"))
                }
                (Some(ACCEPTED), _) => (
                    ProposalState::Closed { at: updated_at },
                    Some("it was accepted, and is closed: nobody accepted it, or another one was accepted before"),
                ),
                (Some(REFUSED), _) if !is_own => (ProposalState::Rejected { at: updated_at }, None),
                (Some(REFUSED | TAKEN_BACK), _) => (ProposalState::Withdrawn { at: updated_at }, None),
                (Some(CLOSED), _) => (ProposalState::Closed { at: updated_at }, None),
                (_, _) => (ProposalState::Closed { at: updated_at }, Some("it was of an unknown status, and is closed")),
            };
            offer.value.state = state;
            if let Some(reason) = changed {
                notes.changed(Table::Proposals, offer.id.get(), reason);
            }
        }
    }
}

/// The details of the proposals that have no field of their own, by the ids of the proposals.
fn details(offers: &[Offer<'_>], rows: &TradeRows<'_>) -> Metadata {
    let mut of_trade = Metadata::default();
    for Offer { id, row, value, .. } in offers {
        let mut details = Metadata::default();
        if let Some(down_payment) = row.down_payment {
            details.put("down_payment", down_payment.normalize().to_string());
        }
        details.put_number("total_days_to_pay", row.total_days_to_pay);
        match row.pay_frequency {
            Some(1) => details.put("pay_frequency", "once"),
            Some(2) => details.put("pay_frequency", "monthly"),
            Some(3) => details.put("pay_frequency", "biweekly"),
            Some(4) => details.put("pay_frequency", "weekly"),
            other => details.put_number("pay_frequency", other),
        }
        details.put_text("system_note", row.system_note.as_deref());
        if rows.service.kind == ServiceKind::Lease {
            details.put("amount", "for the whole lease, not for a month");
            if row.status == Some(PENDING) && matches!(value.state, ProposalState::Closed { .. }) {
                details.put("note", "Closed by the import: it has no days.");
            }
        }
        if let Some(details) = details.object() {
            of_trade.put(&format!("proposal_{id}"), details);
        }
    }
    of_trade
}
