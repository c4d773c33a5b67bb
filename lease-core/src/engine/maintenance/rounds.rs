//! The rounds of the background work. A turn of a round is bounded, so that no round holds up the others.

use std::pin::Pin;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::batches::in_batches;
use super::{LeaseEngine, Maintenance};
use crate::error::Error;
use crate::invoicing::declines_since;
use crate::model::RefundState;
use crate::repository::UnderWay;

/// The number of payments and refunds under way, expired proposals and overdue invoices that are read at once; a turn takes several such batches.
const ROWS_AT_ONCE: u32 = 100;
/// The most commits whose events one turn places.
const PLACED_AT_ONCE: u32 = 1_000;
/// The most events that one turn clears.
const CLEARED_AT_ONCE: u32 = 1_000;
/// The most rows that one turn of purging deletes from each table.
const PURGED_AT_ONCE: u32 = 1_000;

/// How long webhook deliveries and mails are kept.
const MESSAGES_KEPT: chrono::TimeDelta = chrono::TimeDelta::days(30);

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
    Round { name: "queueing webhooks", period: Duration::from_millis(250), work: |engine, _| Box::pin(queue_webhooks(engine)) },
    Round { name: "making notices", period: Duration::from_secs(1), work: |engine, _| Box::pin(engine.make_notices()) },
    Round { name: "sending mails", period: Duration::from_secs(1), work: |engine, _| Box::pin(engine.send_mails()) },
    Round { name: "clearing events", period: Duration::from_secs(60), work: |engine, _| Box::pin(clear(engine)) },
    Round { name: "purging", period: Duration::from_secs(300), work: |engine, _| Box::pin(purge(engine)) },
];

impl Round {
    pub(super) async fn turn(&self, engine: &LeaseEngine, settings: &Maintenance) -> Result<bool, Error> {
        (self.work)(engine, settings).await
    }
}

/// Those that could not be settled are tried again at once only if there may be more behind them.
async fn settle(engine: &LeaseEngine, settings: &Maintenance) -> Result<bool, Error> {
    let settled = engine.settle_pending(settings.settle_older_than, ROWS_AT_ONCE).await?;
    if settled > 0 {
        tracing::info!(settled, "pending payments and refunds were settled");
    }
    Ok(settled >= ROWS_AT_ONCE as usize)
}

async fn ask_for_payers(engine: &LeaseEngine) -> Result<bool, Error> {
    let settled = engine.settle_waiting(ROWS_AT_ONCE).await?;
    if settled > 0 {
        tracing::info!(settled, "payments that waited for their payers were settled");
    }
    Ok(settled >= ROWS_AT_ONCE as usize)
}

async fn expire(engine: &LeaseEngine) -> Result<bool, Error> {
    Ok(engine.expire_proposals(ROWS_AT_ONCE).await? > 0)
}

async fn overdue(engine: &LeaseEngine) -> Result<bool, Error> {
    Ok(engine.record_overdue(ROWS_AT_ONCE).await? > 0)
}

async fn place(engine: &LeaseEngine) -> Result<bool, Error> {
    Ok(engine.place_events().await? >= PLACED_AT_ONCE.into())
}

async fn queue_webhooks(engine: &LeaseEngine) -> Result<bool, Error> {
    Ok(engine.queue_webhooks().await? > 0)
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
        tracing::info!(purged, "expired tokens, idempotency records and old messages were purged");
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
        let find = |after| self.store().pending_refunds(before, after, at_once);
        let is_settled = |id| async move { Ok(self.settle_refund(id).await?.state != RefundState::Pending) };
        Ok(payments + in_batches(at_once, find, is_settled).await?)
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
        let find = |after| self.store().payments_under_way(state, before, after, at_once);
        let is_settled = |id| async move { Ok(!self.settle_payment(id).await?.state.is_under_way()) };
        in_batches(at_once, find, is_settled).await
    }

    /// Gives their place in the order to the events of a bounded number of commits that have none yet (rule 8.5). Returns how many
    /// commits: unless that is zero, there may be more. Reading events does the same first, so this only keeps readings short.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn place_events(&self) -> Result<u64, Error> {
        Ok(self.store().place_events(PLACED_AT_ONCE).await?)
    }

    /// Clears a bounded number of the oldest events if the policy limits how long they are kept (rule 8.9), but none that a webhook or a
    /// notice still needs. Returns how many it cleared: unless that is zero, there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn clear_events(&self) -> Result<u64, Error> {
        let before = self.policy().event_retention.and_then(|kept| self.now().checked_sub_signed(kept));
        let Some(mut before) = before else { return Ok(0) };
        let needed = [self.store().first_needed_event().await?, self.first_unnoticed().await?];
        if let Some(first) = needed.into_iter().flatten().min()
            && let Some(event) = self.store().find_event(first, None).await?
        {
            before = before.min(event.occurred_at);
        }
        Ok(self.store().clear_events(before, CLEARED_AT_ONCE).await?)
    }

    /// Deletes a bounded number of expired tokens and idempotency records, of refused cards that no longer count, and of webhook
    /// deliveries and mails that are older than 30 days. Returns how many it deleted: unless that is zero, there may be more.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn purge_expired(&self) -> Result<u64, Error> {
        let now = self.now();
        let tokens = self.store().purge_tokens(now, PURGED_AT_ONCE).await?;
        let claims = self.store().purge_claims(now, PURGED_AT_ONCE).await?;
        let refused = self.store().purge_refused_cards(declines_since(now), PURGED_AT_ONCE).await?;
        let old = now.checked_sub_signed(MESSAGES_KEPT).unwrap_or(now);
        let deliveries = self.store().purge_deliveries(old, PURGED_AT_ONCE).await?;
        let mails = self.store().purge_mails(old, PURGED_AT_ONCE).await?;
        Ok(tokens + claims + refused + deliveries + mails)
    }
}
