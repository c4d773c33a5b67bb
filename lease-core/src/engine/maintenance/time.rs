//! What time brings (rule 8.8).

use chrono::{DateTime, Utc};

use super::LeaseEngine;
use crate::decision::Decision;
use crate::engine::RequestContext;
use crate::engine::trades::at;
use crate::error::{Error, with_causes};
use crate::id::Versioned;
use crate::invoicing::record_overdue;
use crate::lifecycle::{TradeChanges, TradeSnapshot, expire};
use crate::permission::Actor;
use crate::repository::TradeKey;

impl LeaseEngine {
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

    /// Records what time has brought to each of these. Returns to how many of them it is recorded now.
    async fn record_each(&self, keys: impl Iterator<Item = TradeKey>, decide: Brought) -> usize {
        let mut recorded = 0;
        for key in keys {
            match self.record(key, decide).await {
                Ok(()) => recorded += 1,
                Err(error) => {
                    tracing::warn!(error = %with_causes(&error), ?key, "what time has brought could not be recorded yet");
                }
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
