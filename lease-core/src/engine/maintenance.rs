use chrono::Duration;

use super::LeaseEngine;
use crate::error::Error;

/// Rows that one round of clearing takes at the most from each table.
const PURGED_AT_ONCE: u32 = 1_000;

/// How often one round of settling takes more payments.
const SETTLING_TURNS: u32 = 10;

/// What a server does beside answering: any number of processes may do it at the same time.
impl LeaseEngine {
    /// Settles the payments that have been pending for `older_than` (rule 5.5), the oldest first, so many at a time. Each is
    /// tried once: one that cannot be settled now is left for the next round, and younger ones have their turn, up to ten times
    /// as many as are taken at a time. Returns how many were settled.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not say which are pending.
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
