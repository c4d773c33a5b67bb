//! Attempts of which it turns out later whether they count.

use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use super::{Entry, Limit, TooMany, entry};

/// How many attempts may wait for the outcomes of others, for each key: they keep their connections.
pub(super) const MAX_WAITING: usize = 100;
/// Those who wait will soon know.
pub(super) const SOON: TooMany = TooMany { retry_after: 1 };

enum Verdict {
    Go,
    Wait(Arc<Notify>),
    No(TooMany),
}

impl<K: Copy + Eq + Hash> Limit<K> {
    /// Begins an attempt that may turn out to count. If the pending attempts could reach the limit, it waits for their outcomes. So
    /// parallel attempts cannot exceed the limit, and one that does not count is not refused because of the others, unless very many
    /// wait.
    ///
    /// # Errors
    /// [`TooMany`] if the limit has been reached, or too many wait already.
    pub(in crate::throttle) async fn begin(&self, key: K, now: DateTime<Utc>) -> Result<Pending<K>, TooMany> {
        let begun = || Pending { limit: self.clone(), key, counts_at: None, forgets: false };
        loop {
            let settled = match self.decide(key, now, 0) {
                Verdict::Go => return Ok(begun()),
                Verdict::No(too_many) => return Err(too_many),
                Verdict::Wait(settled) => settled,
            };
            let mut outcome = std::pin::pin!(settled.notified());
            outcome.as_mut().enable();
            // An outcome between the decision and the line above would wake nobody, so check again before waiting.
            match self.decide(key, now, 1) {
                Verdict::Go => return Ok(begun()),
                Verdict::No(too_many) => return Err(too_many),
                Verdict::Wait(again) => {
                    // A task that waits holds one clone.
                    drop(again);
                    outcome.await;
                }
            }
        }
    }

    /// `waits` is 1 for an attempt that is about to wait, and else 0.
    fn decide(&self, key: K, now: DateTime<Utc>, waits: usize) -> Verdict {
        if self.most == 0 {
            return Verdict::Go;
        }
        let mut entries = self.lock();
        let entry = entry(&mut entries, key, now);
        if let Err(too_many) = entry.allows_one_more(self.most, now) {
            return Verdict::No(too_many);
        }
        if entry.counted.len() + entry.running >= self.most {
            return if entry.waiting() < MAX_WAITING + waits {
                Verdict::Wait(Arc::clone(&entry.settled))
            } else {
                Verdict::No(SOON)
            };
        }
        entry.running += 1;
        Verdict::Go
    }

    fn settle(&self, attempt: &Pending<K>) {
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(&attempt.key) else { return };
        entry.running = entry.running.saturating_sub(1);
        if attempt.forgets {
            entry.counted.clear();
        }
        entry.counted.extend(attempt.counts_at);
        entry.settled.notify_waiters();
        if entry.counted.is_empty() && entry.running == 0 && entry.waiting() == 0 {
            entries.remove(&attempt.key);
        }
    }

    /// Whether the limit leaves room for one more attempt.
    ///
    /// # Errors
    /// [`TooMany`] if it has been reached.
    pub(in crate::throttle) fn check(&self, key: K, now: DateTime<Utc>) -> Result<(), TooMany> {
        let mut entries = self.lock();
        entries.get_mut(&key).filter(|_| self.most > 0).map_or(Ok(()), |entry| entry.allows_one_more(self.most, now))
    }
}

/// An attempt of which it is not yet known whether it counts. If it is dropped, it does not.
#[derive(Debug)]
#[must_use]
pub(in crate::throttle) struct Pending<K: Copy + Eq + Hash> {
    limit: Limit<K>,
    key: K,
    counts_at: Option<DateTime<Utc>>,
    forgets: bool,
}

impl<K: Copy + Eq + Hash> Pending<K> {
    /// Ends the attempt, which counts.
    pub(in crate::throttle) fn count(mut self, now: DateTime<Utc>) {
        self.counts_at = Some(now);
    }

    /// Ends the attempt, which does not count, and no earlier one does any longer.
    pub(in crate::throttle) fn forget(mut self) {
        self.forgets = true;
    }
}

impl<K: Copy + Eq + Hash> Drop for Pending<K> {
    fn drop(&mut self) {
        if self.limit.most > 0 {
            self.limit.settle(self);
        }
    }
}

impl Entry {
    /// The number of tasks that wait for an outcome: each holds a clone of the `Notify`.
    fn waiting(&self) -> usize {
        Arc::strong_count(&self.settled) - 1
    }
}
