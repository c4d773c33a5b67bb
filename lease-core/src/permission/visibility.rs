//! The predicates for what a customer may see. `visible_to` in the filters of [`repository`](crate::repository) means the same;
//! the conformance suite compares the two. Staff see everything.

use crate::id::CustomerId;
use crate::model::{Invoice, Payment, Proposal, Refund, Trade, Vehicle};

/// Whether a customer may see a trade: if it is open and the user of its owner active, if they are its owner or counterparty, or
/// if they have made a proposal in it.
#[must_use]
pub fn can_view_trade(viewer: CustomerId, trade: &Trade, owner_is_active: bool, has_proposed: bool) -> bool {
    (trade.is_open() && owner_is_active) || trade.has_party(viewer) || has_proposed
}

/// Whether a customer may see the agreed days of a trade: if they are its owner or counterparty. Other bidders see that it is agreed,
/// and not on which terms.
#[must_use]
pub fn can_view_days(viewer: CustomerId, trade: &Trade) -> bool {
    trade.has_party(viewer)
}

/// Whether a customer may see a proposal: if it is their own, if it is in a trade they own, or if it is the owner's in a trade
/// they may see.
#[must_use]
pub fn can_view_proposal(
    viewer: CustomerId,
    proposal: &Proposal,
    trade: &Trade,
    owner_is_active: bool,
    has_proposed: bool,
) -> bool {
    proposal.customer_id == viewer
        || trade.customer_id == viewer
        || (proposal.customer_id == trade.customer_id && can_view_trade(viewer, trade, owner_is_active, has_proposed))
}

/// Whether a customer may see a vehicle: if it is their own, if it is in an open trade whose owner is active, or if a trade of it
/// has both them and its owner as parties.
#[must_use]
pub fn can_view_vehicle(viewer: CustomerId, vehicle: &Vehicle, is_on_offer: bool, is_party: bool) -> bool {
    vehicle.customer_id == viewer || is_on_offer || is_party
}

/// Whether a customer may see an invoice: if it is billed to them.
#[must_use]
pub fn can_view_invoice(viewer: CustomerId, invoice: &Invoice) -> bool {
    invoice.customer_id == viewer
}

/// Whether a customer may see a payment: if it is their own.
#[must_use]
pub fn can_view_payment(viewer: CustomerId, payment: &Payment) -> bool {
    payment.customer_id == viewer
}

/// Whether a customer may see the secret with which the payer of a payment acts: if it is their own.
#[must_use]
pub fn can_view_client_secret(viewer: CustomerId, payment: &Payment) -> bool {
    payment.customer_id == viewer
}

/// Whether a customer may see a refund: if it is of their own payment.
#[must_use]
pub fn can_view_refund(viewer: CustomerId, refund: &Refund) -> bool {
    refund.customer_id == viewer
}
