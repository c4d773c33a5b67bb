//! What the engine returns is as of now, before any background work has recorded what time brought.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};
use lease_core::clock::ManualClock;
use lease_core::lifecycle::ProposalDraft;
use lease_core::model::ProposalState;
use lease_core::page::PageRequest;
use lease_core::repository::ProposalFilter;

use crate::shop::{Shop, terms};

/// Rule 4.5: from its `expires_at` on, a proposal is expired to every reader, and nothing is asked for.
#[tokio::test]
async fn a_proposal_past_its_time_is_read_as_expired() {
    let noon: DateTime<Utc> = Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap();
    let clock = Arc::new(ManualClock::at(noon));
    let Shop { engine, owner, trade, .. } = Shop::open(Arc::clone(&clock) as _).await;
    let ends = noon + TimeDelta::hours(1);
    let made = engine.propose(owner, trade, &ProposalDraft { expires_at: ends.into(), ..terms(400) }).await.unwrap();
    let read = async || {
        let all = engine.list_proposals(&owner, ProposalFilter::default(), PageRequest::default()).await.unwrap();
        let in_trade =
            engine.list_trade_proposals(&owner, trade, ProposalFilter::default(), PageRequest::default()).await.unwrap();
        let one = engine.get_proposal(&owner, made.stored.id).await.unwrap();
        [one, all.items[0].clone(), in_trade.items[0].clone()].map(|seen| seen.stored.state)
    };
    let asking = async || engine.get_trade(&owner, trade).await.unwrap().stored.asking;

    clock.advance(TimeDelta::minutes(59));
    assert_eq!(read().await, [ProposalState::Pending; 3]);
    assert!(asking().await.is_some());
    clock.advance(TimeDelta::minutes(1));
    assert_eq!(read().await, [ProposalState::Expired { at: ends }; 3]);
    assert!(asking().await.is_none());
}
