use chrono::{DateTime, Duration, Utc};

use super::trades::at;
use super::{LeaseEngine, RequestContext};
use crate::decision::Decision;
use crate::error::Error;
use crate::id::Versioned;
use crate::invoicing::record_overdue;
use crate::lifecycle::{TradeChanges, TradeSnapshot, expire};
use crate::permission::Actor;
use crate::repository::TradeKey;

/// The most rows that one round of purging deletes from each table.
const PURGED_AT_ONCE: u32 = 1_000;

/// The most events that one call places.
const PLACED_AT_ONCE: u32 = 1_000;

/// The most events that one call clears.
const CLEARED_AT_ONCE: u32 = 1_000;

/// The most batches of payments that one round of settling takes.
const SETTLING_TURNS: u32 = 10;

/// The background work of a server; any number of processes may do it at the same time.
impl LeaseEngine {
    /// Settles the payments that have been pending for longer than `older_than` (rule 5.5), oldest first, `at_once` at a time and
    /// at most ten times as many in one call. Each is tried once: a payment that cannot be settled now is left for the next call,
    /// so that it does not hold up newer ones. Returns how many were settled.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot list the pending payments.
    pub async fn settle_pending(&self, older_than: Duration, at_once: u32) -> Result<usize, Error> {
        let before = self.now().checked_sub_signed(older_than).unwrap_or_else(|| self.now());
        let (mut settled, mut last) = (0, None);
        for _ in 0..SETTLING_TURNS {
            let pending = self.store().pending_payments(before, last, at_once).await?;
            for id in &pending {
                match self.recover(*id).await {
                    Ok(_) => settled += 1,
                    Err(error) => tracing::warn!(%error, payment = %id, "a pending payment could not be settled yet"),
                }
            }
            last = pending.last().copied();
            if pending.len() < at_once as usize || last.is_none() {
                break;
            }
        }
        Ok(settled)
    }

    /// Records that proposals have expired (rule 8.8), at most `at_once` of those that have no record, in the order in which they
    /// expired. One that cannot be recorded now is left for the next call. Returns how many are recorded: unless that is zero, there
    /// may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot list them.
    pub async fn expire_proposals(&self, at_once: u32) -> Result<usize, Error> {
        let expired = self.store().expired_proposals(self.now(), at_once).await?;
        Ok(self.record_each(expired.into_iter().map(TradeKey::Proposal), expire).await)
    }

    /// Records that invoices fell overdue (rule 8.8), in the order of their due dates; otherwise the same as
    /// [`expire_proposals`](Self::expire_proposals).
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot list them.
    pub async fn record_overdue(&self, at_once: u32) -> Result<usize, Error> {
        let overdue = self.store().overdue_invoices(self.now(), at_once).await?;
        Ok(self.record_each(overdue.into_iter().map(TradeKey::Invoice), record_overdue).await)
    }

    /// Gives their place in the order to a bounded number of events that have none yet (rule 8.5). Returns how many: unless that
    /// is zero, there may be more. Reading events does the same first, so this only keeps readings short.
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

    /// Deletes a bounded number of expired tokens and idempotency records. Returns how many it deleted: unless that is zero,
    /// there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn purge_expired(&self) -> Result<u64, Error> {
        let now = self.now();
        let tokens = self.store().purge_tokens(now, PURGED_AT_ONCE).await?;
        let claims = self.store().purge_claims(now, PURGED_AT_ONCE).await?;
        Ok(tokens + claims)
    }

    /// Records what time has brought to each of these. Returns to how many of them it is recorded now.
    async fn record_each(&self, keys: impl Iterator<Item = TradeKey>, decide: Brought) -> usize {
        let mut recorded = 0;
        for key in keys {
            match self.record(key, decide).await {
                Ok(()) => recorded += 1,
                Err(error) => tracing::warn!(%error, ?key, "what time has brought could not be recorded yet"),
            }
        }
        recorded
    }

    async fn record(&self, key: TradeKey, decide: Brought) -> Result<(), Error> {
        let load = |actor: Actor, now| async move { self.load_trade(key, &actor, now).await };
        let decide = |loaded: &Versioned<TradeSnapshot>, _: &Actor, now| {
            Ok(decide(loaded, now).map(|decision| decision.map(|changes| at(loaded, changes))))
        };
        self.execute_if_needed(RequestContext::new(Actor::System), load, decide).await.map(drop)
    }
}

/// A decision about what time has brought, if that is not recorded yet.
type Brought = fn(&TradeSnapshot, DateTime<Utc>) -> Option<Decision<TradeChanges>>;
