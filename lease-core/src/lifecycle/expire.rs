use chrono::{DateTime, Utc};

use crate::decision::Decision;
use crate::lifecycle::decide_proposal;
use crate::trade::{TradeChanges, TradeSnapshot};

/// Records that the snapshot's proposal has expired (rule 8.8). `None` if it has not, or if that is recorded.
#[must_use]
pub fn expire(snapshot: &TradeSnapshot, now: DateTime<Utc>) -> Option<Decision<TradeChanges>> {
    let proposal = &snapshot.proposal.as_ref()?.proposal;
    let to = proposal.state_at(now);
    (to != proposal.state).then(|| decide_proposal(snapshot, proposal, to))
}
