//! What time brings (rule 8.8).

use chrono::{DateTime, Utc};

use super::LeaseEngine;
use super::batches::in_batches;
use crate::decision::Decision;
use crate::engine::RequestContext;
use crate::engine::trades::at;
use crate::error::Error;
use crate::id::Versioned;
use crate::invoicing::record_overdue;
use crate::lifecycle::{TradeChanges, TradeSnapshot, expire};
use crate::permission::Actor;
use crate::repository::TradeKey;

impl LeaseEngine {
    /// Records that proposals have expired (rule 8.8), in the order in which they expired, `at_once` at a time and at most ten times as
    /// many in one call. Each is tried once: one that cannot be recorded now is left for the next call, so that it does not hold up
    /// those after it. Returns how many are recorded: unless that is zero, there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot list them.
    pub async fn expire_proposals(&self, at_once: u32) -> Result<usize, Error> {
        let now = self.now();
        let find = |after| self.store().expired_proposals(now, after, at_once);
        in_batches(at_once, find, |id| self.record(TradeKey::Proposal(id), expire)).await
    }

    /// Records that invoices fell overdue (rule 8.8), in the order of their due dates; otherwise the same as
    /// [`expire_proposals`](Self::expire_proposals).
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the store cannot list them.
    pub async fn record_overdue(&self, at_once: u32) -> Result<usize, Error> {
        let now = self.now();
        let find = |after| self.store().overdue_invoices(now, after, at_once);
        in_batches(at_once, find, |id| self.record(TradeKey::Invoice(id), record_overdue)).await
    }

    /// Records what time has brought to one of these, which then is done.
    async fn record(&self, key: TradeKey, decide: Brought) -> Result<bool, Error> {
        let load = |actor: Actor, now| async move { self.load_trade(key, &actor, now).await };
        let decide = |loaded: &Versioned<TradeSnapshot>, _: &Actor, now| {
            Ok(decide(loaded, now).map(|decision| decision.map(|changes| at(loaded, changes))))
        };
        self.execute_if_needed(RequestContext::new(Actor::System), load, decide).await.map(|_| true)
    }
}

/// A decision about what time has brought, if that is not recorded yet.
type Brought = fn(&TradeSnapshot, DateTime<Utc>) -> Option<Decision<TradeChanges>>;
