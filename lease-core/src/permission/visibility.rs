//! What a customer may see, as predicates. The same sentences are the `visible_to` of the filters in
//! [`repository`](crate::repository); the conformance suite holds the two against each other. Staff see everything.

use crate::id::CustomerId;
use crate::model::{Invoice, Payment, Proposal, Trade, Vehicle};

/// A trade: open ones, those one is owner or counterparty of, those one has made a proposal in.
#[must_use]
pub fn can_view_trade(viewer: CustomerId, trade: &Trade, has_proposed: bool) -> bool {
    trade.is_open() || trade.has_party(viewer) || has_proposed
}

/// A proposal: one's own, all in one's own trades, the owner's in trades one sees.
#[must_use]
pub fn can_view_proposal(viewer: CustomerId, proposal: &Proposal, trade: &Trade, has_proposed: bool) -> bool {
    proposal.customer_id == viewer
        || trade.customer_id == viewer
        || (proposal.customer_id == trade.customer_id && can_view_trade(viewer, trade, has_proposed))
}

/// A vehicle: one's own, those in an open trade, those in a trade one is owner or counterparty of.
#[must_use]
pub fn can_view_vehicle(viewer: CustomerId, vehicle: &Vehicle, has_open_trade: bool, is_party: bool) -> bool {
    vehicle.customer_id == viewer || has_open_trade || is_party
}

/// An invoice: those billed to one.
#[must_use]
pub fn can_view_invoice(viewer: CustomerId, invoice: &Invoice) -> bool {
    invoice.customer_id == viewer
}

/// A payment: one's own.
#[must_use]
pub fn can_view_payment(viewer: CustomerId, payment: &Payment) -> bool {
    payment.customer_id == viewer
}
