//! The work of a store: finds rows, and assembles the data that a decision reads.

use lease_core::Error;
use lease_core::catalog::{LiveTrade, VehicleSnapshot};
use lease_core::id::{CreditCardId, CustomerId, Entity, Stored, VehicleId, Version};
use lease_core::lifecycle::{ProposalView, TradeSnapshot, ViewerHistory};
use lease_core::model::{Period, Proposal, ProposalState, Trade};
use lease_core::repository::TradeKey;

use super::World;
use crate::support::{id, stored};

impl World {
    /// A vehicle, as a decision about it reads it.
    pub(super) fn vehicle_snapshot(&self, id: VehicleId, viewer: Option<CustomerId>) -> VehicleSnapshot {
        let trades: Vec<_> = self.books.trades.iter().filter(|trade| trade.vehicle_id == id).collect();
        let vehicle = row(&self.books.vehicles, id).clone();
        let owner = vehicle.customer_id;
        VehicleSnapshot {
            vehicle,
            live_trade: trades.iter().find(|trade| trade.is_live()).map(|trade| self.live_trade(trade)),
            was_traded: !trades.is_empty(),
            viewer_is_party: viewer
                .is_some_and(|viewer| trades.iter().any(|trade| trade.has_party(viewer) && trade.has_party(owner))),
        }
    }

    fn live_trade(&self, trade: &Stored<Trade>) -> LiveTrade {
        let is_bid = |made: &Stored<Proposal>| {
            made.trade_id == trade.id
                && made.customer_id != trade.customer_id
                && made.state_at(self.now) == ProposalState::Pending
        };
        let has_bid = self.books.proposals.iter().any(is_bid);
        let owner_is_active = self.is_active(trade.customer_id);
        LiveTrade { id: trade.id, version: Version::FIRST, is_open: trade.is_open(), owner_is_active, has_bid }
    }

    /// The snapshot that a store's load returns.
    pub(crate) fn load(&self, key: TradeKey, viewer: Option<CustomerId>, card: Option<CreditCardId>) -> TradeSnapshot {
        let books = &self.books;
        let (mut asked_proposal, mut asked_payment, mut asked_refund) = (None, None, None);
        let trade_id = match key {
            TradeKey::Trade(id) => id,
            TradeKey::Proposal(id) => {
                asked_proposal = Some(row(&books.proposals, id));
                row(&books.proposals, id).trade_id
            }
            TradeKey::Invoice(id) => row(&books.invoices, id).trade_id,
            TradeKey::Payment(id) => {
                asked_payment = Some(row(&books.payments, id));
                row(&books.invoices, row(&books.payments, id).invoice_id).trade_id
            }
            TradeKey::Refund(id) => {
                let refund = row(&books.refunds, id);
                asked_refund = Some(refund);
                asked_payment = Some(row(&books.payments, refund.payment_id));
                row(&books.invoices, refund.invoice_id).trade_id
            }
        };
        let trade = row(&books.trades, trade_id).clone();
        let mine =
            || books.proposals.iter().filter(|proposal| proposal.trade_id == trade_id && Some(proposal.customer_id) == viewer);
        let viewer_stands = ViewerHistory {
            proposals_made: u32::try_from(mine().count()).unwrap(),
            pending: mine().find(|proposal| proposal.state == ProposalState::Pending).cloned(),
        };
        TradeSnapshot {
            owner_is_active: self.is_active(trade.customer_id),
            service: row(&books.services, trade.service_id).clone(),
            invoice: trade.invoice_id.map(|id| row(&books.invoices, id).clone()),
            has_proposals: books.proposals.iter().any(|proposal| proposal.trade_id == trade_id),
            proposal: asked_proposal.map(|proposal| self.proposal_view(proposal, trade.vehicle_id)),
            payment: asked_payment.map(|payment| (payment.clone(), row(&books.cards, payment.credit_card_id).clone())),
            refund: asked_refund.cloned(),
            card: card.map(|card| row(&books.cards, card).clone()),
            viewer: viewer_stands,
            trade,
        }
    }

    fn is_active(&self, customer: CustomerId) -> bool {
        self.active[usize::try_from(customer.get()).unwrap() - 1]
    }

    fn proposal_view(&self, proposal: &Stored<Proposal>, vehicle: VehicleId) -> ProposalView {
        let others = self.books.trades.iter().filter(|trade| trade.vehicle_id == vehicle && trade.id != proposal.trade_id);
        let today = self.now.date_naive();
        let in_the_way = |taken: &Period| match proposal.period {
            Some(period) => period.overlaps(*taken),
            None => taken.end() > today,
        };
        let mut agreed = others.filter_map(|trade| trade.days()).filter(|days| !days.is_empty());
        ProposalView {
            proposal: proposal.clone(),
            author_is_active: self.is_active(proposal.customer_id),
            agreed_period_in_the_way: agreed.find(in_the_way),
        }
    }
}

/// The row for any number: 0 is the newest, 1 the one before it, and so on, repeating after the newest eight.
pub(super) fn pick<T: Entity>(rows: &[Stored<T>], number: usize) -> Result<&Stored<T>, Error> {
    let back = number % rows.len().clamp(1, 8);
    rows.iter().rev().nth(back).ok_or(Error::NotFound)
}

pub(super) fn rows<T: Entity>(values: impl IntoIterator<Item = T>) -> Vec<Stored<T>> {
    (1..).zip(values).map(|(number, value)| stored(number, value)).collect()
}

pub(super) fn row<T: Entity>(rows: &[Stored<T>], id: T::Id) -> &Stored<T> {
    rows.iter().find(|row| row.id == id).expect("the row is there")
}

pub(super) fn row_mut<T: Entity>(rows: &mut [Stored<T>], id: T::Id) -> &mut Stored<T> {
    rows.iter_mut().find(|row| row.id == id).expect("the row is there")
}

pub(super) fn next_id<T: Entity>(rows: &[Stored<T>]) -> T::Id {
    id(i64::try_from(rows.len()).unwrap() + 1)
}

pub(super) fn push<T: Entity>(rows: &mut Vec<Stored<T>>, value: T) {
    rows.push(Stored { id: next_id(rows), value });
}

/// Replaces the row with this id, or adds it.
pub(super) fn put<T: Entity>(rows: &mut Vec<Stored<T>>, new: Option<&Stored<T>>) {
    let Some(new) = new else { return };
    match rows.iter_mut().find(|row| row.id == new.id) {
        Some(row) => row.clone_from(new),
        None => rows.push(new.clone()),
    }
}
