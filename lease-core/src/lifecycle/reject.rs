use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::error::Error;
use crate::event::Event;
use crate::lifecycle::{require_pending, visible_proposal};
use crate::model::ProposalState;
use crate::permission::{Act, Actor, Resource};
use crate::trade::{TradeChanges, TradeSnapshot};

/// Rejects the snapshot's proposal. The trade's owner may reject the proposals of others (rule 4.5).
///
/// # Errors
/// [`Error::NotFound`], [`Error::PermissionDenied`];
/// [`TradeNotOpen`](crate::Refusal::TradeNotOpen), [`ProposalExpired`](crate::Refusal::ProposalExpired),
/// [`ProposalNotPending`](crate::Refusal::ProposalNotPending).
pub fn reject(snapshot: &TradeSnapshot, actor: &Actor, now: DateTime<Utc>) -> Result<Decision<TradeChanges>, Error> {
    let proposal = &visible_proposal(snapshot, actor)?.proposal;
    let customer = actor.require_customer(Resource::Proposal, Act::Decide)?;
    if customer != snapshot.trade.customer_id || customer == proposal.customer_id {
        return Err(Error::PermissionDenied);
    }
    require_pending(snapshot, proposal, now)?;
    let decided = Some((proposal.id, ProposalState::Rejected { at: now }));
    Ok(Decision::new(TradeChanges { decided, ..TradeChanges::default() }, Event::ProposalRejected(proposal.id)))
}
