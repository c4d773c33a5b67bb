use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::Error;
use crate::event::Event;
use crate::lifecycle::{require_pending, visible_proposal};
use crate::model::ProposalState;
use crate::permission::{Act, Actor, Resource};
use crate::trade::{TradeChanges, TradeSnapshot};

/// Withdraws the snapshot's proposal. Only its author may do so (rule 4.5).
///
/// # Errors
/// As [`reject`](super::reject()).
pub fn withdraw(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<Decision<TradeChanges>, Error> {
    let proposal = &visible_proposal(snapshot, actor)?.proposal;
    let customer = actor.require_customer(Resource::Proposal, Act::Decide)?;
    if customer != proposal.customer_id {
        return Err(Error::PermissionDenied);
    }
    require_pending(snapshot, proposal, now)?;
    let decided = Some((proposal.id, ProposalState::Withdrawn { at: now }));
    Ok(Decision::new(TradeChanges { decided, ..TradeChanges::default() }, Event::ProposalWithdrawn(proposal.id)))
}
