//! The rounds of the background work. A turn of a round is bounded, so that no round holds up the others.

use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{LeaseEngine, Maintenance};
use crate::error::{Error, with_causes};
use crate::invoicing::declines_since;
use crate::model::RefundState;
use crate::repository::UnderWay;

/// The number of pending payments that are read at once.
const SETTLED_AT_ONCE: u32 = 100;
/// The most batches of payments that one turn of settling takes.
const SETTLING_BATCHES: u32 = 10;
/// The most proposals, and the most invoices, of which one turn records what time has brought.
const RECORDED_AT_ONCE: u32 = 100;
/// The most commits whose events one turn places.
const PLACED_AT_ONCE: u32 = 1_000;
/// The most events that one turn clears.
const CLEARED_AT_ONCE: u32 = 1_000;
/// The most rows that one turn of purging deletes from each table.
const PURGED_AT_ONCE: u32 = 1_000;

/// A turn under way.
type Turn<'a> = Pin<Box<dyn Future<Output = Result<bool, Error>> + Send + 'a>>;

/// A kind of background work.
pub(super) struct Round {
    /// Its name in the log.
    pub(super) name: &'static str,
    /// The time between two turns.
    pub(super) period: Duration,
    /// A bounded turn. Returns whether another one, at once, may find more to do; a turn that did nothing returns false.
    work: for<'a> fn(&'a LeaseEngine, &'a Maintenance) -> Turn<'a>,
}

/// Every round, in an order in which one leaves no work for those before it.
pub(super) const ROUNDS: &[Round] = &[
    Round { name: "settling", period: Duration::from_secs(5), work: |engine, settings| Box::pin(settle(engine, settings)) },
    Round { name: "asking for payers", period: Duration::from_secs(30), work: |engine, _| Box::pin(ask_for_payers(engine)) },
    Round { name: "expiring proposals", period: Duration::from_secs(10), work: |engine, _| Box::pin(expire(engine)) },
    Round { name: "recording overdue invoices", period: Duration::from_secs(10), work: |engine, _| Box::pin(overdue(engine)) },
    Round { name: "placing events", period: Duration::from_secs(1), work: |engine, _| Box::pin(place(engine)) },
    Round { name: "clearing events", period: Duration::from_mins(1), work: |engine, _| Box::pin(clear(engine)) },
    Round { name: "purging", period: Duration::from_mins(5), work: |engine, _| Box::pin(purge(engine)) },
];

impl Round {
    pub(super) async fn turn(&self, engine: &LeaseEngine, settings: &Maintenance) -> Result<bool, Error> {
        (self.work)(engine, settings).await
    }
}

/// Those that could not be settled are tried once more only if others were.
async fn settle(engine: &LeaseEngine, settings: &Maintenance) -> Result<bool, Error> {
    let settled = engine.settle_pending(settings.settle_older_than, SETTLED_AT_ONCE).await?;
    if settled > 0 {
        tracing::info!(settled, "pending payments and refunds were settled");
    }
    Ok(settled > 0)
}

async fn ask_for_payers(engine: &LeaseEngine) -> Result<bool, Error> {
    let settled = engine.settle_waiting(SETTLED_AT_ONCE).await?;
    if settled > 0 {
        tracing::info!(settled, "payments that waited for their payers were settled");
    }
    Ok(settled > 0)
}

async fn expire(engine: &LeaseEngine) -> Result<bool, Error> {
    Ok(engine.expire_proposals(RECORDED_AT_ONCE).await? > 0)
}

async fn overdue(engine: &LeaseEngine) -> Result<bool, Error> {
    Ok(engine.record_overdue(RECORDED_AT_ONCE).await? > 0)
}

async fn place(engine: &LeaseEngine) -> Result<bool, Error> {
    Ok(engine.place_events().await? >= PLACED_AT_ONCE.into())
}

async fn clear(engine: &LeaseEngine) -> Result<bool, Error> {
    let cleared = engine.clear_events().await?;
    if cleared > 0 {
        tracing::info!(cleared, "events were cleared that are no longer kept");
    }
    Ok(cleared > 0)
}

