use std::collections::HashSet;

use chrono::Duration;

use super::LeaseEngine;
use crate::error::Error;

/// Rows that one round of clearing takes at the most from each table.
const PURGED_AT_ONCE: u32 = 1_000;

/// What a server does beside answering: any number of processes may do it at the same time.
impl LeaseEngine {
    /// Settles the payments that have been pending for `older_than` (spec 5.5), the oldest first, so many at a time. Each is tried
    /// once: one that cannot be settled now is left for the next round, and holds no younger one up. Returns how many were
    /// settled.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not say which are pending.
    pub async fn settle_pending(&self, older_than: Duration, at_once: u32) -> Result<usize, Error> {
        let before = self.now().checked_sub_signed(older_than).unwrap_or_else(|| self.now());
        let (mut settled, mut tried) = (0, HashSet::new());
        loop {
            // Those that were tried in vain come first again.
            let limit = at_once.saturating_add(u32::try_from(tried.len()).unwrap_or(u32::MAX));
            let pending = self.store().pending_payments(before, limit).await?;
            let is_all = pending.len() < limit as usize;
            let untried: Vec<_> = pending.into_iter().filter(|id| !tried.contains(id)).collect();
            if untried.is_empty() {
                return Ok(settled);
            }
            for id in untried {
                tried.insert(id);
                match self.recover(id).await {
                    Ok(_) => settled += 1,
                    Err(error) => tracing::warn!(%error, payment = %id, "a pending payment could not be settled yet"),
                }
            }
            if is_all {
                return Ok(settled);
            }
        }
    }

    /// Forgets tokens and idempotency records that expired; a bounded number. Returns how many: until it is none there may be
    /// more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn purge_expired(&self) -> Result<u64, Error> {
        let now = self.now();
        let tokens = self.store().purge_tokens(now, PURGED_AT_ONCE).await?;
        let claims = self.store().purge_claims(now, PURGED_AT_ONCE).await?;
        Ok(tokens + claims)
    }
}
