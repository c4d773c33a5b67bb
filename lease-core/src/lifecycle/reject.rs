use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::Error;
use crate::id::Stored;
use crate::lifecycle::{decide_proposal, require_pending, visible_proposal};
use crate::model::{Proposal, ProposalState};
use crate::permission::{Act, Actor, Resource};
use crate::trade::{TradeChanges, TradeSnapshot};

/// Rejects the snapshot's proposal. The trade's owner may reject the proposals of others (rule 4.5).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`];
/// [`TradeNotOpen`](crate::Refusal::TradeNotOpen), [`ProposalExpired`](crate::Refusal::ProposalExpired),
/// [`ProposalNotPending`](crate::Refusal::ProposalNotPending).
pub fn reject(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<Decision<TradeChanges>, Error> {
    let proposal = rejectable(snapshot, actor, now)?;
    Ok(decide_proposal(snapshot, proposal, ProposalState::Rejected { at: now }))
}

/// The snapshot's proposal, if the actor may reject it now.
pub(super) fn rejectable<'a>(
    snapshot: &'a TradeSnapshot,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<&'a Stored<Proposal>, Error> {
    let proposal = &visible_proposal(snapshot, actor)?.proposal;
    let customer = actor.require_customer(Resource::Proposal, Act::Decide)?;
    if customer != snapshot.trade.customer_id || customer == proposal.customer_id {
        return Err(Error::PermissionDenied);
    }
    require_pending(snapshot, proposal, now)?;
    Ok(proposal)
}
