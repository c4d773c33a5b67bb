use chrono::{DateTime, Utc};

use crate::error::Error;
use crate::lifecycle::{Event, TradeChanges, TradeSnapshot, require_pending, visible_proposal};
use crate::model::ProposalState;
use crate::permission::{Act, Actor, Resource};

/// Takes the proposal that is asked about back: its author (spec 4.5).
///
/// # Errors
/// As [`reject`](super::reject()).
pub fn withdraw(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<TradeChanges, Error> {
    let proposal = &visible_proposal(snapshot, actor)?.proposal;
    let customer = actor.require_customer(Resource::Proposal, Act::Decide)?;
    if customer != proposal.customer_id {
        return Err(Error::PermissionDenied);
    }
    require_pending(snapshot, proposal, now)?;
    Ok(TradeChanges {
        decided: Some((proposal.id, ProposalState::Withdrawn { at: now })),
        events: vec![Event::ProposalWithdrawn(proposal.id)],
        ..TradeChanges::default()
    })
}
