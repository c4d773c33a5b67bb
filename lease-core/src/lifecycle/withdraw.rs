use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::Error;
use crate::id::Stored;
use crate::lifecycle::{decide_proposal, require_pending, visible_proposal};
use crate::model::{Proposal, ProposalState};
use crate::permission::{Act, Actor, Resource};
use crate::trade::{TradeChanges, TradeSnapshot};

/// Withdraws the snapshot's proposal. Only its author may do so (rule 4.5).
///
/// # Errors
/// As [`reject`](super::reject()).
pub fn withdraw(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<Decision<TradeChanges>, Error> {
    let proposal = withdrawable(snapshot, actor, now)?;
    Ok(decide_proposal(snapshot, proposal, ProposalState::Withdrawn { at: now }))
}

/// The snapshot's proposal, if the actor may withdraw it now.
pub(super) fn withdrawable<'a>(
    snapshot: &'a TradeSnapshot,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<&'a Stored<Proposal>, Error> {
    let proposal = &visible_proposal(snapshot, actor)?.proposal;
    let customer = actor.require_customer(Resource::Proposal, Act::Decide)?;
    if customer != proposal.customer_id {
        return Err(Error::PermissionDenied);
    }
    require_pending(snapshot, proposal, now)?;
    Ok(proposal)
}
