//! The life cycle of a trade (chapter 4), with one file for each rule.
//!
//! Every decision is a pure function `snapshot + actor + input + now → decision or error`; the engine loads the snapshot and
//! commits the decision. Each checks in the order of rule 2.4: visibility and permission, then the fields, then the state.

mod accept;
mod actions;
mod amend;
mod cancel;
mod end;
mod expire;
mod open;
mod propose;
mod reject;
mod withdraw;

pub use accept::accept;
pub use actions::{AvailableAction, payment_actions, proposal_actions, trade_actions};
pub use amend::{AmendmentDraft, amend};
pub use cancel::{CancellationDraft, cancel};
pub use end::{EndDraft, end};
pub use expire::expire;
pub use open::{TradeDraft, open};
pub use propose::{ProposalDraft, propose};
pub use reject::reject;
pub use withdraw::withdraw;

pub use crate::trade::{
    InvoiceChange, NewInvoice, Opening, OpeningSnapshot, PaymentChange, ProposalView, RefundChange, TradeChange, TradeChanges,
    TradeMove, TradeSnapshot, TradeText, ViewerHistory,
};

use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::{Error, Refusal};
use crate::id::Stored;
use crate::model::{Proposal, ProposalState};
use crate::permission::{Actor, Resource, can_view_proposal, can_view_trade};
use crate::trade::proposal_decided;

/// Succeeds if the actor may see the trade.
pub(crate) fn require_visible(snapshot: &TradeSnapshot, actor: &Actor) -> Result<(), Error> {
    let TradeSnapshot { trade, owner_is_active, viewer, .. } = snapshot;
    actor.require_view(Resource::Trade, |customer| can_view_trade(customer, trade, *owner_is_active, viewer.has_proposed()))
}

/// Whether the trade would be seen by every customer if its owner were active.
fn hides_with_owner(snapshot: &TradeSnapshot) -> bool {
    snapshot.trade.is_open() && !snapshot.owner_is_active
}

/// The snapshot's proposal, if the actor may see it.
pub(crate) fn visible_proposal<'a>(snapshot: &'a TradeSnapshot, actor: &Actor) -> Result<&'a ProposalView, Error> {
    let view = snapshot.proposal.as_ref().ok_or(Error::NotFound)?;
    actor.require_view(Resource::Proposal, |customer| {
        let TradeSnapshot { trade, owner_is_active, viewer, .. } = snapshot;
        can_view_proposal(customer, &view.proposal, trade, *owner_is_active, viewer.has_proposed())
    })?;
    Ok(view)
}

/// The decision that only gives one proposal of the trade another state.
fn decide_proposal(snapshot: &TradeSnapshot, proposal: &Stored<Proposal>, to: ProposalState) -> Decision<TradeChanges> {
    let event = proposal_decided(snapshot.trade.customer_id, proposal.id, proposal, to);
    Decision::new(TradeChanges { decided: Some((proposal.id, to)), ..TradeChanges::default() }, event)
}

fn require_open(snapshot: &TradeSnapshot) -> Result<(), Refusal> {
    if snapshot.trade.is_open() { Ok(()) } else { Err(Refusal::TradeNotOpen) }
}

/// Succeeds if the proposal can be decided (rule 4.5). It checks the trade, then `expires_at`, then the proposal's state.
fn require_pending(snapshot: &TradeSnapshot, proposal: &Stored<Proposal>, now: DateTime<Utc>) -> Result<(), Refusal> {
    require_open(snapshot)?;
    match proposal.state_at(now) {
        ProposalState::Pending => Ok(()),
        ProposalState::Expired { .. } => Err(Refusal::ProposalExpired),
        ProposalState::Accepted { .. }
        | ProposalState::Rejected { .. }
        | ProposalState::Withdrawn { .. }
        | ProposalState::Superseded { .. }
        | ProposalState::Closed { .. }
        | ProposalState::Rescinded { .. } => Err(Refusal::ProposalNotPending),
    }
}
