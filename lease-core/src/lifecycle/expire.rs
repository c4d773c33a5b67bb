use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::trade::{TradeChanges, TradeSnapshot, proposal_decided};

/// Records that the snapshot's proposal has expired (rule 8.8). `None` if it has not, or if that is recorded.
#[must_use]
pub fn expire(snapshot: &TradeSnapshot, now: DateTime<Utc>) -> Option<Decision<TradeChanges>> {
    let proposal = &snapshot.proposal.as_ref()?.proposal;
    let to = proposal.state_at(now);
    if to == proposal.state {
        return None;
    }
    let event = proposal_decided(snapshot.trade.customer_id, proposal.id, proposal, to);
    Some(Decision::new(TradeChanges { decided: Some((proposal.id, to)), ..TradeChanges::default() }, event))
}