async fn purge(engine: &LeaseEngine) -> Result<bool, Error> {
    let purged = engine.purge_expired().await?;
    if purged > 0 {
        tracing::info!(purged, "expired tokens and idempotency records were purged");
    }
    // Fewer in all tables together are all of each.
    Ok(purged >= PURGED_AT_ONCE.into())
}

impl LeaseEngine {
    /// Settles the payments and refunds that have been pending for longer than `older_than` (rules 5.5, 5.7), oldest first, `at_once` at a
    /// time and at most ten times as many of each in one call. Each is tried once: what cannot be settled now is left for the next
    /// call, so that it does not hold up what is newer. Returns how many were settled.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot list them.
    pub async fn settle_pending(&self, older_than: chrono::Duration, at_once: u32) -> Result<usize, Error> {
        let before = self.now().checked_sub_signed(older_than).unwrap_or_else(|| self.now());
        let payments = self.settle_payments(UnderWay::Pending, before, at_once).await?;
        let (mut settled, mut last) = (0, None);
        for _ in 0..SETTLING_BATCHES {
            let pending = self.store().pending_refunds(before, last, at_once).await?;
            for id in &pending {
                match self.settle_refund(*id).await {
                    Ok(refund) => settled += usize::from(refund.state != RefundState::Pending),
                    Err(error) => {
                        tracing::warn!(error = %with_causes(&error), refund = %id, "a pending refund could not be settled yet");
                    }
                }
            }
            last = pending.last().copied();
            if pending.len() < at_once as usize || last.is_none() {
                break;
            }
        }
        Ok(payments + settled)
    }

    /// Asks the gateway for the payments that wait for their payers, and gives up those that have waited too long (rule 5.5); otherwise
    /// the same as [`settle_pending`](Self::settle_pending).
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot list them.
    pub async fn settle_waiting(&self, at_once: u32) -> Result<usize, Error> {
        self.settle_payments(UnderWay::RequiresAction, self.now(), at_once).await
    }

    async fn settle_payments(&self, state: UnderWay, before: DateTime<Utc>, at_once: u32) -> Result<usize, Error> {
        let (mut settled, mut last) = (0, None);
        for _ in 0..SETTLING_BATCHES {
            let under_way = self.store().payments_under_way(state, before, last, at_once).await?;
            for id in &under_way {
                match self.settle_payment(*id).await {
                    Ok(payment) => settled += usize::from(!payment.state.is_under_way()),
                    Err(error) => {
                        tracing::warn!(error = %with_causes(&error), payment = %id, "a payment under way could not be settled yet");
                    }
                }
            }
            last = under_way.last().copied();
            if under_way.len() < at_once as usize || last.is_none() {
                break;
            }
        }
        Ok(settled)
    }

    /// Gives their place in the order to the events of a bounded number of commits that have none yet (rule 8.5). Returns how many
    /// commits: unless that is zero, there may be more. Reading events does the same first, so this only keeps readings short.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn place_events(&self) -> Result<u64, Error> {
        Ok(self.store().place_events(PLACED_AT_ONCE).await?)
    }

    /// Clears a bounded number of the oldest events if the policy limits how long they are kept (rule 8.9). Returns how many it
    /// cleared: unless that is zero, there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn clear_events(&self) -> Result<u64, Error> {
        let before = self.policy().event_retention.and_then(|kept| self.now().checked_sub_signed(kept));
        match before {
            Some(before) => Ok(self.store().clear_events(before, CLEARED_AT_ONCE).await?),
            None => Ok(0),
        }
    }

    /// Deletes a bounded number of expired tokens and idempotency records, and of refused cards that no longer count. Returns how many it deleted: unless that is zero,
    /// there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn purge_expired(&self) -> Result<u64, Error> {
        let now = self.now();
        let tokens = self.store().purge_tokens(now, PURGED_AT_ONCE).await?;
        let claims = self.store().purge_claims(now, PURGED_AT_ONCE).await?;
        let refused = self.store().purge_refused_cards(declines_since(now), PURGED_AT_ONCE).await?;
        Ok(tokens + claims + refused)
    }
}
