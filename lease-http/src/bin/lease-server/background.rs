//! The background work of a server. Several processes may do it at once; each round is limited.

use chrono::Duration;
use lease_core::LeaseEngine;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The time between two rounds of settling.
const SETTLE_EVERY: std::time::Duration = std::time::Duration::from_secs(5);
/// A younger pending payment may still be handled by the request that began it.
const SETTLE_OLDER_THAN: Duration = Duration::seconds(30);
/// The maximum number of payments in a round.
const SETTLE_AT_ONCE: u32 = 100;
/// The time between two rounds of recording what time has brought.
const RECORD_EVERY: std::time::Duration = std::time::Duration::from_secs(10);
/// The maximum number of proposals, and of invoices, in a round.
const RECORD_AT_ONCE: u32 = 100;
/// The time between two rounds of clearing events.
const CLEAR_EVERY: std::time::Duration = std::time::Duration::from_mins(1);
/// The time between two rounds of purging.
const PURGE_EVERY: std::time::Duration = std::time::Duration::from_mins(5);

/// The time between two rounds of placing events.
const PLACE_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// Starts the work; it ends once `stop` is cancelled.
pub(crate) fn start(engine: &LeaseEngine, tasks: &TaskTracker, stop: &CancellationToken) {
    tasks.spawn(every(SETTLE_EVERY, stop.clone(), engine.clone(), settle));
    tasks.spawn(every(PLACE_EVERY, stop.clone(), engine.clone(), place));
    tasks.spawn(every(RECORD_EVERY, stop.clone(), engine.clone(), expire));
    tasks.spawn(every(RECORD_EVERY, stop.clone(), engine.clone(), record_overdue));
    tasks.spawn(every(CLEAR_EVERY, stop.clone(), engine.clone(), clear_events));
    tasks.spawn(every(PURGE_EVERY, stop.clone(), engine.clone(), purge));
}

/// Runs a round in each period, and another one at once if a round reports that there is more to do. A round that is interrupted
/// by the end of the process leaves the same state as a crash, for another process or the next start.
async fn every(
    period: std::time::Duration,
    stop: CancellationToken,
    engine: LeaseEngine,
    round: impl AsyncFn(&LeaseEngine) -> bool,
) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        while stop.run_until_cancelled(round(&engine)).await == Some(true) {}
    }
}

async fn settle(engine: &LeaseEngine) -> bool {
    match engine.settle_pending(SETTLE_OLDER_THAN, SETTLE_AT_ONCE).await {
        Ok(0) => {}
        Ok(settled) => tracing::info!(settled, "pending payments were settled"),
        Err(error) => tracing::warn!(%error, "pending payments could not be settled"),
    }
    false
}

async fn place(engine: &LeaseEngine) -> bool {
    let placed = engine.place_events().await;
    if let Err(error) = &placed {
        tracing::warn!(%error, "events could not be placed");
    }
    placed.is_ok_and(|placed| placed > 0)
}

async fn expire(engine: &LeaseEngine) -> bool {
    let expired = engine.expire_proposals(RECORD_AT_ONCE).await;
    if let Err(error) = &expired {
        tracing::warn!(%error, "proposals that have expired could not be recorded");
    }
    expired.is_ok_and(|expired| expired > 0)
}

async fn record_overdue(engine: &LeaseEngine) -> bool {
    let overdue = engine.record_overdue(RECORD_AT_ONCE).await;
    if let Err(error) = &overdue {
        tracing::warn!(%error, "invoices that fell overdue could not be recorded");
    }
    overdue.is_ok_and(|overdue| overdue > 0)
}

async fn clear_events(engine: &LeaseEngine) -> bool {
    let cleared = engine.clear_events().await;
    match &cleared {
        Ok(0) => {}
        Ok(cleared) => tracing::info!(cleared, "events were cleared that are no longer kept"),
        Err(error) => tracing::warn!(%error, "events could not be cleared"),
    }
    cleared.is_ok_and(|cleared| cleared > 0)
}

async fn purge(engine: &LeaseEngine) -> bool {
    let purged = engine.purge_expired().await;
    match &purged {
        Ok(0) => {}
        Ok(purged) => tracing::info!(purged, "expired tokens and idempotency records were purged"),
        Err(error) => tracing::warn!(%error, "expired rows could not be purged"),
    }
    purged.is_ok_and(|purged| purged > 0)
}
